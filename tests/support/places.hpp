// Where a test finds what the build made and what the source tree holds, worked out from the
// place of the test executable (BUILD/tests/NAME, with BUILD = SOURCE/build/PRESET), so that no
// path is compiled in. [any-thread]. A missing /proc ends the test with an exception.
#pragma once

#include <filesystem>
#include <string_view>

namespace vkhost::testing {

std::filesystem::path build_dir();
std::filesystem::path source_dir();

// The daemon, a plugin by its short name ("mock"), a plugin of tests/fixtures by its name.
std::filesystem::path daemon_path();
std::filesystem::path crashing_daemon_path();  // with failure points, see tests/crashing
std::filesystem::path plugin_path(std::string_view name);
std::filesystem::path fixture_path(std::string_view name);

}  // namespace vkhost::testing
