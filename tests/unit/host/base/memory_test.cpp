#include "base/memory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace vkhost {
namespace {

long resident_file_kib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("RssFile:")) {
      return std::stol(line.substr(line.find(':') + 1));
    }
  }
  throw std::runtime_error("no RssFile in /proc/self/status");
}

TEST(ReleaseUnusedMemory, LetsGoOfPagesOfTheProgram) {
  const long before = resident_file_kib();

  release_unused_memory();

  EXPECT_LT(resident_file_kib(), before);
}

TEST(ReleaseUnusedMemory, ChangesNothingThatTheProgramSees) {
  static const std::string written = "before";
  for (int i = 0; i < 3; ++i) {
    release_unused_memory();
    EXPECT_THROW(throw std::runtime_error(written), std::runtime_error);
    EXPECT_EQ(written, "before");
  }
}

}  // namespace
}  // namespace vkhost
