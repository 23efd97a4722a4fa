#include "base/version.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace vkhost {
namespace {

TEST(DaemonVersion, IsSemantic) {
  const std::string version(daemon_version());

  EXPECT_TRUE(std::regex_match(version, std::regex(R"(\d+\.\d+\.\d+)"))) << version;
}

}  // namespace
}  // namespace vkhost
