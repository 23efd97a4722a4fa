// `vkhost doctor` against a real control plane: what it must not complain of, and what it must find.
#include "doctor/doctor.hpp"

#include "cluster/node_under_test.hpp"
#include "daemon/kubelet_service.hpp"
#include "doctor/rights.hpp"
#include "support/json_pointer.hpp"
#include "support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Answer {
  int status = 0;
  std::string json;

  // "right: what was found; what to do" of all with that verdict, in that area or in any.
  [[nodiscard]] std::vector<std::string> lines(std::string_view verdict,
                                               std::string_view area = {}) const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < json_size(json, "/findings"); ++i) {
      const std::string at = "/findings/" + std::to_string(i);
      if (json_at(json, at + "/verdict") == verdict &&
          (area.empty() || json_at(json, at + "/area") == area)) {
        found.push_back(json_at(json, at + "/checked") + ": " + json_at(json, at + "/found") +
                        "; " + json_at(json, at + "/advice"));
      }
    }
    return found;
  }
};

Answer ask_doctor(NodeUnderTest& node, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {
      daemon_path(), "doctor", "--config", node.daemon().config_file(), "--output", "json"};
  words.insert(words.end(), more.begin(), more.end());
  const CommandResult result = run_command({.argv = std::move(words)});
  return {result.status, result.output};
}

// With somebody beside it who may get nodes/proxy.
Answer ask_doctor_as_admin(NodeUnderTest& node) {
  const TestFolder folder;
  const auto file = folder.write("admin", Cluster::instance().kubeconfig("admin"));
  return ask_doctor(node, {"--admin-kubeconfig", file});
}

// The API server refuses to dial loopback addresses. Empty when this machine has no other one.
std::string address_for_the_api_server() {
  const std::string address = daemon::primary_address();
  return address.starts_with("127.") ? std::string() : address;
}

// Somebody who has each right that a daemon may need, but for one.
class AllRightsBut {
 public:
  explicit AllRightsBut(std::string_view missing) {
    Cluster& cluster = Cluster::instance();
    std::string rules;
    for (const doctor::Feature& feature : doctor::features()) {
      for (const doctor::Right& right : feature.rights) {
        if (right.label() != missing) {
          rules += (rules.empty() ? "" : ",") + rule_of(right);
        }
      }
    }
    const std::string head = R"({"metadata":{"name":")" + name_ + R"("},)";
    cluster.create(kRoles, head + R"("rules":[)" + rules + "]}");
    cluster.create(kBindings, head +
                                  R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io",)"
                                  R"("kind":"ClusterRole","name":")" +
                                  name_ + R"("},"subjects":[{"kind":"User","name":")" + name_ +
                                  R"("}]})");
    // The API server learns of roles by watches of its own.
    const auto until = std::chrono::steady_clock::now() + Cluster::kSoon;
    while (!is_in_force()) {
      if (std::chrono::steady_clock::now() > until) {
        throw std::runtime_error("the rights of " + name_ + " do not come into force");
      }
      std::this_thread::yield();
    }
  }
  ~AllRightsBut() {
    Cluster& cluster = Cluster::instance();
    static_cast<void>(cluster.api().remove(kBindings + ("/" + name_)));
    static_cast<void>(cluster.api().remove(kRoles + ("/" + name_)));
  }
  AllRightsBut(const AllRightsBut&) = delete;
  AllRightsBut& operator=(const AllRightsBut&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string kubeconfig() const {
    Cluster& cluster = Cluster::instance();
    return cluster.kubeconfig(
        cluster.ca().issue({.common_name = name_, .use = CertificateUse::Client}));
  }

 private:
  static constexpr const char* kRoles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  static constexpr const char* kBindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

  static std::string rule_of(const doctor::Right& right) {
    return R"({"apiGroups":[")" + std::string(right.group) + R"("],"resources":[")" +
           std::string(right.resource) + R"("],"verbs":[")" + std::string(right.verb) + "\"]" +
           (right.name.empty() ? "}" : R"(,"resourceNames":[")" + std::string(right.name) + "\"]}");
  }
  // One right is as good as all: they come together.
  [[nodiscard]] bool is_in_force() const {
    const std::string answer = Cluster::instance().create(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        R"({"spec":{"user":")" + name_ +
            R"(","resourceAttributes":{"verb":"get","resource":"nodes"}}})");
    return json_at(answer, "/status/allowed") == "true";
  }

  const std::string name_ = Cluster::unique_name("somebody");
};

