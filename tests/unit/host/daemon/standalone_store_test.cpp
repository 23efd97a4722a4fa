#include "daemon/standalone_store.hpp"

#include "support/fake_clock.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace vkhost::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes down what an engine would hear.
class RecordingListener final : public kube::PodListener {
 public:
  void pods_listed(std::vector<kube::PodPtr> pods) override {
    heard.push_back("listed " + std::to_string(pods.size()));
    for (const kube::PodPtr& pod : pods) {
      last = pod;
    }
  }
  void pod_applied(kube::PodPtr pod) override {
    heard.push_back((pod->is_deleting() ? "deleting " : "applied ") + pod->name);
    last = pod;
  }
  void pod_removed(const std::string& /*uid*/) override { heard.emplace_back("removed"); }

  std::vector<std::string> heard;
  kube::PodPtr last;
};

class StandaloneStoreTest : public ::testing::Test {
 protected:
  StandaloneStoreTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("vkhost-store-" + std::to_string(::getpid()) + "-" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    open();
  }
  ~StandaloneStoreTest() override { std::filesystem::remove_all(folder_); }

  void open() {
    listener_.heard.clear();
    auto store = StandaloneStore::create(folder_, clock_, observe::Logger(log_));
    ASSERT_TRUE(store.is_ok()) << store.status().to_string();
    store_ = std::move(*store);
    store_->set_listener(&listener_);
  }
  static Manifests manifest_of(const std::string& image) {
    Manifests manifests;
    add_manifest_file("web.yaml",
                      "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
                      "spec: {containers: [{name: main, image: " +
                          image + "}]}\n",
                      "node", &manifests);
    return manifests;
  }

  const std::filesystem::path folder_;
  std::shared_ptr<testing::FakeClock> clock_ = std::make_shared<testing::FakeClock>();
  std::shared_ptr<testing::RecordingLogSink> log_ = std::make_shared<testing::RecordingLogSink>();
  RecordingListener listener_;
  std::unique_ptr<StandaloneStore> store_;
};

TEST_F(StandaloneStoreTest, ListsThePodsOfTheFirstManifests) {
  store_->apply(manifest_of("a"));

  EXPECT_THAT(listener_.heard, ElementsAre("listed 1"));
  EXPECT_EQ(listener_.last->phase, "Pending");
}

TEST_F(StandaloneStoreTest, SaysNothingWhenNothingChanged) {
  store_->apply(manifest_of("a"));

  store_->apply(manifest_of("a"));

  EXPECT_THAT(listener_.heard, ElementsAre("listed 1"));
}

TEST_F(StandaloneStoreTest, BeginsAnEditedPodWhenTheOldOneHasEnded) {
  store_->apply(manifest_of("a"));
  const kube::PodPtr old = listener_.last;

  store_->apply(manifest_of("b"));
  const bool was_deleting = listener_.last->is_deleting();
  ASSERT_TRUE(store_->remove_pod(*old, {}).is_ok());

  EXPECT_TRUE(was_deleting);
  EXPECT_THAT(listener_.heard, ElementsAre("listed 1", "deleting web", "removed", "applied web"));
  EXPECT_NE(listener_.last->uid, old->uid);
}

TEST_F(StandaloneStoreTest, KeepsStatusAndHandleOverARestart) {
  store_->apply(manifest_of("a"));
  const std::string uid = listener_.last->uid;
  pods::StatusPatch patch;
  patch.status_json = R"({"phase":"Running","startTime":"2026-01-02T03:04:05Z"})";
  patch.annotations["vkhost.io/handle"] = "h-1";
  patch.annotations["vkhost.io/handle-uid"] = uid;
  ASSERT_TRUE(store_->patch_status(*listener_.last, patch, {}).is_ok());

  open();
  store_->apply(manifest_of("a"));

  EXPECT_EQ(listener_.last->uid, uid);
  EXPECT_EQ(listener_.last->phase, "Running");
  EXPECT_EQ(listener_.last->handle, "h-1");
}

TEST_F(StandaloneStoreTest, DeletesAPodWhoseManifestWentAwayWhileNobodyLooked) {
  store_->apply(manifest_of("a"));

  open();
  store_->apply({});

  EXPECT_THAT(listener_.heard, ElementsAre("listed 1"));
  EXPECT_TRUE(listener_.last->is_deleting());
  EXPECT_EQ(listener_.last->deletion_grace_seconds, 30);
}

TEST_F(StandaloneStoreTest, RefusesToPatchAPodThatIsGone) {
  store_->apply(manifest_of("a"));
  const kube::PodPtr pod = listener_.last;
  store_->apply({});
  ASSERT_TRUE(store_->remove_pod(*pod, {}).is_ok());

  EXPECT_EQ(store_->patch_status(*pod, {}, {}).status().code(), StatusCode::NotFound);
  EXPECT_EQ(store_->remove_pod(*pod, {}).code(), StatusCode::NotFound);
}

TEST_F(StandaloneStoreTest, LeavesAFileAloneThatItCannotUse) {
  std::ofstream(folder_ / "broken.json") << "{";

  open();

  EXPECT_TRUE(std::filesystem::exists(folder_ / "broken.json"));
  EXPECT_THAT(log_->lines(), ElementsAre(HasSubstr("broken.json")));
}

TEST(PatchedPod, RemovesAConditionThatThePatchDeletes) {
  pods::StatusPatch patch;
  patch.status_json = R"({"conditions":[{"$patch":"delete","type":"Old"},)"
                      R"({"$patch":"delete","type":"Unknown"}]})";

  const auto pod = patched_pod(
      R"({"status":{"conditions":[{"type":"Mine"},{"type":"Old"},{"type":"Other"}]}})", patch);

  ASSERT_TRUE(pod.is_ok());
  EXPECT_EQ(*pod, R"({"status":{"conditions":[{"type":"Mine"},{"type":"Other"}]}})");
}

TEST(PatchedPod, MergesConditionsByTypeAndReplacesLists) {
  pods::StatusPatch patch;
  patch.status_json = R"({"conditions":[{"type":"Ready","status":"True"}],"reason":null,)"
                      R"("podIPs":[{"ip":"10.0.0.2"},{"$patch":"replace"}]})";

  const auto pod =
      patched_pod(R"({"status":{"reason":"X","podIPs":[{"ip":"10.0.0.1"}],"conditions":)"
                  R"([{"type":"Ready","status":"False"},{"type":"Mine","status":"True"}]}})",
                  patch);

  ASSERT_TRUE(pod.is_ok());
  EXPECT_EQ(*pod, R"({"status":{"conditions":[{"status":"True","type":"Ready"},)"
                  R"({"status":"True","type":"Mine"}],"podIPs":[{"ip":"10.0.0.2"}]}})");
}

}  // namespace
}  // namespace vkhost::daemon
