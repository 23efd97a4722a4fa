#include "daemon/manifest_feed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::daemon {
namespace {

using resolve::ObjectKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RecordingListener final : public kube::ObjectListener {
 public:
  void object_changed(std::string json) override { heard.push_back(json); }
  void object_gone() override { heard.emplace_back("gone"); }
  std::vector<std::string> heard;
};

class ManifestFeedTest : public ::testing::Test {
 protected:
  ManifestFeedTest() { feed_.update({{"shop/web", "{1}"}}, {{"shop/web", "{s}"}}); }

  ManifestFeed feed_;
  RecordingListener listener_;
};

TEST_F(ManifestFeedTest, TellsWhatChangesAndNothingElse) {
  const auto followed = feed_.follow({ObjectKind::ConfigMap, "shop", "web"}, "", listener_);

  feed_.update({{"shop/web", "{1}"}}, {{"shop/web", "{t}"}});
  EXPECT_THAT(listener_.heard, IsEmpty());
  feed_.update({{"shop/web", "{2}"}}, {});
  feed_.update({{"shop/other", "{2}"}}, {});
  feed_.update({{"shop/web", "{2}"}}, {});

  EXPECT_THAT(listener_.heard, ElementsAre("{2}", "gone", "{2}"));
}

TEST_F(ManifestFeedTest, TellsWhenWhatWasMissingIsThere) {
  const auto followed = feed_.follow({ObjectKind::Secret, "shop", "late"}, "", listener_);

  feed_.update({}, {{"shop/late", "{l}"}});

  EXPECT_THAT(listener_.heard, ElementsAre("{l}"));
}

TEST_F(ManifestFeedTest, TellsNobodyWhoHasLeft) {
  auto followed = feed_.follow({ObjectKind::ConfigMap, "shop", "web"}, "", listener_);

  followed.reset();
  feed_.update({}, {});

  EXPECT_THAT(listener_.heard, IsEmpty());
}

}  // namespace
}  // namespace vkhost::daemon
