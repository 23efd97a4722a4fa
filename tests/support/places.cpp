#include "support/places.hpp"

#include <string>

namespace vkhost::testing {

namespace fs = std::filesystem;

fs::path build_dir() { return fs::read_symlink("/proc/self/exe").parent_path().parent_path(); }

fs::path source_dir() { return build_dir().parent_path().parent_path(); }

fs::path daemon_path() { return build_dir() / "bin" / "vkhost"; }

fs::path crashing_daemon_path() { return build_dir() / "tests" / "vkhost-crashing"; }

fs::path plugin_path(std::string_view name) {
  return build_dir() / "lib/vkhost/plugins" / ("vkhost-" + std::string(name) + ".so");
}

fs::path fixture_path(std::string_view name) {
  return build_dir() / "tests/fixtures" / (std::string(name) + ".so");
}

}  // namespace vkhost::testing
