// Kubeconfig files, YAML or JSON, to a Connection.
//
// Called once at start-up. INVALID_ARGUMENT names the file, the line where there is one, and the
// entry; NOT_FOUND when there is no file. [startup] [may-block]
#pragma once

#include "base/status.hpp"
#include "kube/connection.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kube {

// The files that a value of $KUBECONFIG names (separated by ':').
[[nodiscard]] std::vector<std::filesystem::path> split_kubeconfig_list(std::string_view list);

// Several files are read as one: of two entries with the same name, and of two current contexts, the
// first counts. Of several files some may be missing; a single one must be there. `context` empty:
// the current one.
Result<Connection> load_kubeconfig(const std::vector<std::filesystem::path>& files,
                                   const std::string& context);

}  // namespace vkhost::kube
