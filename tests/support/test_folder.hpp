// TestFolder: a folder of its own for one test, below $TMPDIR. It is removed with the object, except
// when the running test has failed: then it stays, and the path is printed. Throws
// std::filesystem::filesystem_error when it cannot be made. [any-thread]
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vkhost::testing {

class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Writes a file in it, readable by its owner only; returns its path.
  [[nodiscard]] std::filesystem::path write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

// Throws std::runtime_error when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace vkhost::testing
