#include "kube/watch_event.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::kube {
namespace {

TEST(WatchEvent, IsTypeAndObject) {
  const std::string line = R"({"type":"ADDED","object":{"metadata":{"name":"m"}}})";

  const auto event = read_watch_event(line);

  ASSERT_TRUE(event.is_ok()) << event.status().to_string();
  EXPECT_EQ(event->type, "ADDED");
  EXPECT_EQ(event->object, R"({"metadata":{"name":"m"}})");
}

TEST(WatchEvent, IsNotWhatLacksAPart) {
  for (const char* line : {"", "{}", "[]", R"({"type":"ADDED"})", R"({"object":{}})",
                           R"({"type":"","object":{}})", R"({"type":"ADDED","object":{})"}) {
    EXPECT_EQ(read_watch_event(line).status().code(), StatusCode::Unavailable) << line;
  }
}

TEST(WatchEvent, CarriesTheFailureOfTheApiServer) {
  const auto event = read_watch_event(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})");

  EXPECT_EQ(event.status().code(), StatusCode::OutOfRange);
  EXPECT_TRUE(is_version_lost(event.status()));
}

TEST(WatchEvent, KnowsNameAndVersionOfItsObject) {
  const std::string object = R"({"metadata":{"name":"m","resourceVersion":"7"}})";

  EXPECT_EQ(name_of_object(object), "m");
  EXPECT_EQ(resource_version_of(object), "7");
  EXPECT_EQ(resource_version_of(R"({"metadata":{"resourceVersion":7}})"), "");
  EXPECT_EQ(name_of_object(R"({"name":"m"})"), "");
}

TEST(ResourceVersion, HoldsNothingThatBreaksOutOfAQuery) {
  EXPECT_TRUE(is_resource_version("1"));
  EXPECT_TRUE(is_resource_version("a-B_9.x"));
  EXPECT_TRUE(is_resource_version(std::string(64, '9')));
  for (const std::string& text :
       {std::string(), std::string("1 2"), std::string("1&a=b"), std::string("1\n"),
        std::string("\0001", 2), std::string(65, '9')}) {
    EXPECT_FALSE(is_resource_version(text)) << text;
  }
}

TEST(ResourceVersion, ComparesByItsNumber) {
  EXPECT_TRUE(is_earlier_version("9", "10"));
  EXPECT_TRUE(is_earlier_version("10", "11"));
  EXPECT_TRUE(is_earlier_version("18446744073709551615", "18446744073709551616"));
  EXPECT_FALSE(is_earlier_version("10", "9"));
  EXPECT_FALSE(is_earlier_version("10", "10"));
}

TEST(ResourceVersion, OfAnotherKindComparesWithNothing) {
  for (const char* version : {"", "a", "07", "-1", "1.5"}) {
    EXPECT_FALSE(is_earlier_version(version, "100")) << version;
    EXPECT_FALSE(is_earlier_version("1", version)) << version;
  }
}

TEST(ResourceVersion, IsLostByTheServersWordOnly) {
  EXPECT_TRUE(is_version_lost(Status(StatusCode::OutOfRange, "too old")));
  EXPECT_TRUE(is_version_lost(invalid_argument("not understood")));
  EXPECT_TRUE(is_version_lost(unavailable("from the future").with_reason("Timeout")));
  EXPECT_FALSE(is_version_lost(unavailable("connection lost")));
  EXPECT_FALSE(is_version_lost(Status(StatusCode::PermissionDenied, "forbidden")));
}

}  // namespace
}  // namespace vkhost::kube
