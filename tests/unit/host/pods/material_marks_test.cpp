#include "pods/material_marks.hpp"

#include <gtest/gtest.h>

namespace vkhost::pods {
namespace {

using plugin::kChangedFiles;
using plugin::kChangedPullCredentials;
using plugin::kChangedTokens;

constexpr std::uint64_t kAll = kChangedFiles | kChangedTokens | kChangedPullCredentials;
constexpr const char* kOne = R"({"volumes":{"v":{"files":[{"path":"a","data":"MQ=="}]}}})";
constexpr const char* kOther = R"({"volumes":{"v":{"files":[{"path":"a","data":"Mg=="}]}}})";

TEST(MaterialMarks, SpareWhatWasTold) {
  EXPECT_EQ(needless_parts(kAll, marks_of(kOne), marks_of(kOne)),
            kChangedFiles | kChangedPullCredentials);
  EXPECT_EQ(needless_parts(kAll, marks_of(kOther), marks_of(kOne)), kChangedPullCredentials);
}

TEST(MaterialMarks, SpareWhatIsNotThereButNotWhatIsNotKnown) {
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of("{}"), {}), kChangedFiles);
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of(R"({"volumes":{}})"), {}), kChangedFiles);
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of(kOne), {}), 0U);
}

TEST(MaterialMarks, TellOfFilesThatWent) {
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of("{}"), marks_of(kOne)), 0U);
}

TEST(MaterialMarks, NeverSpareTokens) {
  EXPECT_EQ(needless_parts(kChangedTokens, marks_of(kOne), marks_of(kOne)), 0U);
}

TEST(MaterialMarks, TakeOverOnlyTheNamedParts) {
  MaterialMarks told = marks_of(kOne);

  told.take(marks_of(R"({"pull_credentials":[{"server":"r"}]})"), kChangedPullCredentials);

  EXPECT_EQ(told.files, marks_of(kOne).files);
  EXPECT_NE(told.pull_credentials, marks_of(kOne).pull_credentials);
  told.forget(kChangedFiles);
  EXPECT_EQ(told.files, 0U);
}

}  // namespace
}  // namespace vkhost::pods
