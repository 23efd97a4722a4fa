#include "config/complete.hpp"

#include "config/load.hpp"
#include "config/settings_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace vkhost::config {
namespace {

// A configuration without a file, given by dotted keys; HOME is set.
struct Fixture {
  Sources sources;
  std::map<std::string, std::string> variables{{"HOME", "/home/me"}};

  Fixture() {
    sources.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    given("provider.name", "mock");
  }
  void given(std::string_view key, std::string text) {
    put_setting(sources.flags, key, Value(std::move(text), place_of_setting("flag")));
  }
};

TEST(Completion, MakesOneNodeWithTheOnlyProviderAndTheDefaultTaint) {
  Fixture fixture;

  const Loaded loaded = load(fixture.sources);

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  ASSERT_EQ(loaded.config.nodes.size(), 1U);
  const NodeConfig& node = loaded.config.nodes[0];
  EXPECT_EQ(node.name, "virtual-kubelet");
  EXPECT_EQ(node.provider, "mock");
  EXPECT_EQ(node.port, 10250);
  EXPECT_EQ(node.taints,
            (std::vector<Taint>{{"virtual-kubelet.io/provider", "mock", "NoSchedule"}}));
  EXPECT_EQ(loaded.config.kubernetes.kubeconfig, "/home/me/.kube/config");
}

TEST(Completion, NamesAProviderAfterItsLibrary) {
  Fixture fixture;
  fixture.given("provider.name", "");
  fixture.given("provider.library", "/opt/vkhost-salad.so");

  const Loaded loaded = load(fixture.sources);

  EXPECT_EQ(loaded.config.providers[0].name, "salad");
}

TEST(Completion, LetsTheTaintBeSwitchedOff) {
  Fixture fixture;
  put_setting(fixture.sources.flags, "default_taint.enabled", Value(false, Place{}));

  const Loaded loaded = load(fixture.sources);

  EXPECT_EQ(loaded.config.nodes[0].taints, std::vector<Taint>{});
}

TEST(Completion, ListensOnLoopbackOnlyWhenStandalone) {
  Fixture fixture;
  put_setting(fixture.sources.flags, "standalone.enabled", Value(true, Place{}));
  fixture.given("standalone.manifests", "/pods");

  const Loaded loaded = load(fixture.sources);

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  EXPECT_EQ(loaded.config.kubelet.listen, (Listen{"127.0.0.1", 10250, 10250, false}));
}

TEST(Completion, GivesPortsThatNoOtherNodeHas) {
  Fixture fixture;
  Array nodes;
  for (const std::string name : {"a", "b", "c"}) {
    Value node(Table{}, Place{});
    put_setting(node, "name", Value(name, Place{}));
    nodes.push_back(std::move(node));
  }
  put_setting(nodes[2], "port", Value(std::int64_t{10251}, Place{}));
  put_setting(fixture.sources.flags, "node", Value(std::move(nodes), Place{}));

  const Loaded loaded = load(fixture.sources);

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  EXPECT_EQ(loaded.config.nodes[0].port, 10250);
  EXPECT_EQ(loaded.config.nodes[1].port, 10252);
  EXPECT_EQ(loaded.config.nodes[2].port, 10251);
}

TEST(Completion, PicksFoldersAfterTheUser) {
  Fixture fixture;
  EXPECT_EQ(load(fixture.sources).config.paths.state, "/home/me/.local/state/vkhost");

  fixture.variables["XDG_RUNTIME_DIR"] = "/run/user/1000";
  EXPECT_EQ(load(fixture.sources).config.paths.runtime, "/run/user/1000/vkhost");

  fixture.sources.is_root = true;
  EXPECT_EQ(load(fixture.sources).config.paths.state, "/var/lib/vkhost");

  fixture.variables["STATE_DIRECTORY"] = "/var/lib/private/vkhost";
  EXPECT_EQ(load(fixture.sources).config.paths.state, "/var/lib/private/vkhost");
}

TEST(Completion, SaysWhenNoFolderCanBeFound) {
  Fixture fixture;
  fixture.variables.clear();

  EXPECT_TRUE(load(fixture.sources).problems.has_errors());
}

TEST(Completion, AnEmptyKubeconfigMeansTheServiceAccount) {
  Fixture fixture;
  fixture.given("kubernetes.kubeconfig", "");

  EXPECT_EQ(load(fixture.sources).config.kubernetes.kubeconfig, "");
}

TEST(Completion, RefusesHalfOfWhatIsCounted) {
  Fixture fixture;
  fixture.given("node.capacity.pods", "1.5");
  fixture.given("node.allocatable.cpu", "1.5");

  const Loaded loaded = load(fixture.sources);

  ASSERT_EQ(loaded.problems.list().size(), 1U) << loaded.problems.to_string();
  EXPECT_TRUE(loaded.problems.has_errors());
  EXPECT_EQ(loaded.problems.list()[0].key, "node.capacity.pods");
}

TEST(Completion, WarnsOfANodeNameThatIsNoLabel) {
  Fixture fixture;
  fixture.given("node.name", std::string(63, 'a'));
  EXPECT_TRUE(load(fixture.sources).problems.empty());
  fixture.given("node.name", std::string(64, 'a'));

  const Loaded loaded = load(fixture.sources);

  EXPECT_FALSE(loaded.problems.has_errors());
  EXPECT_NE(loaded.problems.to_string().find("kubernetes.io/hostname"), std::string::npos);
}

TEST(Completion, WarnsOfAPingThatMayHangForLong) {
  Fixture fixture;
  fixture.given("node.ping_timeout", "1m");
  EXPECT_TRUE(load(fixture.sources).problems.empty());
  fixture.given("node.ping_timeout", "61s");

  const Loaded loaded = load(fixture.sources);

  ASSERT_EQ(loaded.problems.list().size(), 1U);
  EXPECT_FALSE(loaded.problems.has_errors());
  EXPECT_EQ(loaded.problems.list()[0].key, "node.ping_timeout");
}

}  // namespace
}  // namespace vkhost::config
