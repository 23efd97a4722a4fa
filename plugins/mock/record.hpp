// A workload as JSON, in the files of the back end. Pure. [any-thread] [no-block]
#pragma once

#include "json.hpp"
#include "workload.hpp"

#include <vkhost/cpp/json.hpp>

namespace vkhost::mock {

void write_workload(sdk::JsonWriter& json, const Workload& workload);

// Throws Error(InvalidArgument) for what write_workload has not written.
[[nodiscard]] Workload read_workload(const Json& json);

}  // namespace vkhost::mock
