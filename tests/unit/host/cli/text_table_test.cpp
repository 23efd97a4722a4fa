#include "cli/text_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::cli {
namespace {

TEST(TextTable, AlignsColumnsByCharacters) {
  TextTable table({"NAME", "STATUS"});
  table.add({"wäb", "Running"});
  table.add({"a-long-name", "Failed"});

  EXPECT_EQ(table.render(2),
            "NAME          STATUS\n"
            "wäb           Running\n"
            "a-long-name   Failed\n");
}

TEST(TextTable, LeavesEmptyColumnsOut) {
  TextTable table({"NAME", "IP", "ERROR"});
  table.add({"web", "", ""});

  EXPECT_EQ(table.render(2), "NAME   IP\nweb\n");
}

TEST(TextTable, CannotSteerATerminal) {
  TextTable table({"NAME"});
  table.add({"a\x1b[2J\n\xc2\x9b\xff\"\\"});

  const std::string text = table.render(1);

  EXPECT_EQ(text, "NAME\na\\u001b[2J\\n?\xEF\xBF\xBD\"\\\n");
}

TEST(ShortDuration, IsAsKubectlWritesIt) {
  EXPECT_EQ(short_duration(-5), "0s");
  EXPECT_EQ(short_duration(119), "119s");
  EXPECT_EQ(short_duration(192), "3m12s");
  EXPECT_EQ(short_duration(180), "3m");
  EXPECT_EQ(short_duration(3599), "59m");
  EXPECT_EQ(short_duration(4 * 3600 + 60), "4h1m");
  EXPECT_EQ(short_duration(40LL * 3600), "40h");
  EXPECT_EQ(short_duration(9LL * 86400), "9d");
}

}  // namespace
}  // namespace vkhost::cli
