#include "plugin/documents.hpp"

#include <gmock/gmock.h>

namespace vkhost::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(Description, IsReadWithAllItsMembers) {
  const auto read = parse_description(R"({
    "name": "ec2", "version": "1.2.3", "vendor": "us", "license": "MIT",
    "settings_schema": {"type": "object"}, "settings_aliases": {"--old": "new"},
    "settings_env": {"EC2_KEY": "key"}, "annotation_prefixes": ["ec2.example.com/"],
    "metric_prefixes": ["vkhost_ec2_"], "of_a_later_version": 1})");

  ASSERT_TRUE(read.is_ok()) << read.status().message();
  EXPECT_EQ(read->name, "ec2");
  EXPECT_EQ(read->version, "1.2.3");
  EXPECT_THAT(read->settings_schema, HasSubstr("object"));
  EXPECT_THAT(read->settings_aliases, ElementsAre(Pair("--old", "new")));
  EXPECT_THAT(read->settings_env, ElementsAre(Pair("EC2_KEY", "key")));
  EXPECT_THAT(read->annotation_prefixes, ElementsAre("ec2.example.com/"));
  EXPECT_THAT(read->metric_prefixes, ElementsAre("vkhost_ec2_"));
}

TEST(Description, IsRefusedWithAWrongMember) {
  for (const char* document : {
           "",
           "[]",
           "{}",
           R"({"name": "Ec2", "version": "1"})",
           R"({"name": "ec2/../x", "version": "1"})",
           R"({"name": "ec2"})",
           R"({"name": "ec2", "version": ""})",
           R"({"name": "ec2", "version": 1})",
           R"({"name": 1, "version": "1"})",
           R"({"name": "e", "version": "1", "settings_schema": "x"})",
           R"({"name": "e", "version": "1", "settings_schema": {"type": "array"}})",
           R"({"name": "e", "version": "1", "settings_env": {"A": 1}})",
           R"({"name": "e", "version": "1", "annotation_prefixes": "x"})",
           R"({"name": "e", "version": "1", "annotation_prefixes": [1]})",
           R"({"name": "e", "version": "1", "annotation_prefixes": [""]})",
           R"({"name": "e", "version": "1", "annotation_prefixes": ["noslash.example.com"]})",
           R"({"name": "e", "version": "1", "annotation_prefixes": ["kubernetes.io/"]})",
           R"({"name": "e", "version": "1", "annotation_prefixes": ["node.k8s.io/x"]})",
           R"({"name": "e", "version": "1", "metric_prefixes": ["9lives"]})",
       }) {
    EXPECT_EQ(parse_description(document).status().code(), StatusCode::InvalidArgument) << document;
  }
}

TEST(Description, MayHaveADomainThatOnlyEndsLikeKubernetes) {
  EXPECT_TRUE(
      parse_description(R"({"name":"e","version":"1","annotation_prefixes":["mykubernetes.io/"]})")
          .is_ok());
}

TEST(CapabilitiesDocument, IsReadWithAllItsMembers) {
  const auto read = parse_capabilities(R"({
    "status_updates": "push", "poll_interval_ms": 2500, "max_parallel_calls": 4,
    "updates": ["image", "tokens", "of_a_later_version"], "material": ["env", "files"],
    "secret_annotations": ["ec2.example.com/key"], "names_node": true, "late_env": true,
    "reserve": "always", "native_probes": true, "native_deadline": true,
    "fields": {"spec.hostNetwork": "refused"}})");

  ASSERT_TRUE(read.is_ok()) << read.status().message();
  EXPECT_TRUE(read->pushes);
  EXPECT_EQ(read->poll_interval, std::chrono::milliseconds(2500));
  EXPECT_EQ(read->max_parallel_calls, 4U);
  EXPECT_EQ(read->updates, kChangedImage | kChangedTokens);
  EXPECT_TRUE(read->uses_env && read->uses_files);
  EXPECT_FALSE(read->uses_tokens || read->uses_pull_credentials);
  EXPECT_THAT(read->secret_annotations, ElementsAre("ec2.example.com/key"));
  EXPECT_TRUE(read->names_node && read->late_env && read->reserves_always);
  EXPECT_TRUE(read->native_probes && read->native_deadline);
  EXPECT_EQ(read->fields, (std::vector<FieldRule>{{"spec.hostNetwork", true}}));
}

