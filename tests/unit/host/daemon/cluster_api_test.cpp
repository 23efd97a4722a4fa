#include "daemon/cluster_api.hpp"

#include "base/thread.hpp"
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
  server_->answer(200, R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[]})");

  EXPECT_EQ(api_.read_pod("default", "web", "edge-1", {}).status().code(), StatusCode::NotFound);
}

TEST_F(ClusterPodApiTest, KnowsWhetherAStatusIsBeingWritten) {
  server_->hang();
  CancelSource cancel;
  EXPECT_FALSE(api_.is_writing());

  {
    Thread writer("writer", [&] {
      pods::StatusPatch patch;
      patch.status_json = "{}";
      static_cast<void>(api_.patch_status(*pod_, patch, cancel.token()));
    });
    EXPECT_TRUE(server_->wait_for_requests(1));
    EXPECT_TRUE(api_.is_writing());
    cancel.cancel();
  }

  EXPECT_FALSE(api_.is_writing());
}

class ClusterEventsTest : public ::testing::Test {
 protected:
  ClusterEventsTest() {
    server_->answer(201, "{}");
    writer_.start();
  }

  std::string sent() {
    writer_.stop(Deadline::never());
    return server_->requests().empty() ? std::string() : server_->requests()[0].body;
  }

  std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>();
  std::unique_ptr<kube::Client> client_ = testing::client_on(server_);
  kube::EventWriter writer_{
      {}, {*client_, std::make_shared<SystemClock>(), std::make_shared<SeededRandom>(1), {}}};
  ClusterEvents events_{writer_};
};

TEST_F(ClusterEventsTest, AreAboutThePodAndTheContainer) {
  pods::Happening what{pods::EventType::Warning, "BackOff", "it crashes"};
  what.detail = "; next try at 10:00";
  what.field_path = "spec.containers{main}";

  events_.pod_event(**kube::parse_pod(kPod), what);

  const std::string body = sent();
  EXPECT_THAT(body, HasSubstr(R"("uid":"u-1")"));
  EXPECT_THAT(body, HasSubstr(R"("fieldPath":"spec.containers{main}")"));
  EXPECT_THAT(body, HasSubstr("it crashes; next try at 10:00"));
  EXPECT_THAT(body, HasSubstr(R"("host":"virtual")"));
  EXPECT_EQ(server_->requests()[0].target, "/api/v1/namespaces/default/events");
}

TEST_F(ClusterEventsTest, AreAboutTheNodeAsThoseOfAKubelet) {
  events_.node_event("virtual", {pods::EventType::Warning, "OrphanedWorkload", "left behind"});

  const std::string body = sent();
  EXPECT_THAT(body, HasSubstr(R"("kind":"Node")"));
  EXPECT_THAT(body, HasSubstr(R"("name":"virtual","uid":"virtual")"));
  EXPECT_EQ(server_->requests()[0].target, "/api/v1/namespaces/default/events");
}

}  // namespace
}  // namespace vkhost::daemon
