// Whether the addresses that nodes name are this machine's, and whether the ports of the kubelet API are
// free or held by our own daemon. A port is tried by listening on it for a moment. [any-thread] [may-block]
#pragma once

#include "config/config.hpp"
#include "daemon/runtime_file.hpp"
#include "doctor/report.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vkhost::doctor {

// The daemon that runs with this runtime folder, if one does. One that was killed and left its file behind
// is none. PERMISSION_DENIED when it is another user's.
Result<std::optional<daemon::RuntimeFile>> running_daemon(const config::PathsConfig& paths);

// Whether an interface of this machine has it.
[[nodiscard]] bool is_own_address(const std::string& address);

void check_addresses(const config::Config& config,
                     const std::vector<std::string>& advertised,
                     Report& report);

// `running`: none where no daemon runs.
void check_ports(const config::Config& config,
                 const std::optional<daemon::RuntimeFile>& running,
                 Report& report);

}  // namespace vkhost::doctor
