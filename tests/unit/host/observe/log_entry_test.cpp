#include "observe/log_entry.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::observe {
namespace {

const WallTime kTime = WallTime(std::chrono::milliseconds{1'767'323'045'678});

std::string text(std::string_view message, const Fields& fields = {}) {
  // The time is local: left out here.
  return text_line({kTime, Level::Warn, message, fields}, false).substr(13);
}

std::string json(std::string_view message, const Fields& fields = {}) {
  return json_line({kTime, Level::Warn, message, fields});
}

TEST(JsonLine, HasTimeLevelMessageAndFields) {
  EXPECT_EQ(json("creating a pod failed", {{"pod", "default/web"}, {"uid", "u-1"}}),
            R"({"time":"2026-01-02T03:04:05.678000Z","level":"warn",)"
            R"("message":"creating a pod failed","pod":"default/web","uid":"u-1"})");
}

TEST(JsonLine, CannotBeBrokenByWhatStandsInIt) {
  EXPECT_EQ(json("a\",\"level\":\"info\n{\xff", {{"k\"", "v\\"}}),
            R"({"time":"2026-01-02T03:04:05.678000Z","level":"warn",)"
            "\"message\":\"a\\\",\\\"level\\\":\\\"info\\n{\xEF\xBF\xBD\",\"k\\\"\":\"v\\\\\"}");
}

TEST(JsonLine, KeepsFieldsApartFromItsOwnMembers) {
  EXPECT_NE(json("a", {{"level", "error"}}).find(R"("level_":"error")"), std::string::npos);
}

TEST(JsonLine, TakesTheLaterOfTwoFieldsWithTheSameKey) {
  EXPECT_TRUE(json("a", {{"k", "1"}, {"k", "2"}}).ends_with(R"("message":"a","k":"2"})"));
}

TEST(TextLine, QuotesValuesWhereTheyNeedIt) {
  EXPECT_EQ(text("hello", {{"a", "b/c"}, {"d", "e f"}, {"g", ""}, {"h", "x=\"y\""}}),
            R"(WARN  hello  a=b/c d="e f" g="" h="x=\"y\"")");
}

TEST(TextLine, CannotSteerATerminal) {
  const std::string line = text(
      "a\x1b[2J\nb\x7f \xc2\x9b"
      "31m \xff",
      {{"k\x1b y", "\x1b]0;title\a"}});

  for (const char c : line) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != '\x7f') << line;
  }
  EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos);
  EXPECT_NE(line.find("a\\u001b[2J\\nb"), std::string::npos) << line;
}

TEST(TextLine, IsColouredOnRequest) {
  const LogEntry entry{kTime, Level::Error, "a", {}};

  EXPECT_NE(text_line(entry, true).find("\x1b[31mERROR"), std::string::npos);
  EXPECT_EQ(text_line(entry, false).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vkhost::observe
