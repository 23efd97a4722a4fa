#include "base/suggest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost {
namespace {

TEST(ClosestWord, FindsMistypedWords) {
  EXPECT_EQ(closest_word("lisen", {"name", "listen", "level"}), "listen");
  EXPECT_EQ(closest_word("wrokers", {"workers", "writers"}), "workers");
  EXPECT_EQ(closest_word("Client-CA-File", {"client_ca_file"}), "client_ca_file");
}

TEST(ClosestWord, FindsNothingFarAway) {
  EXPECT_EQ(closest_word("banana", {"listen", "level"}), "");
  EXPECT_EQ(closest_word("", {"a"}), "");
  EXPECT_EQ(closest_word(std::string(100'000, 'x'), {"listen"}), "");
}

TEST(DidYouMean, IsEmptyWithoutASuggestion) {
  EXPECT_EQ(did_you_mean("lisen", {"listen"}), "; did you mean \"listen\"?");
  EXPECT_EQ(did_you_mean("banana", {"listen"}), "");
}

}  // namespace
}  // namespace vkhost