TEST(CapabilitiesDocument, MeansPollingAndNothingElseWhenEmpty) {
  const auto read = parse_capabilities("{}");

  ASSERT_TRUE(read.is_ok());
  EXPECT_FALSE(read->pushes || read->uses_env || read->names_node || read->reserves_always);
  EXPECT_EQ(read->updates, 0U);
}

TEST(CapabilitiesDocument, KeepsAbsurdNumbersWithinBounds) {
  const auto read = parse_capabilities(R"({"poll_interval_ms": 1, "max_parallel_calls": 9999999})");

  ASSERT_TRUE(read.is_ok());
  EXPECT_EQ(read->poll_interval, std::chrono::milliseconds(100));
  EXPECT_EQ(read->max_parallel_calls, 1024U);
}

TEST(CapabilitiesDocument, IsRefusedWithAWrongMember) {
  for (const char* document : {R"({"status_updates": "sometimes"})",
                               R"({"poll_interval_ms": 0})",
                               R"({"poll_interval_ms": "1"})",
                               R"({"poll_interval_ms": 99999999999999999999})",
                               R"({"max_parallel_calls": -1})",
                               R"({"max_parallel_calls": true})",
                               R"({"updates": "image"})",
                               R"({"material": [1]})",
                               R"({"names_node": "yes"})",
                               R"({"reserve": "never"})",
                               R"({"fields": []})",
                               R"({"fields": {"spec": "honoured"}})",
                               R"({"fields": {"spec": true}})",
                               R"({"fields": {"": "ignored"}})",
                               R"({"fields": {"spec.": "ignored"}})",
                               R"({"fields": {"spec..x": "ignored"}})",
                               R"({"fields": {"[]": "ignored"}})",
                               R"({"fields": {"spec.x[0]": "ignored"}})",
                               R"({"fields": {"spec.x[]y": "ignored"}})",
                               R"({"fields": {"spec.x y": "ignored"}})",
                               "[]",
                               "{]"}) {
    EXPECT_FALSE(parse_capabilities(document).is_ok()) << document;
  }
}

TEST(AnnotationsDocument, KeepsToTheDeclaredPrefixes) {
  const std::vector<std::string> prefixes = {"ec2.example.com/"};

  const auto good =
      parse_annotations(R"({"ec2.example.com/id": "i-1", "ec2.example.com/old": null})", prefixes);

  ASSERT_TRUE(good.is_ok()) << good.status().message();
  EXPECT_THAT(*good, ElementsAre(Pair("ec2.example.com/id", std::optional<std::string>("i-1")),
                                 Pair("ec2.example.com/old", std::nullopt)));
  for (const char* document :
       {R"({"kubernetes.io/x": "1"})", R"({"ec2.example.com/": "1"})",
        R"({"ec2.example.com/a b": "1"})", R"({"ec2.example.com/a": 1})", "[]"}) {
    EXPECT_FALSE(parse_annotations(document, prefixes).is_ok()) << document;
  }
}

TEST(LogFields, AreFlat) {
  const auto good = parse_log_fields(R"({"a": "x", "b": 2, "c": true})");

  ASSERT_TRUE(good.is_ok());
  EXPECT_THAT(*good, ElementsAre(Pair("a", "x"), Pair("b", "2"), Pair("c", "true")));
  EXPECT_FALSE(parse_log_fields(R"({"a": {}})").is_ok());
  EXPECT_FALSE(parse_log_fields(R"({"a": null})").is_ok());
}

}  // namespace
}  // namespace vkhost::plugin
