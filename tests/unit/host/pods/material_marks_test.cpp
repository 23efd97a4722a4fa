#include "pods/material_marks.hpp"

#include <gtest/gtest.h>

namespace vkhost::pods {
namespace {

using plugin::kChangedFiles;
using plugin::kChangedPullCredentials;
using plugin::kChangedTokens;

constexpr std::uint64_t kAll = kChangedFiles | kChangedTokens | kChangedPullCredentials;
constexpr const char* kOne = R"({"volumes":{"v":{"files":[{"path":"a","data":"MQ=="}]}}})";
constexpr const char* kToken =
    R"({"volumes":{"v":{"files":[{"path":"t","data":"MQ==","audience":"vault"}]}}})";
constexpr const char* kOther = R"({"volumes":{"v":{"files":[{"path":"a","data":"Mg=="}]}}})";

TEST(MaterialMarks, SpareWhatWasTold) {
  constexpr std::uint64_t kOfFiles = kChangedFiles | kChangedPullCredentials;
  EXPECT_EQ(needless_parts(kOfFiles, marks_of(kOne), marks_of(kOne)), kOfFiles);
  EXPECT_EQ(needless_parts(kOfFiles, marks_of(kOther), marks_of(kOne)), kChangedPullCredentials);
}

TEST(MaterialMarks, SpareWhatIsNotThereButNotWhatIsNotKnown) {
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of("{}"), {}), kChangedFiles);
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of(R"({"volumes":{}})"), {}), kChangedFiles);
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of(kOne), {}), 0U);
}

TEST(MaterialMarks, TellOfFilesThatWent) {
  EXPECT_EQ(needless_parts(kChangedFiles, marks_of("{}"), marks_of(kOne)), 0U);
}

TEST(MaterialMarks, SpareTokensOnlyWhereThereAreNone) {
  EXPECT_EQ(needless_parts(kAll, marks_of(kToken), marks_of(kToken)),
            kChangedFiles | kChangedPullCredentials);
  for (const char* const without :
       {"{}", kOne, R"({"volumes":{"audience":{"files":[]}}})",
        R"({"volumes":{"v":{"files":[{"path":"\"audience\":\"","data":""}]}}})"}) {
    EXPECT_EQ(needless_parts(kChangedTokens, marks_of(without), {}), kChangedTokens) << without;
  }
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
