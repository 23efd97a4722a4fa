#include "config/reference.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::config {
namespace {

TEST(ReferencePage, ShowsTypeRangeDefaultAndMeaning) {
  const std::string page = reference_page();

  EXPECT_NE(page.find("| `workers` | integer: 1 to 1000 | `16` | Provider calls"),
            std::string::npos);
  EXPECT_NE(page.find("| `config_version` | integer: 1 | **required** |"), std::string::npos);
  EXPECT_NE(page.find("## `[node]` or `[[node]]`"), std::string::npos);
  EXPECT_NE(page.find("| `KUBELET_PORT` | `kubelet.listen` |"), std::string::npos);
}

}  // namespace
}  // namespace vkhost::config