TEST(Doctor, FindsNothingWrongBesideADaemonThatHasItsRights) {
  const std::string address = address_for_the_api_server();
  if (address.empty()) {
    GTEST_SKIP() << "no address that the API server would dial";
  }
  const AllRightsBut somebody("");
  DaemonSettings settings;
  settings.kubelet_listen = "0.0.0.0:0";
  settings.kubelet_settings = "advertised_address = '" + address + "'\n";
  settings.provider_settings =
      "material = ['env', 'files', 'storage', 'tokens', 'pull_credentials']\n";
  settings.more = "[policies]\non_stop = 'drain'\n";
  NodeUnderTest node(
      {.kubeconfig = [&](const std::string& /*node*/) { return somebody.kubeconfig(); },
       .daemon = settings});

  const Answer answer = ask_doctor_as_admin(node);

  EXPECT_EQ(answer.status, 0) << answer.json;
  EXPECT_THAT(answer.lines("problem"), IsEmpty());
  EXPECT_EQ(answer.lines("ok", "rights").size(), doctor::features().size()) << answer.json;
  EXPECT_EQ(answer.lines("ok", "reachability").size(), 2U) << answer.json;
  EXPECT_THAT(answer.lines("ok", "clock"), Not(IsEmpty()));
  EXPECT_THAT(answer.json, Not(HasSubstr(Cluster::instance().token("admin"))));
}

TEST(Doctor, FindsNothingWrongWithTheIdentityOfANode) {
  const TestFolder folder;
  DaemonSettings settings;
  settings.kubelet_settings =
      "client_ca_file = '" + folder.write("ca.crt", Cluster::instance().ca_pem()).native() + "'\n";
  settings.provider_settings = "material = ['env']\n";
  NodeUnderTest node({.kubeconfig =
                          [](const std::string& name) {
                            Cluster& cluster = Cluster::instance();
                            return cluster.kubeconfig(
                                cluster.ca().issue({.common_name = "system:node:" + name,
                                                    .organizations = {"system:nodes"},
                                                    .use = CertificateUse::Client}));
                          },
                      .daemon = settings});

  const Answer answer = ask_doctor(node);

  EXPECT_EQ(answer.status, 0) << answer.json;
  EXPECT_THAT(answer.lines("problem"), IsEmpty());
  EXPECT_THAT(answer.lines("skipped", "reachability"), Not(IsEmpty()));
}

TEST(Doctor, NamesTheRightThatIsMissingAndTheFileThatGrantsIt) {
  const AllRightsBut somebody("patch pods/status");
  NodeUnderTest node(
      {.kubeconfig = [&](const std::string& /*node*/) { return somebody.kubeconfig(); }});

  const Answer answer = ask_doctor(node);

  EXPECT_EQ(answer.status, 1) << answer.json;
  EXPECT_THAT(answer.lines("problem"),
              ElementsAre(AllOf(StartsWith("patch pods/status: refused to " + somebody.name()),
                                HasSubstr("packaging/rbac/pods.yaml"))));
}

TEST(Doctor, NamesAClientCertificateThatExpired) {
  NodeUnderTest node(
      {.kubeconfig =
           [](const std::string& /*node*/) {
             Cluster& cluster = Cluster::instance();
             return cluster.kubeconfig(cluster.ca().issue({.common_name = "late",
                                                           .use = CertificateUse::Client,
                                                           .starts = -2h,
                                                           .ends = -1h}));
           }},
      false);

  const Answer answer = ask_doctor(node);

  EXPECT_EQ(answer.status, 1) << answer.json;
  EXPECT_THAT(answer.lines("problem", "certificates"), Contains(HasSubstr("expired at")));
  EXPECT_THAT(answer.lines("problem", "api-server"), Not(IsEmpty()));
}

TEST(Doctor, NamesAPortThatTheApiServerDoesNotReach) {
  const std::string address = address_for_the_api_server();
  if (address.empty()) {
    GTEST_SKIP() << "no address that the API server would dial";
  }
  DaemonSettings settings;  // listens on loopback alone
  settings.kubelet_settings =
      "advertised_address = '" + address + "'\ncheck_advertised_address = false\n";
  NodeUnderTest node({.daemon = settings});

  const Answer answer = ask_doctor_as_admin(node);

  EXPECT_EQ(answer.status, 5) << answer.json;
  EXPECT_THAT(answer.lines("problem", "reachability"),
              ElementsAre(StartsWith("way from this machine to node " + node.name()),
                          StartsWith("way from the API server to node " + node.name())));
  EXPECT_THAT(answer.lines("problem", "rights"), IsEmpty());
}

// This machine's clock, an hour ahead.
class FastClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override { return system_.steady_now(); }
  [[nodiscard]] WallTime wall_now() const override { return system_.wall_now() + 1h; }

 private:
  const SystemClock system_;
};

TEST(Doctor, NamesAClockThatIsOff) {
  NodeUnderTest node;
  doctor::Subject subject;
  config::Sources sources;
  sources.file = node.daemon().config_file();
  subject.loaded = config::load(sources);
  subject.executable = daemon_path();

  const doctor::Examination done = doctor::examine(subject, std::make_shared<FastClock>());

  std::vector<std::string> wrong;
  for (const doctor::Finding& finding : done.report.findings()) {
    if (finding.area == "clock" && finding.verdict == doctor::Verdict::Problem) {
      wrong.push_back(finding.found);
    }
  }
  EXPECT_THAT(wrong, ElementsAre(HasSubstr("ahead of that of the API server")));
}

}  // namespace
}  // namespace vkhost::testing
