#include "config/environment.hpp"

#include "config/keys.hpp"
#include "config/settings_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace vkhost::config {
namespace {

Environment environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(EnvironmentSettings, BecomeKeys) {
  Problems problems;

  const Value root = environment_settings(
      environment({{"KUBELET_PORT", "10260"}, {"DEFAULT_NODE_NAME", "web"}}), problems);

  EXPECT_EQ(*root.find("kubelet")->find("listen")->as<std::string>(), ":10260");
  EXPECT_EQ(*root.find("node")->find("name")->as<std::string>(), "web");
}

TEST(EnvironmentSettings, PreferTheNewerSpelling) {
  Problems problems;

  const Value root = environment_settings(
      environment({{"DEFAULTNODE_NAME", "old"}, {"DEFAULT_NODE_NAME", "new"}}), problems);

  EXPECT_EQ(*root.find("node")->find("name")->as<std::string>(), "new");
}

TEST(EnvironmentSettings, WarnOfVariablesWithoutEffect) {
  Problems problems;

  environment_settings(environment({{"OCAGENT_ENDPOINT", "agent:1"}}), problems);

  EXPECT_EQ(
      problems.to_string(),
      "environment variable OCAGENT_ENDPOINT: warning: has no effect: traces are not exported\n");
}

TEST(EnvironmentSettings, NameKeysThatExist) {
  for (const EnvironmentVariable& variable : environment_variables()) {
    if (variable.key.empty()) {
      continue;
    }
    Value root(Table{}, Place{});
    put_setting(root, variable.key, Value(Table{}, Place{}));
    Config config;
    Problems problems;
    all_keys().read(root, "", config, problems);
    for (const Problem& problem : problems.list()) {
      EXPECT_EQ(problem.text.find("unknown key"), std::string::npos) << problem.to_string();
    }
  }
}

}  // namespace
}  // namespace vkhost::config
