#include "cli/command.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vkhost::cli {
namespace {

TEST(Commands, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Command& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second);
    EXPECT_TRUE(command.alias.empty() || names.insert(command.alias).second);
  }
  EXPECT_EQ(find_command("providers"), find_command("plugins"));
  EXPECT_EQ(find_command("nothing"), nullptr);
}

TEST(HelpText, NamesEveryCommandFlagAndExitCode) {
  const std::string all = help_text();
  for (const Command& command : commands()) {
    if (command.summary.empty()) {
      continue;
    }
    EXPECT_NE(all.find("\n  " + std::string(command.name) + ' '), std::string::npos);
    const std::string one = help_text(command);
    for (const Flag& flag : flags_of(command)) {
      if (!flag.text.empty()) {
        EXPECT_NE(one.find(flag.name), std::string::npos) << flag.name;
      }
    }
  }
  for (const ExitCodeMeaning& meaning : exit_code_meanings()) {
    EXPECT_NE(all.find(meaning.meaning), std::string::npos);
  }
}

TEST(HelpText, FitsATerminal) {
  for (const Command& command : commands()) {
    const std::string text = help_text(command);
    std::size_t start = 0;
    for (std::size_t end = 0; (end = text.find('\n', start)) != std::string::npos;
         start = end + 1) {
      EXPECT_LE(end - start, 100U) << text.substr(start, end - start);
    }
  }
}

TEST(CommandReference, NamesTheFlagsOfTheOriginals) {
  const std::string page = command_reference();

  EXPECT_NE(page.find("| `--pod-sync-workers` | `pods.workers` |"), std::string::npos);
  EXPECT_NE(page.find("| `--enable-node-lease` | no effect: leases are always used |"),
            std::string::npos);
  EXPECT_EQ(page.find("reference"), std::string::npos);
}

}  // namespace
}  // namespace vkhost::cli
