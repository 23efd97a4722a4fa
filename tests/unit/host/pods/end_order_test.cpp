#include "pods/end_order.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

kube::PodPtr pod_of(const std::string& annotations,
                    const std::string& spec = R"({"containers":[{"name":"a"},{"name":"b"}]})",
                    const std::string& status = R"({"phase":"Running"})") {
  auto parsed = kube::parse_pod(
      R"({"metadata":{"name":"web","namespace":"default","uid":"uid-1","annotations":)" +
      annotations + R"(},"spec":)" + spec + R"(,"status":)" + status + "}");
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().to_string();
  return *parsed;
}

std::shared_ptr<EndOrder> earlier(const kube::PodPtr& pod, bool native_deadline = false) {
  return order_of_earlier_process(*pod, native_deadline);
}

std::string quoted(const std::string& mark) {
  std::string out;
  for (const char c : mark) {
    out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return R"({"vkhost.io/eviction":")" + out + "\"}";
}

TEST(EndOrder, IsReadAsItWasMarked) {
  EndOrder order;
  order.reason = "SpotReclaimed";
  order.message = "the \"cloud\" wants its\ncapacity back";
  order.grace = milliseconds{1500};
  const std::string mark = eviction_mark(*pod_of("{}"), order);
  const auto read = earlier(pod_of(quoted(mark)));

  ASSERT_TRUE(read);
  EXPECT_EQ(read->why, EndOrder::Why::Eviction);
  EXPECT_EQ(read->reason, order.reason);
  EXPECT_EQ(read->message, order.message);
  EXPECT_EQ(read->grace, order.grace);
  EXPECT_TRUE(read->is_marked);
  EXPECT_TRUE(read->was_called);
  EXPECT_FALSE(read->is_concluded);
}

TEST(EndOrder, IsConcludedOnceThePodHasEnded) {
  const std::string mark = eviction_mark(*pod_of("{}"), {});
  const auto read = earlier(pod_of(quoted(mark), R"({"containers":[{"name":"a"}]})",
                                   R"({"phase":"Failed","reason":"Evicted"})"));

  ASSERT_TRUE(read);
  EXPECT_TRUE(read->is_concluded);
}

TEST(EndOrder, IsNotTakenFromAMarkThatIsNone) {
  for (const char* mark :
       {"", "true", "[]", "{", R"({"uid":"uid-2","reason":"Evicted"})", R"({"reason":"Evicted"})",
        R"({"uid":["uid-1"]})", R"({"uid":"uid-1","graceMs":"soon"})",
        R"({"uid":"uid-1","more":{"deep":{"deeper":{}}}})"}) {
    EXPECT_FALSE(earlier(pod_of(quoted(mark)))) << mark;
  }
  EXPECT_FALSE(earlier(pod_of(quoted(std::string(100'000, '[')))));
  EXPECT_FALSE(earlier(pod_of(R"({"note":"vkhost.io/eviction"})")));
}

TEST(EndOrder, OfADeadlineShowsInTheStatus) {
  const std::string spec = R"({"containers":[{"name":"a"}],"activeDeadlineSeconds":5})";
  const auto failed =
      earlier(pod_of("{}", spec, R"({"phase":"Failed","reason":"DeadlineExceeded"})"));

  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->why, EndOrder::Why::Deadline);
  EXPECT_TRUE(failed->is_concluded);
  EXPECT_FALSE(
      earlier(pod_of("{}", spec, R"({"phase":"Failed","reason":"DeadlineExceeded"})"), true));
  EXPECT_FALSE(earlier(pod_of("{}", spec, R"({"phase":"Failed","reason":"Lost"})")));
  EXPECT_FALSE(earlier(pod_of("{}", spec, R"({"phase":"Running"})")));
}

TEST(DeadlineOfAPod, CountsFromTheBeginningOfThePod) {
  const std::string begun = R"({"phase":"Running","startTime":"2026-01-02T03:04:05Z"})";
  const auto deadline_of = [&](const std::string& value, const std::string& status) {
    return active_deadline(*pod_of("{}", R"({"activeDeadlineSeconds":)" + value + "}", status));
  };

  EXPECT_EQ(deadline_of("60", begun), *parse_time("2026-01-02T03:05:05Z"));
  EXPECT_EQ(deadline_of("-1", begun), *parse_time("2026-01-02T03:04:05Z"));
  EXPECT_GT(deadline_of("9223372036854775807", begun), *parse_time("2090-01-01T00:00:00Z"));
  EXPECT_FALSE(deadline_of("60", R"({"phase":"Pending"})"));
  EXPECT_FALSE(deadline_of("60", R"({"startTime":"yesterday"})"));
  EXPECT_FALSE(active_deadline(*pod_of("{}", "{}", begun)));
}

TEST(OwnGrace, IsThatOfThePod) {
  const auto grace_of = [](const std::string& value) {
    return own_grace(*pod_of("{}", R"({"terminationGracePeriodSeconds":)" + value + "}"));
  };

  EXPECT_EQ(grace_of("7"), seconds{7});
  EXPECT_EQ(grace_of("0"), seconds{0});
  EXPECT_EQ(grace_of("-3"), seconds{0});
  EXPECT_EQ(grace_of("null"), seconds{30});
  EXPECT_EQ(grace_of("9223372036854775807"), std::chrono::hours{366 * 24});
  EXPECT_EQ(own_grace(*pod_of("{}", "{}")), seconds{30});
}

TEST(HaveContainersEnded, AsksForEachOfThePod) {
  const kube::PodPtr pod = pod_of("{}");
  const auto ended = [&](const std::string& list) {
    return have_containers_ended(*pod, R"({"phase":"Running","containerStatuses":)" + list + "}");
  };

  EXPECT_TRUE(ended(R"([{"name":"b","state":{"terminated":{}}},
                        {"name":"a","state":{"terminated":{}}}])"));
  EXPECT_FALSE(ended(R"([{"name":"a","state":{"terminated":{}}}])"));
  EXPECT_FALSE(ended(R"([{"name":"a","state":{"terminated":{}}},
                         {"name":"b","state":{"running":{}}}])"));
  EXPECT_FALSE(ended(R"([{"name":"a","lastState":{"terminated":{}}},
                         {"name":"b","lastState":{"terminated":{}}}])"));
  EXPECT_FALSE(ended(R"(["terminated", {"terminated":0}])"));
  EXPECT_FALSE(ended(R"({"terminated":0})"));
  EXPECT_FALSE(have_containers_ended(*pod, ""));
}

}  // namespace
}  // namespace vkhost::pods
