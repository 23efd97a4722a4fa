// What a daemon is brought to do in order to end at one failure point after another, and what must have
// come of it once another daemon has taken over.
#pragma once

#include "cluster/node_under_test.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

// When the failure point is set.
enum class Crashes {
  WhenProvoked,   // after prepare(), before provoke()
  AtFirstStart,   // before anything
  AtSecondStart,  // after prepare() the daemon is killed, and started again after provoke()
};

struct Story {
  std::string_view name;
  std::vector<std::string_view> points;  // of tests/crashing/failure_points.hpp
  Crashes crashes = Crashes::WhenProvoked;
  std::string mock = {};  // TOML: settings of the provider
  std::string more = {};  // TOML: tables of the daemon
  void (*prepare)(NodeUnderTest& node) = [](NodeUnderTest&) {};
  void (*provoke)(NodeUnderTest& node) = [](NodeUnderTest&) {};
  void (*expect)(NodeUnderTest& node) = [](NodeUnderTest&) {};  // waits for it
  int creations = 1;        // workloads that were made of each pod
  std::size_t handles = 1;  // that a pod has borne, at most
};

[[nodiscard]] const std::vector<Story>& crash_stories();

}  // namespace vkhost::testing
