#include "daemon/cluster_api.hpp"

#include "support/fake_client.hpp"
#include "support/fake_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace vkhost::daemon {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPod =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default","uid":"u-1",)"
    R"("resourceVersion":"8"},"spec":{"nodeName":"virtual","containers":[{"name":"main"}]}})";

class ClusterPodApiTest : public ::testing::Test {
 protected:
  ClusterPodApiTest() : client_(testing::client_on(server_)), api_(*client_) {
    pod_ = *kube::parse_pod(kPod);
  }

  std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>();
  std::unique_ptr<kube::Client> client_;
  ClusterPodApi api_;
  kube::PodPtr pod_;
};

TEST_F(ClusterPodApiTest, WritesAStatusWithTheUidAndYieldsTheNewVersion) {
  server_->answer(200, kPod);
  pods::StatusPatch patch;
  patch.status_json = R"({"phase":"Running"})";

  const auto version = api_.patch_status(*pod_, patch, {});

  ASSERT_TRUE(version.is_ok()) << version.status().to_string();
  EXPECT_EQ(*version, "8");
  ASSERT_EQ(server_->requests().size(), 1U);
  EXPECT_EQ(server_->requests()[0].method, "PATCH");
  EXPECT_EQ(server_->requests()[0].target, "/api/v1/namespaces/default/pods/web/status");
  EXPECT_THAT(server_->requests()[0].body, HasSubstr(R"("uid":"u-1")"));
}

TEST_F(ClusterPodApiTest, EndsThePodOfThatUidOnly) {
  server_->answer(200, kPod);

  ASSERT_TRUE(api_.remove_pod(*pod_, {}).is_ok());

  EXPECT_EQ(server_->requests()[0].method, "DELETE");
  EXPECT_THAT(server_->requests()[0].body, HasSubstr(R"("gracePeriodSeconds":0)"));
  EXPECT_THAT(server_->requests()[0].body, HasSubstr(R"("uid":"u-1")"));
}

TEST_F(ClusterPodApiTest, SaysNotFoundOnAFreshReadOfAPodThatIsGone) {
  server_->answer(404, R"({"kind":"Status","status":"Failure","reason":"NotFound","code":404})");

  EXPECT_EQ(api_.read_pod("default", "web", {}).status().code(), StatusCode::NotFound);
}

}  // namespace
}  // namespace vkhost::daemon
