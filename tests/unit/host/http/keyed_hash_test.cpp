#include "http/keyed_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::http {
namespace {

TEST(KeyedHash, IsHmacSha256) {
  // RFC 4231, test case 2.
  const std::string hash = keyed_hash("Jefe", "what do ya want for nothing?");

  std::string hex;
  for (const char c : hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4U];
    hex += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  EXPECT_EQ(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(KeyedHash, DependsOnTheKey) {
  const std::string key = random_key();

  EXPECT_EQ(key.size(), 32U);
  EXPECT_NE(key, random_key());
  EXPECT_EQ(keyed_hash(key, "x"), keyed_hash(key, "x"));
  EXPECT_NE(keyed_hash(key, "x"), keyed_hash(random_key(), "x"));
  EXPECT_EQ(keyed_hash(key, "").size(), 32U);
}

TEST(ConstantTimeComparison, ComparesAllBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time(std::string("a\0b", 3), std::string("a\0c", 3)));
}

}  // namespace
}  // namespace vkhost::http
