// What a workload looks like at an instant: a pure function of its script and of the time, which
// also says when it will look different. [any-thread] [no-block]
#pragma once

#include "workload.hpp"

#include <optional>
#include <vector>

namespace vkhost::mock {

enum class Phase { Pending, Running, Succeeded, Failed };

enum class ContainerState { Waiting, Running, Terminated };

struct ContainerView {
  ContainerState state = ContainerState::Waiting;
  Run run;                   // Running: `began`; Terminated: all of it
  bool by_deletion = false;  // Terminated: ended because the pod was deleted
  int restarts = 0;
  std::optional<Run> last;  // the run before
  bool ready = false;
};

enum class Presence {
  Present,
  FailedToStart,  // it is not there, and the fault of its course says why
  Vanished,       // it is not there, and nobody says why
  Gone,           // it was deleted; the view shows its end
};

struct View {
  Presence presence = Presence::Present;
  bool by_deletion = false;  // it ended because it was deleted
  Phase phase = Phase::Pending;
  std::vector<ContainerView> containers;  // as in the workload
  bool evicts = false;                    // the back end wants it to go
  bool ready = false;                     // all containers that should be ready are
  Millis changed = 0;                     // when that last changed
  std::optional<Millis> next;             // the workload looks different from then on
};

[[nodiscard]] View observe(const Workload& workload, Millis now);

}  // namespace vkhost::mock
