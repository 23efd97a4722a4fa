#include "doctor/doctor.hpp"

#include "base/json_text.hpp"
#include "base/mutex.hpp"
#include "daemon/api_connection.hpp"
#include "daemon/runtime_file.hpp"
#include "daemon/state_file.hpp"
#include "findings.hpp"
#include "kube/client_certificate.hpp"
#include "support/certificates.hpp"
#include "support/played_server.hpp"
#include "support/plugin_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace vkhost::doctor {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::PlayedServer;

constexpr const char* kToken = "a-token-that-nobody-may-see";
constexpr const char* kOwnAccess = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* kAuthority =
    "/api/v1/namespaces/kube-system/configmaps"
    "?fieldSelector=metadata.name%3Dextension-apiserver-authentication";

// An API server that knows the daemon's service account and allows everything.
class DoctorTest : public ::testing::Test {
 protected:
  static PlayedServer::Answer answer(const std::string& status, const std::string& body) {
    return {"HTTP/1.1 " + status +
            "\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nContent-Type: application/json\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body};
  }
  static std::string published(const std::string& authority_pem) {
    std::string list = R"({"items":[{"data":{"client-ca-file":)";
    append_json_string(list, authority_pem);
    return list + "}}]}";
  }
  void answers(const std::string& path, const std::string& status, const std::string& body) {
    const MutexLock lock(mutex_);
    answers_[path] = answer(status, body);
  }
  [[nodiscard]] std::set<std::string> methods() {
    const MutexLock lock(mutex_);
    return methods_;
  }
  std::string kubeconfig(const std::string& user) {
    return folder_.write("kubeconfig",
                         "current-context: a\n"
                         "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
                         "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:" +
                             std::to_string(server_.port()) +
                             "', certificate-authority: ca.pem}}]\n"
                             "users: [{name: u, user: " +
                             user + "}]\n");
  }
  // `more` is TOML.
  Examination examine_with(const std::string& more) {
    const testing::PluginFiles plugins;
    const auto file = folder_.write(
        "vkhost.toml",
        "config_version = 1\n[provider]\nlibrary = '" +
            plugins.copy(testing::plugin_path("mock"), "mock").string() +
            "'\n[[node]]\nname = 'web-1'\n[health]\nlisten = 'off'\n[paths]\nstate = '" +
            (folder_.path() / "state").string() + "'\nruntime = '" + runtime().string() + "'\n" +
            more);
    config::Sources sources;
    sources.file = file;
    Subject subject;
    subject.loaded = config::load(sources);
    subject.origin = file.string();
    subject.executable = testing::daemon_path();
    return examine(subject, std::make_shared<SystemClock>());
  }
  Examination examine_cluster(const std::string& user = std::string("{token: ") + kToken + "}") {
    return examine_with("[kubelet]\nlisten = '127.0.0.1:0'\n[kubernetes]\nkubeconfig = '" +
                        kubeconfig(user) + "'\n");
  }
  [[nodiscard]] std::filesystem::path runtime() const { return folder_.path() / "runtime"; }
  // Its kubelet API is played by the same server.
  void given_running_daemon(std::optional<std::uint16_t> port = std::nullopt) {
    daemon::RuntimeFile file;
    file.pid = ::getpid();
    file.token = Secret("another-token");
    file.nodes = {
        {"web-1", "127.0.0.1", port.value_or(static_cast<std::uint16_t>(server_.port()))}};
    ASSERT_TRUE(daemon::write_runtime_file(runtime(), file).is_ok());
  }
  // Of the findings of that area, the worst.
  static Verdict worst(const Report& report, std::string_view area) {
    Verdict verdict = Verdict::Ok;
    for (const Finding& finding : report.findings()) {
      verdict = finding.area == area ? std::max(verdict, finding.verdict) : verdict;
    }
    return verdict;
  }
  static std::set<std::string> areas(const Report& report) {
    std::set<std::string> names;
    for (const Finding& finding : report.findings()) {
      names.insert(finding.area);
    }
    return names;
  }

  Mutex mutex_;
  std::map<std::string, PlayedServer::Answer> answers_ VKHOST_GUARDED_BY(mutex_){
      {"/version", answer("200 OK", R"({"minor":"36","gitVersion":"v1.36.3"})")},
      {"/apis/authentication.k8s.io/v1/selfsubjectreviews",
       answer("201 Created",
              R"({"status":{"userInfo":{"username":"system:serviceaccount:vkhost:vkhost"}}})")},
      {kOwnAccess, answer("201 Created", R"({"status":{"allowed":true}})")},
      {kAuthority, answer("200 OK", published(testing::CertificateAuthority().certificate_pem()))},
      {"/api/v1/nodes/web-1/proxy/healthz", answer("200 OK", "ok")},
      {"/healthz", answer("401 Unauthorized", "")}};
  std::set<std::string> methods_ VKHOST_GUARDED_BY(mutex_);
  const testing::TestFolder folder_;
  PlayedServer server_{[this](const testing::Head& head, const std::string&) {
    const MutexLock lock(mutex_);
    methods_.insert(std::string(head.method()) + " " + std::string(head.target()));
    const auto found = answers_.find(std::string(head.target()));
    return found == answers_.end() ? answer("404 Not Found", R"({"kind":"Status"})")
                                   : found->second;
  }};
  const std::string ca_ = folder_.write("ca.pem", server_.ca_pem());
};

TEST_F(DoctorTest, LooksAtEverythingAndChangesNothing) {
  given_running_daemon();

  const Examination done = examine_cluster();

  EXPECT_EQ(areas(done.report),
            (std::set<std::string>{"configuration", "paths", "plugin", "back-end", "certificates",
                                   "address", "credentials", "api-server", "clock", "rights",
                                   "reachability"}));
  for (const std::string& request : methods()) {
    EXPECT_THAT(request, ::testing::AnyOf(::testing::StartsWith("GET "), HasSubstr("self")));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "state"));
  EXPECT_FALSE(done.is_stuck);
}

