#include "base/memory.hpp"

#include "base/cancel.hpp"
#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

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

TEST(ShareHeaps, GivesManyThreadsFewHeaps) {
  share_heaps();
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

  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(::malloc_info(0, file), 0);
  std::rewind(file);
  int heaps = 0;
  std::array<char, 256> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr) {
    heaps += std::string_view(line.data()).starts_with("<heap nr=") ? 1 : 0;
  }
  static_cast<void>(std::fclose(file));
  EXPECT_LE(heaps, 2);
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
