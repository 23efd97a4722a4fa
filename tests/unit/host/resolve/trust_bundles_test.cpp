#include "resolve/trust_bundles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Result<TrustBundleFile> read(const std::string& source) {
  const auto object = parse_json_object(source, "the source");
  EXPECT_TRUE(object.is_ok()) << object.status().to_string();
  return read_trust_bundle_file(**object, Place("source"));
}

kube::Query query_of(const std::string& source) {
  const auto file = read(source);
  EXPECT_TRUE(file.is_ok()) << file.status().to_string();
  return trust_bundle_query(file->selection);
}

TEST(TrustBundleFile, AsksForOneByItsName) {
  const auto file = read(R"({"name":"ca","path":"ca.pem","optional":true})");

  ASSERT_TRUE(file.is_ok()) << file.status().to_string();
  EXPECT_EQ(file->path, "ca.pem");
  EXPECT_TRUE(file->optional);
  EXPECT_EQ(file->missing,
            "while getting ClusterTrustBundle: "
            "clustertrustbundle.certificates.k8s.io \"ca\" not found");
  EXPECT_THAT(trust_bundle_query(file->selection),
              ElementsAre(Pair("fieldSelector", "metadata.name=ca")));
}

TEST(TrustBundleFile, AsksForAllOfASigner) {
  EXPECT_THAT(query_of(R"({"signerName":"example.com/s","labelSelector":{},"path":"p"})"),
              ElementsAre(Pair("fieldSelector", "spec.signerName=example.com/s")));
}

TEST(TrustBundleFile, AsksForThoseOfASignerWithLabels) {
  EXPECT_THAT(
      query_of(R"({"signerName":"example.com/s","path":"p","labelSelector":{
          "matchLabels":{"version":"live","example.com/a":""},"matchExpressions":[
            {"key":"tier","operator":"In","values":["a","b"]},
            {"key":"old","operator":"NotIn","values":["yes"]},
            {"key":"is","operator":"Exists"},{"key":"not","operator":"DoesNotExist","values":[]}]}})"),
      ElementsAre(Pair("fieldSelector", "spec.signerName=example.com/s"),
                  Pair("labelSelector",
                       "example.com/a=,version=live,tier in (a,b),old notin (yes),is,!not")));
}

TEST(TrustBundleFile, SelectsNothingOfASignerWithoutASelector) {
  EXPECT_EQ(read(R"({"signerName":"example.com/s","path":"p"})")->selection, "");
  EXPECT_EQ(read(R"({"signerName":"example.com/s","labelSelector":null})")->selection, "");
}

TEST(TrustBundleFile, AddsNoConditionOfItsName) {
  EXPECT_THAT(query_of(R"({"name":"a,spec.signerName=b\\","path":"p"})"),
              ElementsAre(Pair("fieldSelector", R"(metadata.name=a\,spec.signerName\=b\\)")));
  EXPECT_THAT(query_of(R"({"signerName":"s\nx=y","labelSelector":{},"path":"p"})"),
              ElementsAre(Pair("fieldSelector", R"(spec.signerName=s x\=y)")));
}

class BrokenSource : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BrokenSource, IsRefusedByThePlaceOfWhatIsWrong) {
  const auto& [members, words] = GetParam();

  const auto file = read(std::string(R"({"path":"p",)") + members + "}");

  EXPECT_EQ(file.status().code(), StatusCode::InvalidArgument) << members;
  EXPECT_THAT(file.status().message(), HasSubstr(words)) << members;
}

