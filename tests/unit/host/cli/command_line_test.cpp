#include "cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace vkhost::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array kTable = {
    Flag{"--config", "FILE", "A file.", 'c'},
    Flag{"--standalone", "", "A switch."},
    Flag{"--nodename", "NAME", "A name."},
};

CommandLine read(std::vector<std::string> arguments, UnknownFlags unknown = UnknownFlags::Refused) {
  return read_command_line(arguments, kTable, unknown, "--klog.");
}

TEST(CommandLine, TakesValuesAfterABlankOrAnEqualsSign) {
  const CommandLine line = read({"--config", "a", "-c=b", "--nodename=x=y", "word"});

  EXPECT_THAT(line.errors, IsEmpty());
  EXPECT_EQ(*line.find("--config"), "b");  // the last one counts
  EXPECT_EQ(*line.find("--nodename"), "x=y");
  EXPECT_THAT(line.words, ElementsAre("word"));
}

TEST(CommandLine, TakesSwitchesWithAndWithoutAValue) {
  EXPECT_TRUE(read({"--standalone"}).is_set("--standalone"));
  EXPECT_FALSE(read({"--standalone=false"}).is_set("--standalone"));
  EXPECT_TRUE(read({"--standalone=T"}).is_set("--standalone"));
  EXPECT_FALSE(read({"--standalone", "false"}).is_set("--standalone"));
  EXPECT_THAT(read({"--standalone", "true"}).words, IsEmpty());
  EXPECT_THAT(read({"--standalone=maybe"}).errors,
              ElementsAre("--standalone is true or false, not \"maybe\""));
}

TEST(CommandLine, SaysWhichValueIsMissing) {
  EXPECT_THAT(read({"--config"}).errors, ElementsAre("--config wants a value: --config FILE"));
}

TEST(CommandLine, SuggestsTheFlagThatWasMeant) {
  EXPECT_THAT(read({"--nodenmae", "x"}).errors,
              ElementsAre("unknown flag --nodenmae; did you mean \"--nodename\"?"));
  EXPECT_THAT(read({"-x"}).errors, ElementsAre("unknown flag -x"));
}

TEST(CommandLine, KeepsFlagsThatAPluginMayKnow) {
  const CommandLine line =
      read({"--sce-project-name", "web", "--sce-debug", "--sce-x=1"}, UnknownFlags::Kept);

  EXPECT_THAT(line.errors, IsEmpty());
  EXPECT_EQ(line.unknown.at("--sce-project-name"), "web");
  EXPECT_EQ(line.unknown.at("--sce-debug"), "true");
  EXPECT_EQ(line.unknown.at("--sce-x"), "1");
  EXPECT_THAT(read({"--standalon"}, UnknownFlags::Kept).errors,
              ElementsAre("unknown flag --standalon; did you mean \"--standalone\"?"));
}

TEST(CommandLine, KeepsTheIgnoredPrefixAlways) {
  EXPECT_THAT(read({"--klog.v=2"}).errors, IsEmpty());
}

TEST(CommandLine, TakesEverythingAfterTwoHyphensAsWords) {
  EXPECT_THAT(read({"--", "--config", "-"}).words, ElementsAre("--config", "-"));
}

TEST(CommandLine, NoticesARequestForHelp) {
  EXPECT_TRUE(read({"-h"}).wants_help);
  EXPECT_TRUE(read({"--help"}).wants_help);
}

}  // namespace
}  // namespace vkhost::cli
