#include "node/node_writer.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_node_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace vkhost::node {
namespace {

using testing::FakeNodeApi;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kNode = "/api/v1/nodes/virtual";
constexpr const char* kLease =
    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/virtual";

class NodeWriterTest : public ::testing::Test {
 protected:
  NodeWriterTest() { settings_.name = "virtual"; }

  [[nodiscard]] NodeSources sources() const {
    return {settings_,
            R"({"status":{"capacity":{"cpu":"4"}}})",
            {true, "KubeletReady", "Kubelet is ready"},
            clock_->wall_now()};
  }
  [[nodiscard]] LeaseSources lease(std::string_view uid) const {
    return {"virtual", uid, std::chrono::seconds{40}, clock_->wall_now()};
  }

  std::shared_ptr<testing::FakeClock> clock_ = std::make_shared<testing::FakeClock>();
  Settings settings_;
  FakeNodeApi api_;
  NodeWriter writer_{&api_, clock_, {}, {}};
};

TEST_F(NodeWriterTest, RegistersANodeThatDoesNotExist) {
  const auto written = writer_.write(sources(), {});

  ASSERT_TRUE(written.is_ok());
  EXPECT_NE(written->uid, "");
  EXPECT_THAT(api_.object(kNode), HasSubstr(R"("cpu":"4")"));
}

TEST_F(NodeWriterTest, RegistersNothingWhenItMayNot) {
  const auto written = writer_.write(sources(), {WriteScope::Says::Readiness, false});

  ASSERT_TRUE(written.is_ok());
  EXPECT_EQ(written->uid, "");
  EXPECT_EQ(api_.object(kNode), "");
}

TEST_F(NodeWriterTest, ChangesNothingButReadinessWhenThatIsAllThatIsKnown) {
  api_.put(kNode, R"({"metadata":{"name":"virtual","uid":"old"},)"
                  R"("status":{"capacity":{"cpu":"2"},"conditions":[]}})");

  const auto written = writer_.write(sources(), {WriteScope::Says::Readiness, false});

  ASSERT_TRUE(written.is_ok());
  EXPECT_EQ(written->uid, "old");
  EXPECT_THAT(api_.object(kNode), HasSubstr("KubeletReady"));
  EXPECT_THAT(api_.object(kNode), HasSubstr(R"("cpu":"2")"));
  EXPECT_THAT(api_.object(kNode), Not(HasSubstr("DiskPressure")));
}

TEST_F(NodeWriterTest, TellsReadinessThoughTheApiServerRefusesAnotherValue) {
  api_.put(kNode, R"({"metadata":{"name":"virtual","uid":"old"},"status":{"conditions":[]}})");
  api_.refuse_patches_with(R"("cpu")");

  const auto written = writer_.write(sources(), {});

  EXPECT_EQ(written.status().code(), StatusCode::InvalidArgument);
  EXPECT_THAT(api_.object(kNode), HasSubstr("KubeletReady"));
}

TEST_F(NodeWriterTest, OnlyLearnsTheUidWhenThereIsNothingToSayYet) {
  api_.put(kNode, R"({"metadata":{"name":"virtual","uid":"old"}})");

  const auto written = writer_.write(sources(), {WriteScope::Says::Nothing, true});

  ASSERT_TRUE(written.is_ok());
  EXPECT_EQ(written->uid, "old");
  EXPECT_THAT(api_.patches(), IsEmpty());
}

TEST_F(NodeWriterTest, ReadsAgainWhenSomebodyElseChangedTheSpecMeanwhile) {
  settings_.taints = {{{"mine", "", "NoSchedule"}}};
  const std::string bare = R"({"metadata":{"name":"virtual","uid":"old"},"spec":{}})";
  api_.put(kNode, bare);
  bool interferes = true;
  api_.after_get([&](const std::string& path) {
    if (std::exchange(interferes, false)) {
      api_.put(path, R"({"metadata":{"name":"virtual","uid":"old"},)"
                     R"("spec":{"taints":[{"key":"theirs","effect":"NoExecute"}]}})");
    }
  });

  ASSERT_TRUE(writer_.write(sources(), {}).is_ok());

  EXPECT_THAT(api_.object(kNode), HasSubstr(R"("key":"mine")"));
  EXPECT_THAT(api_.object(kNode), HasSubstr(R"("key":"theirs")"));
}

TEST_F(NodeWriterTest, RemovesWhatIsNoLongerOfferedAndLeavesWhatOthersAdded) {
  NodeSources offered = sources();
  offered.provider_json = R"({"status":{"capacity":{"cpu":"4","example.com/gpu":"2"},)"
                          R"("conditions":[{"type":"Mine","status":"True"}]}})";
  api_.put(kNode,
           R"({"metadata":{"name":"virtual","uid":"old"},"status":{"capacity":)"
           R"({"example.com/theirs":"1"},"conditions":[{"type":"Theirs","status":"True"}]}})");
  ASSERT_TRUE(writer_.write(offered, {}).is_ok());
  ASSERT_THAT(api_.object(kNode), HasSubstr(R"("example.com/gpu":"2")"));
  ASSERT_THAT(api_.object(kNode), HasSubstr(R"("type":"Mine")"));

  ASSERT_TRUE(writer_.write(sources(), {}).is_ok());

  const std::string node = api_.object(kNode);
  EXPECT_THAT(node, Not(HasSubstr("example.com/gpu")));
  EXPECT_THAT(node, Not(HasSubstr(R"("type":"Mine")")));
  EXPECT_THAT(node, HasSubstr(R"("example.com/theirs":"1")"));
  EXPECT_THAT(node, HasSubstr(R"("type":"Theirs")"));
  EXPECT_THAT(node, HasSubstr(R"("type":"DiskPressure")"));
}

TEST_F(NodeWriterTest, RenewsALeaseThatSomebodyElseWroteMeanwhile) {
  ASSERT_TRUE(writer_.renew_lease(lease("uid-1")).is_ok());
  api_.put(kLease, R"({"metadata":{"name":"virtual","uid":"lease"},)"
                   R"("spec":{"holderIdentity":"somebody","leaseDurationSeconds":1}})");

  ASSERT_TRUE(writer_.renew_lease(lease("uid-1")).is_ok());

  EXPECT_THAT(api_.object(kLease), HasSubstr(R"("holderIdentity":"virtual")"));
  EXPECT_EQ(api_.updates(kLease), 1);
}

TEST_F(NodeWriterTest, SaysWhatFailed) {
  api_.go_away();

  EXPECT_THAT(writer_.write(sources(), {}).status().message(), HasSubstr("reading node virtual"));
  EXPECT_FALSE(writer_.renew_lease(lease("uid-1")).is_ok());
}

TEST_F(NodeWriterTest, MakesALeaseAgainThatWentWithItsNode) {
  ASSERT_TRUE(writer_.renew_lease(lease("uid-1")).is_ok());
  ASSERT_TRUE(writer_.renew_lease(lease("uid-1")).is_ok());
  api_.erase(kLease);

  ASSERT_TRUE(writer_.renew_lease(lease("uid-2")).is_ok());

  EXPECT_EQ(api_.creates(kLease), 2);
  EXPECT_THAT(api_.object(kLease), HasSubstr("uid-2"));
}

}  // namespace
}  // namespace vkhost::node
