#include "cli/load_config.hpp"

#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>

namespace vkhost::cli {
namespace {

struct Fixture {
  testing::TestFolder folder;
  std::map<std::string, std::string> variables;
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal{out, err,
                    [this](const std::string& name) {
                      const auto found = variables.find(name);
                      return found == variables.end() ? std::nullopt : std::optional(found->second);
                    },
                    "", false};
};

TEST(ConfigFile, IsTheOneNamedBeforeAllOthers) {
  Fixture fixture;
  fixture.variables["VKHOST_CONFIG"] = "/variable.toml";
  const std::string named = "named.toml";

  EXPECT_EQ(config_file(&named, fixture.terminal), "named.toml");
  EXPECT_EQ(config_file(nullptr, fixture.terminal), "/variable.toml");
}

TEST(ConfigFile, IsTheUsersIfThereIsOne) {
  Fixture fixture;
  fixture.variables["HOME"] = fixture.folder.path().string();
  std::filesystem::create_directories(fixture.folder.path() / ".config/vkhost");
  const auto file = fixture.folder.write(".config/vkhost/vkhost.toml", "config_version = 1\n");

  EXPECT_EQ(config_file(nullptr, fixture.terminal), file);
}

TEST(ShowProblems, CountsErrors) {
  Fixture fixture;
  config::Problems problems;
  problems.error({}, "a", "wrong");
  problems.warning({}, "b", "odd");

  show_problems(problems, fixture.terminal);

  EXPECT_EQ(fixture.err.str(),
            "configuration: a: wrong\nconfiguration: warning: b: odd\n"
            "vkhost: the configuration has 1 error\n");
}

}  // namespace
}  // namespace vkhost::cli
