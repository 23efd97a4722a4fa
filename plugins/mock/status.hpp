// A view of a workload as v1.PodStatus JSON. Pure. [any-thread] [no-block]
//
// Ready, PodScheduled, hostIP and qosClass are left to the host, which knows readiness gates and
// addresses; the mock tells what only a back end can know.
#pragma once

#include "timeline.hpp"
#include "workload.hpp"

#include <string>

namespace vkhost::mock {

[[nodiscard]] std::string render_status(const Workload& workload, const View& view);

// What a back end that lies would say instead: its course says how.
[[nodiscard]] std::string render_lie(const Workload& workload, const View& view);

// The status of a workload that has not started: what the host must not take for news.
[[nodiscard]] std::string render_pending(const Workload& workload);

}  // namespace vkhost::mock