INSTANTIATE_TEST_SUITE_P(
    TrustBundleFile,
    BrokenSource,
    ::testing::Values(
        std::pair{R"("optional":true)", "not one of name and signerName"},
        std::pair{R"("name":"a","signerName":"b")", "not one of name and signerName"},
        std::pair{R"("name":7)", "source.name"},
        std::pair{R"("optional":"yes")", "source.optional"},
        std::pair{R"("signerName":"s","labelSelector":[])", "source.labelSelector"},
        std::pair{R"("signerName":"s","labelSelector":{"matchLabels":{"a":1}})",
                  "source.labelSelector.matchLabels"},
        std::pair{R"("signerName":"s","labelSelector":{"matchLabels":{"a,b":"c"}})",
                  "source.labelSelector.matchLabels has what no label can have"},
        std::pair{R"("signerName":"s","labelSelector":{"matchLabels":{"a":"b,!c"}})",
                  "source.labelSelector.matchLabels has what no label can have"},
        std::pair{R"("signerName":"s","labelSelector":{"matchExpressions":["a"]})",
                  "source.labelSelector.matchExpressions[0]"},
        std::pair{
            R"("signerName":"s","labelSelector":{"matchExpressions":[{"key":"a","operator":"Gt","values":["1"]}]})",
            "matchExpressions[0] is no condition of labels"},
        std::pair{
            R"("signerName":"s","labelSelector":{"matchExpressions":[{"key":"a","operator":"In"}]})",
            "matchExpressions[0] is no condition of labels"},
        std::pair{
            R"("signerName":"s","labelSelector":{"matchExpressions":[{"key":"a","operator":"Exists","values":["1"]}]})",
            "matchExpressions[0] is no condition of labels"},
        std::pair{
            R"j("signerName":"s","labelSelector":{"matchExpressions":[{"key":"a","operator":"In","values":["b)"]}]})j",
            "matchExpressions[0].values[0] has what no label can have"}));

// ---- Certificates

std::string list_of(const std::vector<std::string>& bundles) {
  std::string list = R"({"items":[)";
  for (const std::string& bundle : bundles) {
    list += list.back() == '[' ? "" : ",";
    list += R"({"metadata":{"name":"b"},"spec":{"trustBundle":")" + bundle + "\"}}";
  }
  return list + "]}";
}

std::string anchors_of(const std::vector<std::string>& bundles) {
  const auto object = parse_trust_bundles(list_of(bundles));
  EXPECT_TRUE(object.is_ok()) << object.status().to_string();
  EXPECT_EQ(object->bytes, object->items.find(kTrustAnchors)->second.reveal().size());
  return object->items.find(kTrustAnchors)->second.reveal();
}

// As it stands in JSON.
std::string block(const std::string& base64) {
  return "-----BEGIN CERTIFICATE-----\\n" + base64 + "\\n-----END CERTIFICATE-----\\n";
}
std::string pem(const std::string& base64) {
  return "-----BEGIN CERTIFICATE-----\n" + base64 + "\n-----END CERTIFICATE-----\n";
}

TEST(TrustBundles, AreTheirCertificatesEachOnce) {
  EXPECT_EQ(anchors_of({block("QkI=") + block("QUE="), block("QUE=")}), pem("QUE=") + pem("QkI="));
  EXPECT_EQ(anchors_of({block("QUE="), block("QkI=")}), pem("QUE=") + pem("QkI="))
      << "in whatever order they come";
}

TEST(TrustBundles, AreWrittenInLines) {
  const std::string line(64, 'A');

  EXPECT_EQ(anchors_of({block(line + line.substr(0, 4))}), pem(line + "\nAAAA"));
}

TEST(TrustBundles, PassOverWhatIsNoCertificate) {
  EXPECT_EQ(anchors_of({"a comment\\n" + block("QUE=") + block("!") + block("") +
                        "-----BEGIN PRIVATE KEY-----\\nQkI=\\n-----END PRIVATE KEY-----\\n" +
                        "-----BEGIN CERTIFICATE-----\\nQkI="}),
            pem("QUE="));
  EXPECT_EQ(anchors_of({}), "");
}

TEST(TrustBundles, AreRefusedWhenTheyCannotBeRead) {
  for (const char* text :
       {"", "[]", R"({"items":{}})", R"({"items":["b"]})", R"({"items":[{"spec":[]}]})",
        R"({"items":[{"spec":{"trustBundle":1}}]})"}) {
    EXPECT_EQ(parse_trust_bundles(text).status().code(), StatusCode::InvalidArgument) << text;
  }
}

TEST(TrustBundles, MayBeNone) {
  for (const char* text : {"", "{}", R"({"items":[]})", R"({"items":[ ]})", R"({"items":null})"}) {
    EXPECT_TRUE(is_empty_list(text)) << text;
  }
  EXPECT_FALSE(is_empty_list(R"({"items":[{}]})"));
}

}  // namespace
}  // namespace vkhost::resolve
