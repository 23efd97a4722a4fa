// Whether the API server can be reached, who answers, and what time it is there. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "doctor/report.hpp"
#include "http/client.hpp"
#include "kube/credentials.hpp"

#include <string>

namespace vkhost::doctor {

// One GET of /version with these credentials over `transport`, which leads to `server`. False when there is
// no point in asking more of it. The clock is compared only with an answer that tells the time.
bool check_server(http::Transport& transport,
                  const std::string& server,
                  const kube::Identity& identity,
                  const Clock& clock,
                  Report& report);

}  // namespace vkhost::doctor
