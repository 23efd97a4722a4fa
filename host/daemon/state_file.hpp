// Small files that must never be seen half-written, and by nobody else. [any-thread] [may-block]
#pragma once

#include "base/status.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace vkhost::daemon {

enum class Durability { Crash, PowerLoss };  // what the content survives, once OK was returned

// Writes a temporary file of mode 0600 and renames it into place.
Status write_state_file(const std::filesystem::path& path,
                        std::string_view text,
                        Durability durability);
// NOT_FOUND when there is no such file.
Result<std::string> read_state_file(const std::filesystem::path& path);
// Creates the folder, private to this user, with the ones above it.
Status make_private_folder(const std::filesystem::path& path);

}  // namespace vkhost::daemon
