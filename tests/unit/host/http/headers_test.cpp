#include "http/client.hpp"

#include <gtest/gtest.h>

namespace vkhost::http {
namespace {

TEST(FindHeader, IgnoresCaseAndTakesTheFirst) {
  const Headers headers = {{"Content-Type", "a"}, {"content-type", "b"}, {"X", "c"}};

  EXPECT_EQ(find_header(headers, "CONTENT-TYPE"), "a");
  EXPECT_EQ(find_header(headers, "x"), "c");
  EXPECT_EQ(find_header(headers, "Content"), "");
  EXPECT_EQ(find_header({}, "X"), "");
}

}  // namespace
}  // namespace vkhost::http
