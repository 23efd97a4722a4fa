#include "kube/pod_calls.hpp"

#include "kube/json_reader.hpp"
#include "support/fake_client.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::kube {
namespace {

using vkhost::testing::client_on;
using vkhost::testing::FakeServer;

const std::string kWeb =
    R"({"metadata":{"name":"web","namespace":"ns","uid":"u-1","resourceVersion":"8"}})";
// As kube-apiserver 1.36 words them.
const std::string kImmutable =
    R"({"kind":"Status","reason":"Invalid","code":422,"message":"Pod \"web\" is invalid: )"
    R"(metadata.uid: Invalid value: \"u-1\": field is immutable"})";
const std::string kPrecondition =
    R"({"kind":"Status","reason":"Conflict","code":409,"message":"Operation cannot be fulfilled on )"
    R"(pods \"web\": the UID in the precondition (u-1) does not match the UID in record (u-2). )"
    R"(The object might have been deleted and then recreated"})";
const std::string kConflict =
    R"({"kind":"Status","reason":"Conflict","code":409,"message":"Operation cannot be fulfilled on )"
    R"(pods \"web\": the object has been modified; please apply your changes to the latest"})";
const std::string kNotFound =
    R"({"kind":"Status","reason":"NotFound","code":404,"message":"pods \"web\" not found"})";

struct PodCallsTest : ::testing::Test {
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::unique_ptr<Client> client = client_on(server);
  PodPtr pod = *parse_pod(kWeb);
};

// virtual-kubelet#1399: A status write without a resource version is refused
TEST(PodStatusPatch, NamesTheUidAndOnlyWhatChanges) {
  EXPECT_EQ(pod_status_patch("u", R"({"phase":"Running"})", {}),
            R"({"metadata":{"uid":"u"},"status":{"phase":"Running"}})");
  EXPECT_EQ(pod_status_patch("u", "", {{"a/b", "x\"y"}, {"c", std::nullopt}}),
            R"({"metadata":{"uid":"u","annotations":{"a/b":"x\"y","c":null}}})");
  EXPECT_TRUE(read_json(pod_status_patch("\"\xff", "{}", {{"\n", "\x01"}})).is_ok());
}

TEST(DeleteOptions, NameTheUid) {
  EXPECT_EQ(delete_options("u", std::chrono::seconds{0}),
            R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,)"
            R"("preconditions":{"uid":"u"}})");
}

TEST_F(PodCallsTest, WritesAStatus) {
  server->answer(200, kWeb);

  const auto written = patch_pod_status(*client, *pod, R"({"phase":"Running"})", {}, {});

  EXPECT_EQ((*written)->resource_version, "8");
  const auto request = server->requests().at(0);
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target, "/api/v1/namespaces/ns/pods/web/status");
  EXPECT_EQ(http::find_header(request.headers, "Content-Type"),
            "application/strategic-merge-patch+json");
}

TEST_F(PodCallsTest, TakesAnotherUidForAPodThatIsGone) {
  server->answer(422, kImmutable);
  server->answer(409, kPrecondition);
  server->answer(404, kNotFound);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(patch_pod_status(*client, *pod, "{}", {}, {}).status().code(), StatusCode::NotFound);
  }
  server->answer(409, kPrecondition);
  server->answer(404, kNotFound);
  server->answer(200, kWeb);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(delete_pod_now(*client, *pod, {}).is_ok());
  }
}

TEST_F(PodCallsTest, TakesNothingElseForAPodThatIsGone) {
  server->answer(409, kConflict);
  server->answer(422,
                 R"({"kind":"Status","reason":"Invalid","message":"spec: field is immutable"})");

  EXPECT_EQ(patch_pod_status(*client, *pod, "{}", {}, {}).status().code(), StatusCode::Aborted);
  EXPECT_EQ(patch_pod_status(*client, *pod, "{}", {}, {}).status().code(),
            StatusCode::InvalidArgument);
  server->answer(409, kConflict);
  EXPECT_EQ(delete_pod_now(*client, *pod, {}).code(), StatusCode::Aborted);
}

std::string list_of(const std::string& items) {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":)" +
         items + "}";
}

TEST_F(PodCallsTest, ReadsAPodAfreshByAListThatTheIdentityOfItsNodeMayAskFor) {
  server->answer(200, list_of("[" + kWeb + "]"));

  EXPECT_EQ((*fetch_pod(*client, {"ns", "web", "edge,1"}, {}))->uid, "u-1");

  EXPECT_EQ(server->requests().at(0).target,
            "/api/v1/namespaces/ns/pods?fieldSelector="
            "metadata.name%3Dweb%2Cspec.nodeName%3Dedge%5C%2C1");
}

TEST_F(PodCallsTest, KnowsThatAPodIsGoneByACompleteListOnly) {
  const std::string other =
      R"({"metadata":{"name":"other","namespace":"ns","uid":"u-2","resourceVersion":"8"}})";
  for (const char* gone : {"[]", "null"}) {
    server->answer(200, list_of(gone));
    EXPECT_EQ(fetch_pod(*client, {"ns", "web"}, {}).status().code(), StatusCode::NotFound) << gone;
  }
  server->answer(200, list_of("[" + other + "]"));
  EXPECT_EQ(fetch_pod(*client, {"ns", "web"}, {}).status().code(), StatusCode::NotFound);
  for (const std::string& broken :
       {std::string("{}"), std::string(R"({"kind":"Status","items":[]})"),
        std::string(R"({"kind":"PodList","metadata":{}})"),
        std::string(R"({"kind":"PodList","metadata":{"continue":"x"},"items":[]})"),
        std::string(R"({"kind":"PodList","metadata":{},"items":[{"metadata":{"name":"web"}}]})"),
        list_of("[" + other)}) {
    server->answer(200, broken);
    EXPECT_EQ(fetch_pod(*client, {"ns", "web"}, {}).status().code(), StatusCode::Unavailable)
        << broken;
  }
}

}  // namespace
}  // namespace vkhost::kube