TEST_F(DoctorTest, FindsNothingWrongWhereAllIsWell) {
  given_running_daemon();

  const Report report = examine_cluster().report;

  for (const char* area : {"configuration", "paths", "plugin", "back-end", "certificates",
                           "credentials", "api-server", "rights", "reachability"}) {
    EXPECT_EQ(worst(report, area), Verdict::Ok) << area << '\n' << verdicts(report);
  }
}

TEST_F(DoctorTest, ShowsNoSecret) {
  given_running_daemon();
  answers(kOwnAccess, "403 Forbidden", R"({"kind":"Status","reason":"Forbidden"})");

  const Report report = examine_cluster().report;

  for (const Finding& finding : report.findings()) {
    EXPECT_THAT(finding.checked + finding.found + finding.why + finding.advice,
                ::testing::AllOf(Not(HasSubstr(kToken)), Not(HasSubstr("another-token"))));
  }
}

TEST_F(DoctorTest, NamesAClockThatIsOff) {
  // The server's clock stands still.
  EXPECT_EQ(worst(examine_cluster().report, "clock"), Verdict::Problem);
}

TEST_F(DoctorTest, NamesANodeWhoseAddressNobodyAnswersAt) {
  given_running_daemon(1);  // no daemon of ours listens there

  const Report report = examine_cluster().report;

  EXPECT_EQ(worst(report, "reachability"), Verdict::Problem) << verdicts(report);
  EXPECT_THAT(verdicts(report), HasSubstr("https://127.0.0.1:1/healthz"));
}

TEST_F(DoctorTest, NamesAClusterThatPublishesNoClientAuthority) {
  answers(kAuthority, "200 OK", R"({"items":[]})");

  EXPECT_EQ(worst(examine_cluster().report, "certificates"), Verdict::Problem);
}

TEST_F(DoctorTest, NamesRightsThatAreMissing) {
  answers(kOwnAccess, "201 Created", R"({"status":{"allowed":false}})");

  EXPECT_EQ(worst(examine_cluster().report, "rights"), Verdict::Problem);
}

TEST_F(DoctorTest, NamesAClientCertificateThatExpired) {
  const auto issued = testing::CertificateAuthority().issue(
      {.common_name = "web", .use = testing::CertificateUse::Client, .starts = -2h, .ends = -1h});
  static_cast<void>(folder_.write("client.crt", issued.certificate_pem));
  static_cast<void>(folder_.write("client.key", issued.key_pem));

  const Report report =
      examine_cluster("{client-certificate: client.crt, client-key: client.key}").report;

  EXPECT_EQ(worst(report, "certificates"), Verdict::Problem) << verdicts(report);
}

