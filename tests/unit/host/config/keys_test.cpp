#include "config/keys.hpp"

#include "config/load.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace vkhost::config {
namespace {

using namespace std::chrono_literals;

void check_description(const KeyDescription& key, const std::string& path) {
  EXPECT_EQ(key.name, snake_case(key.name)) << path;
  EXPECT_FALSE(key.type.empty()) << path;
  EXPECT_TRUE(key.text.ends_with('.') || key.text.ends_with(")."))
      << path << ": a description is a sentence";
  std::set<std::string> names;
  for (const KeyDescription& member : key.members) {
    EXPECT_TRUE(names.insert(member.name).second) << path << '.' << member.name;
    check_description(member, path + '.' + member.name);
  }
}

TEST(AllKeys, AreEachDescribedOnce) {
  for (const KeyDescription& key : all_keys().describe()) {
    check_description(key, key.name);
  }
}

TEST(Difference, NamesChangedKeysAndWhetherTheyTakeARestart) {
  Config before;
  before.nodes.emplace_back();
  Config after = before;
  after.log.level = LogLevel::Debug;
  after.nodes[0].ping_interval = 3s;

  const std::vector<Change> changes = difference(before, after);

  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].key, "node[0].ping_interval");
  EXPECT_EQ(changes[0].reload, Reload::Restart);
  EXPECT_EQ(changes[1].key, "log.level");
  EXPECT_EQ(changes[1].reload, Reload::Live);
}

TEST(Difference, IsEmptyForTheSame) { EXPECT_TRUE(difference(Config{}, Config{}).empty()); }

TEST(Difference, CountsNodes) {
  Config before;
  Config after;
  after.nodes.emplace_back();

  const std::vector<Change> changes = difference(before, after);

  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].key, "node");
}

}  // namespace
}  // namespace vkhost::config
