#include "observe/log.hpp"

#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::observe {
namespace {

using ::testing::ElementsAre;
using vkhost::testing::RecordingLogSink;

TEST(Logger, DiscardsEverythingWithoutASink) {
  const Logger log;

  log.error("nobody hears this", {{"pod", "default/web"}});

  EXPECT_FALSE(log.accepts(Level::Error));
}

TEST(Logger, WritesMessageAndFields) {
  const auto sink = std::make_shared<RecordingLogSink>();
  const Logger log(sink);

  log.warn("creating a pod failed", {{"pod", "default/web"}, {"uid", "u-1"}});

  EXPECT_THAT(sink->lines(), ElementsAre("warn: creating a pod failed pod=default/web uid=u-1"));
}

TEST(Logger, AsksTheSinkWhichLevelsItTakes) {
  const auto sink = std::make_shared<RecordingLogSink>(Level::Info);
  const Logger log(sink);

  log.debug("too quiet");
  log.info("loud enough");

  EXPECT_THAT(sink->lines(), ElementsAre("info: loud enough"));
}

TEST(Logger, AddsItsOwnFieldsBeforeThoseOfTheEntry) {
  const auto sink = std::make_shared<RecordingLogSink>();
  const Logger log(sink);

  const Logger child = log.with({{"node", "vk-0"}}).with({{"provider", "mock"}});
  child.info("started", {{"pods", "3"}});
  log.info("unchanged");

  EXPECT_THAT(sink->lines(),
              ElementsAre("info: started node=vk-0 provider=mock pods=3", "info: unchanged"));
}

TEST(ErrorField, CarriesCodeAndMessage) {
  const Field field = error_field(unavailable("no route to the API server"));

  EXPECT_EQ(field.key, "error");
  EXPECT_EQ(field.value, "UNAVAILABLE: no route to the API server");
}

}  // namespace
}  // namespace vkhost::observe
