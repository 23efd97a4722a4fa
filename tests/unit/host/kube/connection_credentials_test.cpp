#include "kube/connection_credentials.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"
#include "support/recording_log_sink.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using vkhost::testing::FakeClock;
using vkhost::testing::FakeServer;
using vkhost::testing::FakeTransport;
using vkhost::testing::RecordingLogSink;
using vkhost::testing::TestFolder;

struct CredentialsTest : ::testing::Test {
  void make() {
    connection.origin = "context x of y";
    credentials = make_credentials(connection, clock, observe::Logger(log));
  }
  Result<Identity> current() { return credentials->current(Deadline::never(), {}); }
  std::string authorization() {
    const auto identity = current();
    return identity.is_ok() ? identity->authorization.reveal() : identity.status().to_string();
  }
  // A plugin that counts its runs and gives a token with that number.
  void use_plugin(const std::string& status = R"("token":"run-'$n'")") {
    const auto file = folder.write(
        "plugin", "#!/bin/sh\necho x >>" + (folder.path() / "runs").string() + "\nn=$(wc -l <" +
                      (folder.path() / "runs").string() + ")\n" + "test -e " +
                      (folder.path() / "broken").string() + " && exit 1\n" +
                      R"(echo '{"kind":"ExecCredential",)"
                      R"("apiVersion":"client.authentication.k8s.io/v1","status":{)" +
                      status + "}}'\n");
    ASSERT_EQ(::chmod(file.c_str(), 0700), 0);
    connection.exec =
        ExecPlugin{"client.authentication.k8s.io/v1", file.string(), {}, {}, "", false};
  }
  int runs() const {
    const auto file = folder.path() / "runs";
    return std::filesystem::exists(file) ? static_cast<int>(std::filesystem::file_size(file) / 2)
                                         : 0;
  }

  TestFolder folder;
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::shared_ptr<RecordingLogSink> log = std::make_shared<RecordingLogSink>();
  Connection connection;
  std::shared_ptr<Credentials> credentials;
};

TEST_F(CredentialsTest, ShowsWhatStandsInTheKubeconfig) {
  connection.token = Secret("t0ken");
  connection.certificate_authority.text = "CA";
  connection.client_certificate.text = "CERT";
  connection.client_key.text = Secret("KEY");
  connection.tls_server_name = "name";
  connection.impersonation = {"bob", "7", {"a", "b"}, {{"scope", {"s"}}}};
  make();

  const auto identity = current();

  ASSERT_TRUE(identity.is_ok());
  EXPECT_EQ(identity->authorization.reveal(), "Bearer t0ken");
  EXPECT_EQ(identity->tls->ca_pem, "CA");
  EXPECT_EQ(identity->tls->certificate_pem, "CERT");
  EXPECT_EQ(identity->tls->key_pem, "KEY");
  EXPECT_EQ(identity->tls->server_name, "name");
  EXPECT_THAT(identity->impersonation,
              ElementsAre(Pair("Impersonate-User", "bob"), Pair("Impersonate-Uid", "7"),
                          Pair("Impersonate-Group", "a"), Pair("Impersonate-Group", "b"),
                          Pair("Impersonate-Extra-scope", "s")));
}

TEST_F(CredentialsTest, ShowsUserAndPassword) {
  connection.username = "bob";
  connection.password = Secret("pa55");
  make();

  EXPECT_EQ(authorization(), "Basic Ym9iOnBhNTU=");
}

TEST_F(CredentialsTest, ShowsNothingWhenThereIsNothing) {
  make();

  EXPECT_EQ(authorization(), "");
  EXPECT_NE(current()->tls, nullptr);
}

TEST_F(CredentialsTest, ReadsATokenFileAgainOnceAMinute) {
  connection.token_file = folder.write("token", "one\n");
  make();
  EXPECT_EQ(authorization(), "Bearer one");
  static_cast<void>(folder.write("token", "two"));

  clock->advance(seconds{59});
  EXPECT_EQ(authorization(), "Bearer one");
  clock->advance(seconds{1});
  EXPECT_EQ(authorization(), "Bearer two");
}

TEST_F(CredentialsTest, ReadsATokenFileAgainAfterARefusal) {
  connection.token_file = folder.write("token", "one");
  make();
  const std::uint64_t refused = current()->generation;
  static_cast<void>(folder.write("token", "two"));

  credentials->reject(refused + 1);
  EXPECT_EQ(authorization(), "Bearer one") << "another generation was refused";
  credentials->reject(refused);
  EXPECT_EQ(authorization(), "Bearer two");
}

TEST_F(CredentialsTest, KeepsWhatItHadWhileAFileCanNotBeRead) {
  connection.token_file = folder.write("token", "one");
  make();
  EXPECT_EQ(authorization(), "Bearer one");
  std::filesystem::remove(connection.token_file);

  clock->advance(minutes{2});
  EXPECT_EQ(authorization(), "Bearer one");

  EXPECT_THAT(log->lines(), Contains(HasSubstr("could not be renewed")));
  static_cast<void>(folder.write("token", "two"));
  clock->advance(seconds{5});
  EXPECT_EQ(authorization(), "Bearer two") << "tried again soon";
}

TEST_F(CredentialsTest, SaysWhichFileIsMissing) {
  connection.token_file = folder.path() / "none";
  make();

  EXPECT_THAT(authorization(), HasSubstr((folder.path() / "none").string()));
  EXPECT_THAT(authorization(), HasSubstr("context x of y"));
}

TEST_F(CredentialsTest, RefusesTokensThatWouldStartAnotherHeader) {
  connection.token_file = folder.write("token", "a\r\nX-Evil: s3cret");
  make();

  EXPECT_THAT(authorization(), HasSubstr("no token has"));
  EXPECT_THAT(authorization(), Not(HasSubstr("s3cret")));
  EXPECT_THAT(log->lines(), Each(Not(HasSubstr("s3cret"))));
}

