#include "kube/text_file.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::kube {
namespace {

using ::testing::HasSubstr;
using vkhost::testing::TestFolder;

TEST(ReadTextFile, ReadsItWhole) {
  const TestFolder folder;
  const std::string text(100'000, 'x');

  EXPECT_EQ(*read_text_file(folder.write("a", text)), text);
  EXPECT_EQ(*read_text_file(folder.write("b", "")), "");
}

TEST(ReadTextFile, SaysWhichFileAndWhy) {
  const TestFolder folder;

  const Status missing = read_text_file(folder.path() / "none").status();
  EXPECT_EQ(missing.code(), StatusCode::NotFound);
  EXPECT_THAT(missing.message(), HasSubstr((folder.path() / "none").string()));
  EXPECT_EQ(read_text_file(folder.path()).status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(read_text_file(folder.write("large", "12345"), 4).status().code(),
            StatusCode::ResourceExhausted);
}

}  // namespace
}  // namespace vkhost::kube
