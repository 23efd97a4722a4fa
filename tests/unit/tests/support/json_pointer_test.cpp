#include "support/json_pointer.hpp"

#include <gtest/gtest.h>

namespace vkhost::testing {
namespace {

constexpr const char* kPod = R"({
  "metadata": {"annotations": {"example.com/key": "value"}, "finalizers": null},
  "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other"}], "n": 3,
             "ok": true}})";

TEST(JsonPointer, FindsValuesByPointer) {
  EXPECT_EQ(json_at(kPod, "/metadata/annotations/example.com~1key"), "value");
  EXPECT_EQ(json_at(kPod, "/status/conditions/0/type"), "Ready");
  EXPECT_EQ(json_at(kPod, "/status/n"), "3");
  EXPECT_EQ(json_at(kPod, "/status/ok"), "true");
  EXPECT_EQ(json_at(kPod, "/metadata/annotations"), R"({"example.com/key":"value"})");
}

TEST(JsonPointer, GivesNothingForWhatIsNotThere) {
  EXPECT_EQ(json_at(kPod, "/status/conditions/7/type"), "");
  EXPECT_EQ(json_at(kPod, "/status/nothing/below"), "");
  EXPECT_EQ(json_at(kPod, "/metadata/finalizers"), "");
  EXPECT_EQ(json_at(kPod, "/status/n/deeper"), "");
  EXPECT_EQ(json_at("", "/status/n"), "");
}

TEST(JsonPointer, CountsElementsAndMembers) {
  EXPECT_EQ(json_size(kPod, "/status/conditions"), 2);
  EXPECT_EQ(json_size(kPod, "/metadata"), 2);
  EXPECT_EQ(json_size(kPod, "/status/n"), 0);
}

TEST(JsonPointer, ReadsConditions) {
  EXPECT_EQ(condition_of(kPod, "Ready"), "True");
  EXPECT_EQ(condition_of(kPod, "Other"), "");
  EXPECT_EQ(condition_of("{}", "Ready"), "");
}

}  // namespace
}  // namespace vkhost::testing
