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

TEST(Difference, TakesANodeOfAnotherNameForAnotherNode) {
  Config before;
  before.nodes.resize(2);
  before.nodes[0].name = "a";
  before.nodes[1].name = "b";
  Config after = before;
  after.nodes[1].name = "c";
  after.nodes[1].on_lost = OnLost::Wait;

  const std::vector<Change> changes = difference(before, after);

  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].key, "node[1].name");
  EXPECT_EQ(changes[0].reload, Reload::Restart);
}

TEST(WithLiveChanges, LeavesWhatTakesARestartAsItRuns) {
  Config running;
  running.nodes.emplace_back().name = "a";
  Config wanted = running;
  wanted.policies.orphans = Orphans::Delete;
  wanted.pods.backoff_cap = 10s;
  wanted.pods.workers = 3;
  wanted.nodes[0].on_lost = OnLost::Recreate;
  wanted.nodes[0].ping_interval = 3s;

  const Config taken = with_live_changes(running, wanted);

  EXPECT_EQ(taken.policies.orphans, Orphans::Delete);
  EXPECT_EQ(taken.pods.backoff_cap, 10s);
  EXPECT_EQ(taken.pods.workers, running.pods.workers);
  EXPECT_EQ(taken.nodes[0].on_lost, OnLost::Recreate);
  EXPECT_EQ(taken.nodes[0].ping_interval, running.nodes[0].ping_interval);
}

TEST(WithLiveChanges, SoAChangeThatIsTakenBackIsAChangeAgain) {
  const Config first;
  Config second;
  second.policies.on_lost = OnLost::Wait;
  second.pods.workers = 3;
  const Config running = with_live_changes(first, second);

  const std::vector<Change> back = difference(running, first);

  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].key, "policies.on_lost");
}

TEST(WithLiveChanges, GivesNothingToANodeOfAnotherName) {
  Config running;
  running.nodes.emplace_back().name = "a";
  Config wanted;
  wanted.nodes.emplace_back().name = "b";
  wanted.nodes[0].on_lost = OnLost::Recreate;

  EXPECT_FALSE(with_live_changes(running, wanted).nodes[0].on_lost.has_value());
}

}  // namespace
}  // namespace vkhost::config
