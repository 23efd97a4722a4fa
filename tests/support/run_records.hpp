// What the tests of one run of ctest leave behind to be looked through at its end, by tools/scan_secrets:
// logs, Events and journals that a test would else remove. They lie in the folder `records` beside
// $VKHOST_CLUSTER, which goes with the next start of that control plane; for a test that is run by hand
// nothing is kept. What cannot be written is told on stderr.
// [any-thread] [may-block]
#pragma once

#include <filesystem>
#include <string_view>

namespace vkhost::testing {

// Under that name and a number. A file that does not exist is none.
void keep_file(const std::filesystem::path& file, std::string_view name);
void keep_text(std::string_view text, std::string_view name);

}  // namespace vkhost::testing
