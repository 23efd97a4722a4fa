#include "kube/single_watch_group.hpp"

#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vkhost::testing::RecordingLogSink;

struct SingleWatchGroupTest : ::testing::Test {
  std::shared_ptr<RecordingLogSink> log = std::make_shared<RecordingLogSink>(observe::Level::Info);
  SingleWatchGroup group{2, observe::Logger(log)};
};

TEST_F(SingleWatchGroupTest, HasSoManyPlacesAndSaysOnceThatTheyAreTaken) {
  EXPECT_TRUE(group.take_place());
  EXPECT_TRUE(group.take_place());
  EXPECT_FALSE(group.take_place());
  EXPECT_FALSE(group.take_place());
  EXPECT_EQ(group.places_taken(), 2U);

  group.give_back_place();

  EXPECT_TRUE(group.take_place());
  EXPECT_THAT(log->lines(), ElementsAre(HasSubstr("watched=2")));
}

TEST_F(SingleWatchGroupTest, WarnsOfARefusalOnceForEachResource) {
  const Status refusal(StatusCode::PermissionDenied, "forbidden");

  group.note_refusal("/api/v1/namespaces/a/secrets", refusal);
  group.note_refusal("/api/v1/namespaces/b/secrets", refusal);
  group.note_refusal("/api/v1/namespaces/a/configmaps", refusal);

  EXPECT_THAT(log->lines(), ElementsAre(HasSubstr("resource=secrets error=PERMISSION_DENIED"),
                                        HasSubstr("resource=configmaps")));
}

}  // namespace
}  // namespace vkhost::kube
