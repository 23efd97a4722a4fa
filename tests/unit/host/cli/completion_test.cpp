#include "cli/completion.hpp"

#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace vkhost::cli {
namespace {

// What bash offers for a line whose last word is being typed.
std::string offered(const std::string& words, int current) {
  const testing::TestFolder folder;
  const std::string script = folder.write("vkhost.bash", bash_completion()).string();
  const std::string out = (folder.path() / "out").string();
  const std::string command = "bash -c '. " + script + "; COMP_WORDS=(" + words +
                              "); COMP_CWORD=" + std::to_string(current) +
                              "; _vkhost; printf \"%s \" \"${COMPREPLY[@]}\"' >" + out;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
  return testing::read_file(out);
}

TEST(BashCompletion, OffersCommandsFlagsAndValues) {
  EXPECT_EQ(offered("vkhost pl", 1), "plugins ");
  EXPECT_EQ(offered("vkhost get po", 2), "pods ");
  EXPECT_EQ(offered("vkhost run --stand", 2), "--standalone ");
  EXPECT_EQ(offered("vkhost get pods -o j", 4), "json ");
  EXPECT_EQ(offered("vkhost run --log-level w", 3), "warn ");
}

TEST(ZshAndFishCompletion, NameEveryCommand) {
  for (const std::string& script : {zsh_completion(), fish_completion()}) {
    for (const char* name : {"check-config", "providers", "completion", "standalone"}) {
      EXPECT_NE(script.find(name), std::string::npos) << name;
    }
    EXPECT_EQ(script.find("reference"), std::string::npos);
  }
}

}  // namespace
}  // namespace vkhost::cli
