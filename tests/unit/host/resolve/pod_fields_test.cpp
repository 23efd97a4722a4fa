#include "resolve/pod_fields.hpp"

#include "support/fake_resolve.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

class PodFieldsTest : public ::testing::Test {
 protected:
  Result<FieldValue> read(const std::string& path, const std::string& api_version = "") {
    const auto pod = kube::parse_pod(
        R"({"metadata":{"name":"web","namespace":"shop","uid":"u-1","resourceVersion":"1",)"
        R"("labels":{"tier":"front","example.com/Zone":"a"},)"
        R"("annotations":{)" +
        annotations_ +
        R"(}},)"
        R"("spec":{"nodeName":"vk-0","containers":[{"name":"web"}]},"status":)" +
        status_ + "}");
    EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
    PodView view;
    view.service_account = "bot";
    return PodFields(**pod, view, node_, addresses_).read({api_version, path});
  }
  std::string text(const std::string& path) {
    const auto value = read(path);
    return value ? value->text : value.status().to_string();
  }

  testing::FakeNodeFacts node_;
  PodAddresses addresses_ = PodAddresses::FromStatus;
  std::string status_ = "{}";
  std::string annotations_ =
      R"("note":"two\nlines, \"quoted\"","Example.com/Owner":"me","empty":"")";
};

TEST_F(PodFieldsTest, ReadsWhatThePodIs) {
  EXPECT_EQ(text("metadata.name"), "web");
  EXPECT_EQ(text("metadata.namespace"), "shop");
  EXPECT_EQ(text("metadata.uid"), "u-1");
  EXPECT_EQ(text("spec.nodeName"), "vk-0");
  EXPECT_EQ(text("spec.host"), "vk-0");
  EXPECT_EQ(text("spec.serviceAccountName"), "bot");
}

TEST_F(PodFieldsTest, ReadsOneLabelOrAnnotation) {
  EXPECT_EQ(text("metadata.labels['tier']"), "front");
  EXPECT_EQ(text("metadata.labels['example.com/Zone']"), "a");
  EXPECT_EQ(text("metadata.annotations['note']"), "two\nlines, \"quoted\"");
  EXPECT_EQ(text("metadata.annotations['Example.com/Owner']"), "me");
  EXPECT_EQ(text("metadata.labels['absent']"), "");
  EXPECT_EQ(text("metadata.annotations['empty']"), "");
}

TEST_F(PodFieldsTest, ListsAllOfThemSortedAndQuoted) {
  EXPECT_EQ(text("metadata.labels"), "example.com/Zone=\"a\"\ntier=\"front\"");
  EXPECT_EQ(text("metadata.annotations"),
            "Example.com/Owner=\"me\"\nempty=\"\"\nnote=\"two\\nlines, \\\"quoted\\\"\"");
}

TEST_F(PodFieldsTest, LeavesOutTheAnnotationsThatTheHostWrites) {
  annotations_ = R"("vkhost.io/handle":"h","vkhost.io/handle-uid":"u","vkhost.io/told":"t",)"
                 R"("vkhost.io/eviction":"e","vkhost.io/on-lost":"fail")";

  EXPECT_EQ(text("metadata.annotations"), "vkhost.io/on-lost=\"fail\"");
  EXPECT_EQ(text("metadata.annotations['vkhost.io/handle']"), "");
}

TEST_F(PodFieldsTest, RefusesForGoodWhatIsNoField) {
  for (const char* path : {"",
                           "metadata",
                           "metadata.",
                           "metadata.finalizers",
                           "metadata.labels[tier]",
                           "metadata.labels['tier'",
                           "metadata.labels['']",
                           "metadata.labels['a b']",
                           "metadata.labels['Example.com/zone']",
                           "metadata.annotations['/x']",
                           "metadata.annotations['x/']",
                           "metadata.name['x']",
                           "spec.nodeName['x']",
                           "spec.restartPolicy",
                           "spec.schedulerName",
                           "status.phase",
                           "status.podIP ",
                           "status",
                           "status.hostIP['x']",
                           "Metadata.name"}) {
    const auto value = read(path);

    EXPECT_EQ(value.status().code(), StatusCode::FailedPrecondition) << path;
    EXPECT_EQ(value.status().retry(), Retry::Never) << path;
    EXPECT_EQ(value.status().reason(), "CreateContainerConfigError") << path;
  }
}

