// This machine's clock against that of the API server, as its answers tell the time. [any-thread]
// [no-block]
#pragma once

#include "base/clock.hpp"
#include "doctor/report.hpp"

#include <string_view>

namespace vkhost::doctor {

// `date` is the header Date of an answer (RFC 9110 §6.6.1, whole seconds) to a request that was sent at
// `sent` and answered at `received`, both by this machine's clock. What the seconds and the time on the
// way leave open is not held against the clock.
void check_clock(std::string_view date, WallTime sent, WallTime received, Report& report);

}  // namespace vkhost::doctor
