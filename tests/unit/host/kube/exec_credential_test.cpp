#include "kube/exec_credential.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <string>

namespace vkhost::kube {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using vkhost::testing::TestFolder;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

std::string credential(const std::string& status) {
  return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":)" +
         status + "}";
}

TEST(ReadExecCredential, TakesTokensAndCertificates) {
  const auto token = read_exec_credential(
      credential(R"({"token":"t","expirationTimestamp":"2026-01-02T03:04:05Z"})"), kV1);
  ASSERT_TRUE(token.is_ok());
  EXPECT_EQ(token->token.reveal(), "t");
  EXPECT_EQ(token->expires, parse_time("2026-01-02T03:04:05Z"));

  const auto pair =
      read_exec_credential(credential(R"({"clientCertificateData":"C","clientKeyData":"K"})"), kV1);
  ASSERT_TRUE(pair.is_ok());
  EXPECT_EQ(pair->certificate_pem, "C");
  EXPECT_EQ(pair->key_pem.reveal(), "K");
  EXPECT_FALSE(pair->expires.has_value());
}

TEST(ReadExecCredential, RefusesEverythingElseWithoutRepeatingIt) {
  for (const std::string& text :
       {std::string(), std::string("s3cret"), std::string("{}"), credential("{}"),
        credential("null"), credential(R"({"token":7})"), credential(R"({"token":"s3cret\n"})"),
        credential(R"({"clientKeyData":"s3cret"})"),
        credential(R"({"token":"s3cret","clientCertificateData":"C"})"),
        credential(R"({"token":"s3cret","expirationTimestamp":"s3cret"})"),
        std::string(R"({"kind":"ExecCredential","apiVersion":"s3cret","status":{"token":"t"}})"),
        std::string(R"({"kind":"s3cret","apiVersion":"client.authentication.k8s.io/v1",)"
                    R"("status":{"token":"t"}})")}) {
    const auto result = read_exec_credential(text, kV1);

    EXPECT_EQ(result.status().code(), StatusCode::InvalidArgument) << text;
    EXPECT_THAT(result.status().message(), Not(HasSubstr("s3cret"))) << text;
  }
}

TEST(ExecInfo, TellsThePluginWhatItAskedFor) {
  Connection connection;
  connection.server = "https://api";
  connection.tls_server_name = "name";
  connection.exec = ExecPlugin{kV1, "p", {}, {}, "", false};

  EXPECT_EQ(exec_info(connection, "ca"),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":false}})");
  connection.exec->wants_cluster_info = true;
  EXPECT_EQ(exec_info(connection, "ca"),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":false,"cluster":{"server":"https://api",)"
            R"("tls-server-name":"name","certificate-authority-data":"Y2E="}}})");
}

struct RunExecPluginTest : ::testing::Test {
  Result<ExecCredential> run(const std::string& script) {
    const auto file = folder.write("plugin", "#!/bin/sh\n" + script);
    EXPECT_EQ(::chmod(file.c_str(), 0700), 0);
    connection.origin = "context x of y";
    connection.exec = ExecPlugin{kV1, file.string(), {"get-token"}, {{"A", "B"}}, "get it", false};
    return run_exec_plugin(connection, "", clock, Deadline::after(clock, std::chrono::seconds{20}),
                           {});
  }
  TestFolder folder;
  SystemClock clock;
  Connection connection;
};

TEST_F(RunExecPluginTest, RunsThePluginWithItsArgumentsAndEnvironment) {
  const auto result =
      run("test \"$KUBERNETES_EXEC_INFO\" || exit 1\n"
          "echo '" +
          credential(R"({"token":"'$1-$A'"})") + "'");

  ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  EXPECT_EQ(result->token.reveal(), "get-token-B");
}

TEST_F(RunExecPluginTest, SaysWhatThePluginSaidButNotWhatItPrinted) {
  const Status status = run("echo s3cret; echo 'please\tlog\n in' >&2; exit 7").status();

  EXPECT_EQ(status.code(), StatusCode::Unauthenticated);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("status 7"), HasSubstr("please log in"),
                                      HasSubstr("context x of y"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(run("echo s3cret").status().message(),
              AllOf(HasSubstr("can't be used"), Not(HasSubstr("s3cret"))));
}

TEST_F(RunExecPluginTest, PassesOnHowToInstallIt) {
  connection.exec = ExecPlugin{kV1, "no-such-plugin", {}, {}, "run: apt install it", false};

  const Status status = run_exec_plugin(connection, "", clock, Deadline::never(), {}).status();

  EXPECT_EQ(status.code(), StatusCode::Unauthenticated);
  EXPECT_THAT(status.message(), HasSubstr("run: apt install it"));
}

}  // namespace
}  // namespace vkhost::kube
