// Reading one small text file whole. [any-thread] [may-block]
#pragma once

#include "base/status.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace vkhost::kube {

// NOT_FOUND when there is none, RESOURCE_EXHAUSTED when it is larger than `max_bytes`, else
// FAILED_PRECONDITION; the message names the file and what the system said.
Result<std::string> read_text_file(const std::filesystem::path& file,
                                   std::size_t max_bytes = std::size_t{4} * 1024 * 1024);

}  // namespace vkhost::kube
