#include "config/problem.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace vkhost::config {
namespace {

Place at(std::uint32_t line, std::uint32_t column) {
  auto source = std::make_shared<Source>();
  source->name = "a.toml";
  source->has_lines = true;
  return {source, line, column};
}

TEST(Problems, AreSortedByLineWithoutRepetitions) {
  Problems problems;
  problems.error(at(10, 1), "b", "wrong");
  problems.warning(at(9, 3), "", "odd");
  problems.error(at(10, 1), "b", "wrong");

  problems.sort();

  EXPECT_EQ(problems.to_string(), "a.toml:9:3: warning: odd\na.toml:10:1: b: wrong\n");
}

TEST(Problems, HaveNoErrorsWhenThereAreOnlyWarnings) {
  Problems problems;
  problems.warning(at(1, 1), "a", "odd");

  EXPECT_FALSE(problems.has_errors());
  EXPECT_FALSE(problems.empty());
}

}  // namespace
}  // namespace vkhost::config
