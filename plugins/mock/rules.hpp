// Rules: which pods meet which fate. A rule matches pods and names what happens to them; of all
// rules that match, for each kind of event the first that names it counts. Annotations of the pod
// come before all rules. Parsing throws Error(InvalidArgument); the rest is pure. [any-thread]
#pragma once

#include "json.hpp"
#include "translate.hpp"
#include "workload.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::mock {

inline constexpr std::string_view kAnnotationPrefix = "mock.vkhost.io/";

// create_pod does not return, for a while or until it is cancelled.
struct Hang {
  Millis length = 0;  // 0: until it is cancelled
  bool ignore_cancel = false;
  std::int64_t tries = 0;  // so many creates hang; 0: all
};

// "unavailable" and the like, as rules name them; "ok".
[[nodiscard]] std::string_view code_name(std::int32_t code);

// How update_pod answers, as sdk::UpdateOutcome; parts that a rule does not name are applied.
struct UpdateFate {
  std::int32_t image = 1;
  std::int32_t resources = 1;
  std::int32_t ephemeral_containers = 1;
  std::string message;
};

// What a rule does. What it does not name is empty.
struct Actions {
  std::optional<Millis> start_delay;
  std::optional<Fault> fail;
  std::optional<Hang> hang;
  std::optional<Exit> exit;
  std::optional<Unready> unready;
  std::optional<Millis> vanish_after;
  std::optional<Evict> evict;
  std::optional<Millis> stop_delay;
  std::optional<Lie> lie;
  std::optional<UpdateFate> update;
  Millis jitter = 0;  // each delay of the rule grows by a random part of this
};

// All patterns are shell globs; an empty one matches everything.
struct Match {
  std::string pod_namespace;
  std::string name;
  std::string image;  // of any container
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

struct Rule {
  Match match;
  Actions actions;
};

// Pings fail, as those to a back end that is away for a while.
struct PingFault {
  Millis after = 0;   // so long after the start
  Millis length = 0;  // 0: for ever
  Fault fault;
};

[[nodiscard]] Rule parse_rule(const Json& json);
[[nodiscard]] PingFault parse_ping(const Json& json);
[[nodiscard]] bool matches(const Match& match, const Pod& pod);

// The fate of one pod.
struct Fate {
  std::optional<Fault> fail;  // of create_pod
  std::optional<Hang> hang;
  UpdateFate update;
  Course course;
};

// The same pod (by namespace and name), rules and seed give the same fate. Throws
// Error(InvalidArgument) for an annotation that cannot be read.
[[nodiscard]] Fate decide_fate(const std::vector<Rule>& rules, std::uint64_t seed, const Pod& pod);

}  // namespace vkhost::mock