TEST_F(PodFieldsTest, KnowsTheFirstVersionOfPodsOnly) {
  EXPECT_TRUE(read("metadata.name", "v1").is_ok());
  EXPECT_EQ(read("metadata.name", "v2").status().retry(), Retry::Never);
}

TEST_F(PodFieldsTest, TakesTheHostAddressFromTheNodeUntilTheStatusHasIt) {
  EXPECT_EQ(read("status.hostIP").status().retry(), Retry::Backoff);
  node_.ips = {"10.1.0.1", "fd00::1"};
  EXPECT_EQ(text("status.hostIP"), "10.1.0.1");
  EXPECT_EQ(text("status.hostIPs"), "10.1.0.1,fd00::1");

  status_ = R"({"hostIP":"10.2.0.2"})";
  EXPECT_EQ(text("status.hostIP"), "10.2.0.2");
  EXPECT_EQ(text("status.hostIPs"), "10.2.0.2");
}

TEST_F(PodFieldsTest, TakesThePodAddressFromTheStatusOnly) {
  node_.ips = {"10.1.0.1"};
  const auto early = read("status.podIP");
  EXPECT_EQ(early.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(early.status().retry(), Retry::Backoff);
  EXPECT_EQ(early.status().reason(), "CreateContainerConfigError");

  status_ = R"({"podIP":"10.3.0.3","podIPs":[{"ip":"10.3.0.3"},{"ip":"fd00::3"}]})";
  EXPECT_EQ(text("status.podIP"), "10.3.0.3");
  EXPECT_EQ(text("status.podIPs"), "10.3.0.3,fd00::3");

  status_ = R"({"podIP":"10.3.0.4","podIPs":[]})";
  EXPECT_EQ(text("status.podIPs"), "10.3.0.4");
}

TEST_F(PodFieldsTest, LeavesThePodAddressToAProviderThatFillsItIn) {
  addresses_ = PodAddresses::Late;
  status_ = R"({"podIP":"10.3.0.3"})";  // of an earlier run, perhaps

  EXPECT_TRUE(read("status.podIP")->late);
  EXPECT_TRUE(read("status.podIPs")->late);
  EXPECT_FALSE(read("metadata.name")->late);
}

TEST_F(PodFieldsTest, RefusesAStatusOfWrongShape) {
  for (const char* status : {R"({"podIPs":7})", R"({"podIPs":["x"]})", R"({"podIP":7})"}) {
    status_ = status;
    EXPECT_FALSE(read("status.podIP").is_ok()) << status;
  }
}

TEST(GoQuoted, EscapesAsGoDoes) {
  const struct {
    std::string text;
    std::string quoted;
  } cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"\a\b\f\n\r\t\v", R"("\a\b\f\n\r\t\v")"},
      {std::string("\0\x1F\x7F", 3), R"("\x00\x1f\x7f")"},
      {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\xB3",
       "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\xB3\""},
      {"\xC2\xA0\xE2\x80\x8B\xEF\xBB\xBF", R"("\u00a0\u200b\ufeff")"},
      {"\xEE\x80\x80\xF3\xB0\x80\x80", R"("\ue000\U000f0000")"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(go_quoted(one.text), one.quoted);
  }
}

TEST(QualifiedName, HasAnOptionalDomainAndAName) {
  for (const std::string& name :
       {std::string("a"), std::string("A.b_c-9"), std::string("example.com/a"),
        std::string("x-y.z0/a"), std::string(63, 'a'), std::string(253, 'a') + "/b"}) {
    EXPECT_TRUE(is_qualified_name(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("-a"), std::string("a-"), std::string("a/b/c"),
        std::string("/a"), std::string("a/"), std::string("a..b/c"), std::string("-a/b"),
        std::string("a-/b"), std::string("a-.b/c"), std::string("A/b"), std::string("a b"),
        std::string(64, 'a'), std::string(254, 'a') + "/b", std::string("\xC3\xA9")}) {
    EXPECT_FALSE(is_qualified_name(name)) << name;
  }
}

}  // namespace
}  // namespace vkhost::resolve