TEST_F(CredentialsTest, BringsOtherCertificatesAfterARotation) {
  connection.client_certificate.file = folder.write("cert", "C1");
  connection.client_key.file = folder.write("key", "K1");
  connection.certificate_authority.file = folder.write("ca", "A1");
  make();
  const auto before = current()->tls;
  clock->advance(minutes{2});
  EXPECT_EQ(current()->tls, before) << "unchanged files make no new transports";

  static_cast<void>(folder.write("cert", "C2"));
  static_cast<void>(folder.write("key", "K2"));
  clock->advance(minutes{2});

  EXPECT_NE(current()->tls, before);
  EXPECT_EQ(current()->tls->certificate_pem, "C2");
  EXPECT_EQ(current()->tls->key_pem, "K2");
}

TEST_F(CredentialsTest, RunsAPluginOnceUntilItsTokenExpires) {
  use_plugin(R"("token":"run-'$n'","expirationTimestamp":"2026-01-02T03:14:05Z")");
  make();

  EXPECT_EQ(authorization(), "Bearer run-1");  // at 03:04:05
  clock->advance(minutes{9});
  EXPECT_EQ(authorization(), "Bearer run-1");
  clock->advance(seconds{46});
  EXPECT_EQ(authorization(), "Bearer run-2");
}

TEST_F(CredentialsTest, TakesCertificatesOfAPlugin) {
  use_plugin(R"("clientCertificateData":"C","clientKeyData":"K")");
  make();

  const auto identity = current();

  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_EQ(identity->tls->certificate_pem, "C");
  EXPECT_EQ(identity->tls->key_pem, "K");
  EXPECT_TRUE(identity->authorization.empty());
}

TEST_F(CredentialsTest, RunsAPluginAgainAfterARefusalButNotInATightLoop) {
  use_plugin();
  make();
  credentials->reject(current()->generation);
  EXPECT_EQ(authorization(), "Bearer run-1") << "it ran just now";

  clock->advance(seconds{10});
  EXPECT_EQ(authorization(), "Bearer run-2");
  EXPECT_EQ(authorization(), "Bearer run-2");
  EXPECT_EQ(runs(), 2);
}

TEST_F(CredentialsTest, SaysWhyAPluginFailedAndTriesAgainSoon) {
  use_plugin();
  static_cast<void>(folder.write("broken", ""));
  make();

  EXPECT_THAT(authorization(), HasSubstr("ended with status 1"));
  EXPECT_THAT(authorization(), HasSubstr("UNAUTHENTICATED"));
  EXPECT_EQ(runs(), 1) << "asked again within seconds";
  std::filesystem::remove(folder.path() / "broken");
  clock->advance(seconds{5});
  EXPECT_EQ(authorization(), "Bearer run-2");
}

TEST_F(CredentialsTest, SaysWhyThereIsNoTokenInsteadOfShowingAnExpiredOne) {
  use_plugin(R"("token":"run-'$n'","expirationTimestamp":"2026-01-02T03:14:05Z")");
  make();
  EXPECT_EQ(authorization(), "Bearer run-1");
  static_cast<void>(folder.write("broken", ""));

  clock->advance(minutes{9} + seconds{50});
  EXPECT_EQ(authorization(), "Bearer run-1") << "not expired yet";
  clock->advance(minutes{1});
  EXPECT_THAT(authorization(), HasSubstr("ended with status 1"));
}

TEST_F(CredentialsTest, PrefersATokenToAPlugin) {
  use_plugin();
  connection.token = Secret("t");
  make();

  EXPECT_EQ(authorization(), "Bearer t");
  EXPECT_EQ(runs(), 0);
}

TEST_F(CredentialsTest, RunsOnePluginForAllWhoWait) {
  use_plugin();
  make();
  std::vector<Thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back("asker", [this] { EXPECT_EQ(authorization(), "Bearer run-1"); });
  }
  threads.clear();

  EXPECT_EQ(runs(), 1);
}

TEST_F(CredentialsTest, EndsAPluginWhenTheCallIsCancelled) {
  const auto file = folder.write("plugin", "#!/bin/sh\nsleep 1000\n");
  ASSERT_EQ(::chmod(file.c_str(), 0700), 0);
  connection.exec = ExecPlugin{"client.authentication.k8s.io/v1", file.string(), {}, {}, "", false};
  make();
  CancelSource source;
  source.cancel();

  EXPECT_EQ(credentials->current(Deadline::never(), source.token()).status().code(),
            StatusCode::Cancelled);
}

TEST_F(CredentialsTest, GiveAClientThatSurvivesATokenRotation) {
  connection.server = "https://api";
  connection.token_file = folder.write("token", "one");
  auto server = std::make_shared<FakeServer>();
  server->answer(200, "1");
  server->answer(401, "");
  server->answer(200, "2");
  ClientParts parts;
  parts.make_transport =
      [&](const http::TransportSettings& made) -> Result<std::unique_ptr<http::Transport>> {
    EXPECT_EQ(made.url, "https://api");
    return std::unique_ptr<http::Transport>(std::make_unique<FakeTransport>(server));
  };
  parts.clock = std::make_shared<SystemClock>();
  parts.random = std::make_shared<SeededRandom>(1);
  const auto client = make_client(connection, {}, std::move(parts));
  EXPECT_EQ(*client->get("/x", {}, {}), "1");
  static_cast<void>(folder.write("token", "two"));

  EXPECT_EQ(*client->get("/x", {}, {}), "2");

  EXPECT_EQ(http::find_header(server->requests().at(2).headers, "Authorization"), "Bearer two");
}

}  // namespace
}  // namespace vkhost::kube
