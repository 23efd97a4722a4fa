#include "kube/kubeconfig_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

KubeconfigDocument document(const std::string& text) {
  auto parsed = KubeconfigDocument::parse("/etc/k/config", text);
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().to_string();
  return std::move(parsed).value();
}

TEST(KubeconfigDocument, ReadsYamlAndJsonAlike) {
  for (const char* text : {"a: x\nf: true\nl: [p, q]\nb64: Zm9v\np: sub/../file\n",
                           R"({"a":"x","f":true,"l":["p","q"],"b64":"Zm9v","p":"sub/../file"})"}) {
    const KubeconfigDocument config = document(text);
    std::string plain;
    bool flag = false;
    std::vector<std::string> list;
    std::string data;
    std::filesystem::path path;

    EXPECT_TRUE(take_text(config.root(), "a", plain).is_ok());
    EXPECT_TRUE(take_flag(config.root(), "f", flag).is_ok());
    EXPECT_TRUE(take_list(config.root(), "l", list).is_ok());
    EXPECT_TRUE(take_data(config.root(), "b64", data).is_ok());
    EXPECT_TRUE(take_path(config.root(), "p", path).is_ok());

    EXPECT_EQ(plain, "x");
    EXPECT_TRUE(flag);
    EXPECT_THAT(list, ElementsAre("p", "q"));
    EXPECT_EQ(data, "foo");
    EXPECT_EQ(path, "/etc/k/file");
  }
}

TEST(KubeconfigDocument, ReadsJsonThatYamlLibrariesDoNot) {
  const KubeconfigDocument config =
      document("{\"a\":\"\\ud83d\\ude00\",\"" + std::string(2000, 'k') + "\":1}");
  std::string text;

  EXPECT_TRUE(take_text(config.root(), "a", text).is_ok());

  EXPECT_EQ(text, "\xF0\x9F\x98\x80");
}

TEST(KubeconfigDocument, NamesFileLineAndEntryOfAFault) {
  const KubeconfigDocument config = document(
      "clusters:\n- name: prod\n  cluster:\n    server: [1]\n    flag: maybe\n    data: '%'\n");
  const auto entry = config.find_named("clusters", "cluster", "prod");
  ASSERT_TRUE(entry.is_ok());
  std::string text;
  bool flag = false;

  EXPECT_EQ(take_text(*entry, "server", text).message(),
            "/etc/k/config:4: clusters[prod].server is not a string");
  EXPECT_EQ(take_flag(*entry, "flag", flag).message(),
            "/etc/k/config:5: clusters[prod].flag is neither true nor false");
  EXPECT_EQ(take_data(*entry, "data", text).message(),
            "/etc/k/config:6: clusters[prod].data is not base64");
}

TEST(KubeconfigDocument, LeavesAloneWhatIsAbsentOrNull) {
  const KubeconfigDocument config = document("a: null\nb:\n");
  std::string text = "kept";
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_TRUE(take_text(config.root(), key, text).is_ok());
    EXPECT_FALSE(take_entry(config.root(), key)->node.IsDefined());
  }
  EXPECT_EQ(text, "kept");
  EXPECT_FALSE(config.find_named("clusters", "cluster", "x")->node.IsDefined());
  EXPECT_FALSE(document("").find_named("clusters", "cluster", "x")->node.IsDefined());
}

TEST(KubeconfigDocument, RefusesWhatIsNoKubeconfig) {
  for (const char* text :
       {"[a]", "just text", "{\"a\":", "a: [", "a: b: c", "\t- x", "{\"a\":1}x"}) {
    const auto parsed = KubeconfigDocument::parse("/f", text);
    EXPECT_EQ(parsed.status().code(), StatusCode::InvalidArgument) << text;
    EXPECT_THAT(parsed.status().message(), HasSubstr("/f")) << text;
  }
  EXPECT_FALSE(KubeconfigDocument::parse("/f", std::string(100'000, '[')).is_ok());
  EXPECT_FALSE(KubeconfigDocument::parse("/f", "{\"a\":" + std::string(1000, '[')).is_ok());
}

TEST(KubeconfigDocument, RefusesListsOfTheWrongShape) {
  const auto fault = [](const char* text) {
    return document(text).find_named("clusters", "cluster", "p").status().message();
  };

  EXPECT_THAT(fault("clusters: 7"), HasSubstr("clusters is not a list"));
  EXPECT_THAT(fault("clusters: [{name: p}]"), HasSubstr("clusters[p].cluster is missing"));
  EXPECT_THAT(fault("clusters: [{name: p, cluster: 7}]"), HasSubstr("is not a mapping"));
  EXPECT_THAT(fault("clusters: [{name: p, cluster: {}}, {name: p, cluster: {}}]"),
              HasSubstr("clusters[p] stands twice"));
  EXPECT_EQ(fault("clusters: [7, {}, {name: [p]}, {name: q}]"), "");
}

}  // namespace
}  // namespace vkhost::kube
