#include "resolve/expand.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace vkhost::resolve {
namespace {

const std::map<std::string, Value, std::less<>>& variables() {
  static const std::map<std::string, Value, std::less<>> map = {
      {"A", {"A", false}},         {"B", {"bee", false}},      {"EMPTY", {"", false}},
      {"REF", {"$(A)", false}},    {"DOLLARS", {"$$", false}}, {"PASSWORD", {"sesame", true}},
      {"odd name", {"odd", false}}};
  return map;
}

Result<Value> expanded(std::string_view text, std::size_t max_bytes = 1000) {
  return expand(
      text,
      [](std::string_view name) -> const Value* {
        const auto found = variables().find(name);
        return found == variables().end() ? nullptr : &found->second;
      },
      max_bytes);
}

struct Case {
  const char* text;
  const char* result;
};

class Expand : public ::testing::TestWithParam<Case> {};

TEST_P(Expand, FollowsTheRulesOfKubernetes) {
  const auto value = expanded(GetParam().text);

  ASSERT_TRUE(value.is_ok());
  EXPECT_EQ(value->text, GetParam().result) << "from " << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(References,
                         Expand,
                         ::testing::Values(Case{"", ""},
                                           Case{"plain", "plain"},
                                           Case{"$(A)", "A"},
                                           Case{"-$(A)-$(B)-", "-A-bee-"},
                                           Case{"$(A)$(A)", "AA"},
                                           Case{"[$(EMPTY)]", "[]"},
                                           Case{"$(odd name)", "odd"},
                                           Case{"$(REF)", "$(A)"},  // not looked at again
                                           Case{"$(DOLLARS)(A)", "$$(A)"},
                                           Case{"$(UNKNOWN)", "$(UNKNOWN)"},
                                           Case{"$()", "$()"},
                                           Case{"$(A", "$(A"},
                                           Case{"a)$(", "a)$("},
                                           Case{"$(A$(B))", "$(A$(B))"},
                                           Case{"$($(A))", "$($(A))"},
                                           Case{"$($(A)B)", "$($(A)B)"},
                                           Case{"$($($(", "$($($("},
                                           Case{"((A))", "((A))"}));

INSTANTIATE_TEST_SUITE_P(Dollars,
                         Expand,
                         ::testing::Values(Case{"$", "$"},
                                           Case{"$$", "$"},
                                           Case{"$$$", "$$"},
                                           Case{"a$", "a$"},
                                           Case{"$A", "$A"},
                                           Case{"$?", "$?"},
                                           Case{"${A}", "${A}"},
                                           Case{"$$(A)", "$(A)"},
                                           Case{"$$$(A)", "$A"},
                                           Case{"$$$$(A)", "$$(A)"},
                                           Case{"$$$$$$(A)", "$$$(A)"},
                                           Case{"$$$$$$$(A)", "$$$A"},
                                           Case{"$$$$$$$", "$$$$"},
                                           Case{"$(A)$$(A)", "A$(A)"},
                                           Case{"$$UNKNOWN$$", "$UNKNOWN$"},
                                           Case{"foo$$bar", "foo$bar"}));

TEST(Expand, IsSecretOnceASecretValueWentIn) {
  EXPECT_TRUE(expanded("user:$(PASSWORD)")->secret);
  EXPECT_FALSE(expanded("user:$$(PASSWORD)")->secret);
  EXPECT_FALSE(expanded("$(A)")->secret);
}

TEST(Expand, StopsAtTheLimit) {
  EXPECT_TRUE(expanded("$(B)$(B)", 6).is_ok());
  const auto value = expanded("$(B)$(B)", 5);

  EXPECT_EQ(value.status().code(), StatusCode::FailedPrecondition);
}

TEST(Expand, TakesLinearTimeForManyOpenings) {
  std::string text;
  for (int i = 0; i < 500'000; ++i) {
    text += "$(";
  }

  const auto value = expanded(text, 2'000'000);

  EXPECT_EQ(value->text, text);
}

TEST(Expand, KeepsAnyBytes) {
  using namespace std::string_literals;
  EXPECT_EQ(expanded("\0$\0\xFF$(A)"s)->text,
            "\0$\0\xFF"
            "A"s);
}

}  // namespace
}  // namespace vkhost::resolve
