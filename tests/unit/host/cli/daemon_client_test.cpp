#include "cli/daemon_client.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::cli {
namespace {

TEST(ReadPodRows, TakesWhatTheDaemonWrites) {
  const auto answer = read_pod_rows(
      R"({"pods":[{"namespace":"default","name":"web","uid":"u","node":"n","phase":"Pending",)"
      R"("reason":"NoCapacity","ready_containers":1,"containers":2,"restarts":3,)"
      R"("last_error":"no room","next_try":"2026-01-02T03:04:05Z"},{"name":"bare"}]})");

  ASSERT_TRUE(answer.is_ok()) << answer.status().to_string();
  ASSERT_EQ(answer->rows.size(), 2U);
  const PodRow& pod = answer->rows[0];
  EXPECT_EQ(pod.pod_namespace, "default");
  EXPECT_EQ(pod.containers, 2);
  EXPECT_EQ(pod.restarts, 3);
  EXPECT_EQ(pod.last_error, "no room");
  EXPECT_EQ(pod.next_try, parse_time("2026-01-02T03:04:05Z"));
  EXPECT_EQ(pod.started, std::nullopt);
  EXPECT_EQ(answer->items[1], R"({"name":"bare"})");
}

TEST(ReadNodeRows, TakesWhatTheDaemonWrites) {
  const auto answer = read_node_rows(
      R"({"nodes":[{"name":"n","provider":"mock","ready":true,"reason":"","pods":7}]})");

  ASSERT_TRUE(answer.is_ok());
  EXPECT_TRUE(answer->rows[0].ready);
  EXPECT_EQ(answer->rows[0].pods, 7);
}

TEST(ReadPodRows, RefusesWhatNoDaemonWrites) {
  for (const std::string text :
       {"", "[]", "{", R"({"pods":[1]})", R"({"pods":[{"restarts":"many"}]})"}) {
    EXPECT_EQ(read_pod_rows(text).status().code(), StatusCode::InvalidArgument) << text;
  }
  EXPECT_FALSE(read_pod_rows(R"({"pods":)" + std::string(100, '[')).is_ok());
}

}  // namespace
}  // namespace vkhost::cli
