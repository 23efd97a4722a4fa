// What the mock's back end holds of a pod. Nothing runs anywhere: a workload is a script of what is
// to happen and the instant at which it began, and what it looks like now is computed from the two
// (timeline.hpp). So it goes on "running" while no daemon is there to watch. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::mock {

// Milliseconds: durations, and instants since 1970 (UTC).
using Millis = std::int64_t;

enum class RestartPolicy { Always, OnFailure, Never };

// A sidecar is an init container with restartPolicy Always: it runs as long as the others do.
enum class ContainerKind { Init, Sidecar, Regular, Ephemeral };

// A run of a container that is over.
struct Run {
  Millis began = 0;
  Millis ended = 0;
  int code = 0;
};

struct Container {
  std::string name;
  std::string image;
  ContainerKind kind = ContainerKind::Regular;
  // Of a container that was replaced since (by a change of its image), or that came later.
  std::optional<Millis> since;  // its first run begins here, not with the pod
  int restarts = 0;             // before that
  std::optional<Run> last;      // the last run before that
};

enum class FailStage {
  Create,  // create_pod fails
  Start,   // create_pod succeeds, the failure is pushed when the pod should start
};

// A failure as a rule describes it; numbers as in sdk::Code, Retry, Effect and Scope.
struct Fault {
  FailStage stage = FailStage::Create;
  std::int32_t code = 0;
  std::string reason;
  std::string message;
  std::int32_t retry = 0;
  Millis retry_after = 0;
  std::int32_t effect = 0;
  std::int32_t scope = 0;
  std::int64_t tries = 0;  // so many creates fail; 0: all
};

// Containers end by themselves.
struct Exit {
  int code = 0;
  Millis after = 0;
  std::int64_t times = 0;  // so many runs end, the next goes on; 0: all
  Millis restart_delay = 1000;
  std::string container;  // the one that ends; empty: all regular ones
};

struct Unready {
  Millis after = 0;
  Millis length = 0;  // 0: for ever
};

// The back end wants the pod to go, and asks the host to evict it.
struct Evict {
  Millis after = 0;
  std::string reason;
  std::string message;
  std::optional<Millis> grace;  // none: the pod's own
};

enum class Lie {
  None,
  Nonsense,         // the status is not JSON
  WrongContainers,  // it speaks of containers that are not in the spec
  OldSeq,           // after the true status comes an older one
};

// The script of a workload, all random delays drawn.
struct Course {
  Millis start_delay = 0;
  std::optional<Fault> start_fault;
  std::optional<Exit> exit;
  std::optional<Unready> unready;
  std::optional<Millis> vanish_after;
  std::optional<Evict> evict;
  Millis stop_delay = 0;
  Lie lie = Lie::None;
};

struct Workload {
  std::string uid;
  std::string pod_namespace;
  std::string name;
  std::string ip;   // empty with hostNetwork
  int attempt = 1;  // grows when a lost workload is made again
  RestartPolicy restart_policy = RestartPolicy::Always;
  std::vector<Container> containers;  // init containers first, in order
  Course course;
  Millis accepted = 0;
  std::optional<Millis> stop_at;  // after delete_pod: then the containers end
  bool killed = false;            // the grace was shorter than the stop delay
};

}  // namespace vkhost::mock
