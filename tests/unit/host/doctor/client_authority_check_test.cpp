#include "doctor/client_authority_check.hpp"

#include "base/json_text.hpp"
#include "findings.hpp"
#include "support/certificates.hpp"
#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::doctor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A list with one ConfigMap that holds this under that key.
std::string list_with(std::string_view key, std::string_view value) {
  std::string json = R"({"kind":"ConfigMapList","items":[{"data":{)";
  append_json_string(json, key);
  json += ':';
  append_json_string(json, value);
  return json + "}}]}";
}

struct ClientAuthorityCheck : ::testing::Test {
  Finding look() {
    Report report;
    check_client_authority(*client, clock, report);
    return only(report);
  }

  const std::shared_ptr<testing::FakeServer> server = std::make_shared<testing::FakeServer>();
  const std::unique_ptr<kube::Client> client = testing::client_on(server);
  const testing::CertificateAuthority authority;
  const SystemClock clock;
};

TEST_F(ClientAuthorityCheck, ReadsTheOneConfigMapAsTheDaemonDoes) {
  server->answer(200, list_with("client-ca-file", authority.certificate_pem()));

  const Finding finding = look();

  EXPECT_EQ(finding.verdict, Verdict::Ok) << finding.found;
  EXPECT_EQ(finding.area, "certificates");
  EXPECT_EQ(server->requests().at(0).target,
            "/api/v1/namespaces/kube-system/configmaps"
            "?fieldSelector=metadata.name%3Dextension-apiserver-authentication");
}

TEST_F(ClientAuthorityCheck, NamesOneThatExpired) {
  server->answer(200,
                 list_with("client-ca-file",
                           authority.issue({.common_name = "ca", .ends = -1min}).certificate_pem));

  const Finding finding = look();

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.found, HasSubstr("that of ca expired at"));
}

TEST_F(ClientAuthorityCheck, NamesAClusterThatPublishesNone) {
  for (const std::string& list :
       {std::string(R"({"items":[]})"), std::string(R"({"items":[{}]})"), std::string("{}"),
        list_with("requestheader-client-ca-file", "x")}) {
    server->answer(200, list);

    const Finding finding = look();

    EXPECT_EQ(finding.verdict, Verdict::Problem) << list;
    EXPECT_THAT(finding.found, HasSubstr("names none")) << list;
    EXPECT_THAT(finding.advice, HasSubstr("kubelet.client_ca_file"));
  }
}

TEST_F(ClientAuthorityCheck, NamesAnAnswerThatCannotBeRead) {
  for (const char* list : {"<html>", R"({"items":[{"data":{"client-ca-file":"hello"}}]})"}) {
    server->answer(200, list);

    EXPECT_EQ(look().verdict, Verdict::Problem) << list;
  }
}

TEST_F(ClientAuthorityCheck, LeavesAMissingRightToTheCheckOfRights) {
  server->answer(403, R"({"kind":"Status","reason":"Forbidden","message":"no"})");

  EXPECT_EQ(look().verdict, Verdict::Skipped);
}

}  // namespace
}  // namespace vkhost::doctor
