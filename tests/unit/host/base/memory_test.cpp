#include "base/memory.hpp"

#include "base/cancel.hpp"
#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

int heaps() {
  std::FILE* file = std::tmpfile();
  if (file == nullptr || ::malloc_info(0, file) != 0) {
    throw std::runtime_error("malloc_info failed");
  }
  std::rewind(file);
  int count = 0;
  std::array<char, 256> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr) {
    count += std::string_view(line.data()).starts_with("<heap nr=") ? 1 : 0;
  }
  static_cast<void>(std::fclose(file));
  return count;
}

TEST(ShareHeaps, GivesManyThreadsFewHeaps) {
  share_heaps();
  const int before = heaps();  // more than two where other tests of this process had threads
  // All at the same time: a heap that its thread has left is used again anyway.
  constexpr int kThreads = 16;
  std::atomic<int> have_allocated{0};
  CancelSource all_have;
  std::vector<Thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back("allocates", [&] {
      EXPECT_NE(std::make_unique<std::string>(1000, 'x'), nullptr);
      if (++have_allocated == kThreads) {
        all_have.cancel();
      }
      EXPECT_TRUE(all_have.token().wait_for(std::chrono::minutes{1}));
    });
  }
  threads.clear();

  EXPECT_LE(heaps(), std::max(before, 2));
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
