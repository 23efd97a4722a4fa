// Fresh copies of built plugins in a folder of the test's own: a library is loaded once per process
// and file, so each test that loads one takes a copy. [any-thread]; what goes wrong ends the test
// with an exception.
#pragma once

#include "support/places.hpp"
#include "support/test_folder.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace vkhost::testing {

class PluginFiles {
 public:
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  // A copy of tests/fixtures/NAME.so, or of another file, called vkhost-NAME.so.
  std::filesystem::path fixture(std::string_view name) const {
    return copy(fixture_path(name), name);
  }
  std::filesystem::path copy(const std::filesystem::path& from, std::string_view name) const {
    namespace fs = std::filesystem;
    fs::path to = folder() / ("vkhost-" + std::string(name) + ".so");
    fs::copy_file(from, to);
    fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write);
    return to;
  }

 private:
  TestFolder folder_;
};

}  // namespace vkhost::testing