TEST_F(DoctorTest, AsksForNothingMoreOfAServerThatRefusesTheCredentials) {
  answers("/version", "401 Unauthorized", R"({"kind":"Status","reason":"Unauthorized"})");

  const Report report = examine_cluster().report;

  EXPECT_EQ(worst(report, "api-server"), Verdict::Problem);
  EXPECT_EQ(worst(report, "rights"), Verdict::Skipped);
  EXPECT_EQ(methods().size(), 1U);
}

TEST_F(DoctorTest, NamesCredentialsThatAreMissing) {
  const Report report = examine_with("[kubernetes]\nkubeconfig = '/nonexistent/config'\n").report;

  EXPECT_EQ(worst(report, "credentials"), Verdict::Problem);
  EXPECT_THAT(methods(), IsEmpty());
}

TEST_F(DoctorTest, AsksBootstrapCredentialsOnlyWhatTheyAreFor) {
  const std::string file = kubeconfig(std::string("{token: ") + kToken + "}");

  const Report report =
      examine_with("[kubernetes]\nbootstrap_kubeconfig = '" + file + "'\n").report;

  EXPECT_EQ(worst(report, "rights"), Verdict::Ok) << verdicts(report);
  EXPECT_THAT(areas(report), Not(Contains("reachability")));
}

TEST_F(DoctorTest, UsesTheCertificateThatBootstrapBrought) {
  const auto issued =
      testing::CertificateAuthority().issue({.common_name = "system:node:web-1",
                                             .organizations = {"system:nodes"},
                                             .use = testing::CertificateUse::Client});
  config::PathsConfig paths;
  paths.state = folder_.path() / "state";
  const auto pki = daemon::certificate_folder(paths);
  ASSERT_TRUE(daemon::make_private_folder(pki).is_ok());
  ASSERT_TRUE(daemon::write_state_file(pki / kube::kKeptCertificate,
                                       issued.certificate_pem + issued.key_pem,
                                       daemon::Durability::Crash)
                  .is_ok());
  const std::string file = kubeconfig(std::string("{token: ") + kToken + "}");

  const Report report =
      examine_with("[kubernetes]\nbootstrap_kubeconfig = '" + file + "'\n").report;

  EXPECT_EQ(worst(report, "certificates"), Verdict::Ok) << verdicts(report);
  EXPECT_THAT(verdicts(report), HasSubstr("of system:node:web-1, good until"));
  EXPECT_THAT(areas(report), Contains("reachability"));
}

TEST_F(DoctorTest, LeavesTheClusterOutInStandaloneMode) {
  const Report report =
      examine_with("[standalone]\nenabled = true\nmanifests = '" + folder_.path().string() + "'\n")
          .report;

  EXPECT_EQ(worst(report, "api-server"), Verdict::Skipped);
  EXPECT_THAT(areas(report), Not(Contains("rights")));
}

TEST_F(DoctorTest, StopsAtAConfigurationWithErrors) {
  const Report report = examine_with("[kubelet]\nlisten = 7\n").report;

  EXPECT_EQ(report.count(Verdict::Problem), 1U) << verdicts(report);
  EXPECT_THAT(areas(report), ::testing::ElementsAre("configuration"));
}

TEST_F(DoctorTest, NamesAServingCertificateThatDoesNotFit) {
  const testing::CertificateAuthority authority;
  const auto one = authority.issue({.ip_addresses = {"127.0.0.1"}});
  const auto other = authority.issue({});
  const auto certificate = folder_.write("tls.crt", one.certificate_pem);
  const auto key = folder_.write("tls.key", other.key_pem);

  const Report report =
      examine_with("[standalone]\nenabled = true\nmanifests = '" + folder_.path().string() +
                   "'\n[kubelet]\ncertificate_file = '" + certificate.string() + "'\nkey_file = '" +
                   key.string() + "'\n")
          .report;

  EXPECT_EQ(worst(report, "certificates"), Verdict::Problem);
  EXPECT_THAT(verdicts(report), HasSubstr("private key does not belong"));
}

}  // namespace
}  // namespace vkhost::doctor
