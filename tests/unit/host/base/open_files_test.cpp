#include "base/open_files.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace vkhost {
namespace {

class AllowOpenFiles : public ::testing::Test {
 protected:
  AllowOpenFiles() { EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0); }
  ~AllowOpenFiles() override { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }
  void given_soft_limit(rlim_t soft) const {
    const rlimit limit{soft, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  static rlim_t soft_limit() {
    rlimit limit{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur;
  }
  rlimit before_{};
};

TEST_F(AllowOpenFiles, RaisesTheLimit) {
  given_soft_limit(128);

  EXPECT_EQ(allow_open_files(200), 200U);
  EXPECT_EQ(soft_limit(), 200U);
}

TEST_F(AllowOpenFiles, NeverLowersIt) {
  given_soft_limit(128);

  EXPECT_EQ(allow_open_files(10), 128U);
  EXPECT_EQ(soft_limit(), 128U);
}

TEST_F(AllowOpenFiles, StopsAtWhatTheSystemAllows) {
  given_soft_limit(128);

  EXPECT_EQ(allow_open_files(before_.rlim_max - 1), before_.rlim_max - 1);
  EXPECT_EQ(allow_open_files(~std::uint64_t{0}), before_.rlim_max);
}

}  // namespace
}  // namespace vkhost
