#include "kube/spec_parts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vkhost::kube {
namespace {

constexpr std::string_view kSpec =
    R"({"initContainers":[{"name":"i","image":"x:1"}],"containers":[{"name":"a","image":"y:1",
        "command":["run"],"resources":{"requests":{"cpu":"100m"}}}],"tolerations":[],
        "activeDeadlineSeconds":30,"ephemeralContainers":[{"name":"e","image":"z"}]})";

SpecParts changed(std::string_view from, std::string_view to) {
  std::string spec(kSpec);
  const std::size_t at = spec.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return hash_spec_parts(spec.replace(at, from.size(), to));
}

TEST(SpecParts, ChangeOneByOne) {
  const SpecParts base = hash_spec_parts(kSpec);

  SpecParts image = changed("y:1", "y:2");
  EXPECT_NE(image.image, base.image);
  image.image = base.image;
  EXPECT_EQ(image, base);
  EXPECT_NE(changed("x:1", "x:2").image, base.image);

  SpecParts resources = changed("100m", "200m");
  EXPECT_NE(resources.resources, base.resources);
  resources.resources = base.resources;
  EXPECT_EQ(resources, base);

  SpecParts ephemeral = changed(R"({"name":"e","image":"z"})",
                                R"({"name":"e","image":"z"},{"name":"f","image":"z"})");
  EXPECT_NE(ephemeral.ephemeral, base.ephemeral);
  ephemeral.ephemeral = base.ephemeral;
  EXPECT_EQ(ephemeral, base);

  SpecParts deadline = changed("30", "31");
  EXPECT_NE(deadline.deadline, base.deadline);
  deadline.deadline = base.deadline;
  EXPECT_EQ(deadline, base);
}

TEST(SpecParts, CountResourcesOfThePodAsAWhole) {
  const SpecParts base = hash_spec_parts(kSpec);

  SpecParts with = changed(R"("tolerations":[])", R"("resources":{"limits":{"cpu":"2"}})");
  EXPECT_NE(with.resources, base.resources);
  EXPECT_NE(with.resources,
            changed(R"("tolerations":[])", R"("resources":{"limits":{"cpu":"3"}})").resources);
  with.resources = base.resources;
  EXPECT_EQ(with, base);
}

TEST(SpecParts, StayWhenSomethingElseChanges) {
  const SpecParts base = hash_spec_parts(kSpec);

  EXPECT_EQ(changed("\"tolerations\":[]", R"("tolerations":[{"operator":"Exists"}],"new":1)"),
            base);
  EXPECT_EQ(changed("[\"run\"]", "[\"walk\"]"), base);
  EXPECT_EQ(changed(R"("requests":{"cpu")", R"( "requests" : { "cpu" )"), base);
}

TEST(SpecParts, AreNothingWhereThereIsNothing) {
  for (const char* spec :
       {"", "{}", "null", R"({"containers":[{"name":"a","image":"x","resources":{}}],
                              "ephemeralContainers":[],"activeDeadlineSeconds":null})"}) {
    const SpecParts parts = hash_spec_parts(spec);

    EXPECT_EQ(parts.resources, 0U) << spec;
    EXPECT_EQ(parts.ephemeral, 0U) << spec;
    EXPECT_EQ(parts.deadline, 0U) << spec;
    EXPECT_NE(parts.image, 0U) << spec;
  }
}

TEST(SpecParts, TellContainersApart) {
  const auto of = [](const char* containers) {
    return hash_spec_parts("{\"containers\":" + std::string(containers) + "}");
  };

  EXPECT_NE(of(R"([{"name":"a","image":"bc"}])").image, of(R"([{"name":"ab","image":"c"}])").image);
  EXPECT_NE(of(R"([{"name":"a","resources":{"limits":{"cpu":"1"}}},{"name":"b"}])").resources,
            of(R"([{"name":"a"},{"name":"b","resources":{"limits":{"cpu":"1"}}}])").resources);
  EXPECT_NE(of(R"([{"name":"a b"}])").image, of(R"([{"name":"ab"}])").image);
  EXPECT_NE(of(R"([{"name":"a\"  "}])").image, of(R"([{"name":"a\" "}])").image);
}

TEST(SpecParts, AreTheSameInEveryBuild) {
  EXPECT_EQ(stable_hash(""), 0xcbf29ce484222325U);
  EXPECT_EQ(stable_hash("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(stable_hash("foobar"), 0x85944171f73967e8U);
}

TEST(SpecParts, SurviveAnyInput) {
  for (const char* spec : {"{\"containers\":7}", "{\"containers\":[7,null,[]]}",
                           "{\"containers\":[{\"name\":", "{\"containers\":\"", "[", "{\"a\"",
                           "{\"ephemeralContainers\":[{\"\\"}) {
    static_cast<void>(hash_spec_parts(spec));
  }
}

}  // namespace
}  // namespace vkhost::kube
