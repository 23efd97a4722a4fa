#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <stdlib.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace vkhost::testing {
namespace fs = std::filesystem;

TestFolder::TestFolder() {
  std::string name = fs::temp_directory_path() / "vkhost-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw fs::filesystem_error("making a folder for a test", name,
                               std::error_code(errno, std::generic_category()));
  }
  path_ = name;
}

TestFolder::~TestFolder() {
  if (::testing::Test::HasFailure()) {
    std::cerr << "kept: " << path_.native() << '\n';
    return;
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TestFolder::write(std::string_view name, std::string_view text) const {
  const fs::path path = path_ / name;
  std::ofstream file(path, std::ios::binary);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  file << text;
  file.close();
  if (!file) {
    throw std::runtime_error("cannot write " + path.native());
  }
  return path;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path.native());
  }
  std::ostringstream text;
  text << file.rdbuf();  // by whole buffers: some files have a hundred megabytes
  return std::move(text).str();
}

}  // namespace vkhost::testing
