#include "doctor/rights_check.hpp"

#include "base/joined.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace vkhost::doctor {
namespace {

constexpr std::chrono::seconds kReviewPatience{10};
constexpr std::string_view kRightsArea = "rights";

Result<kube::AccessVerdict> ask_for_own_access(kube::Client& client,
                                               const Clock& clock,
                                               const kube::AccessQuestion& question) {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock, kReviewPatience);
  return kube::review_own_access(client, question, options);
}

std::string advice_for_right(const Feature& feature, bool is_node, const std::string& user) {
  if (is_node && feature.name == "client-authority") {
    return "A node may not read it: name the authority in kubelet.client_ca_file.";
  }
  if (is_node) {
    return "Let the API server run with --authorization-mode=Node,RBAC, and this be the identity "
           "of the node that is configured.";
  }
  const std::string file = "packaging/rbac/" + std::string(feature.name) + ".yaml";
  if (user == "system:serviceaccount:vkhost:vkhost") {
    return "kubectl apply -f " + file;
  }
  return "Bind the rights of " + file + " to " + user + ".";
}

class RightsCheck {
 public:
  RightsCheck(kube::Client& client, const Clock& clock, const Asker& asker, Report& report)
      : client_(client), clock_(clock), asker_(asker), report_(report) {}

  // False when the API server doesn't say: the next question would fare no better.
  bool check(const Feature& feature, bool is_node, const std::string& user) {
    std::vector<std::string> allowed;
    bool is_complete = true;
    for (const Right& right : feature.rights) {
      if (is_node && right.for_nodes == ForNodes::NotAsked) {
        continue;
      }
      const std::string label = label_of(right);
      const Matter matter{kRightsArea, label, std::string(feature.without)};
      const auto verdict = ask_for_own_access(client_, clock_, question_of(right, asker_));
      if (!verdict.is_ok()) {
        report_.problem(matter, "the API server does not say: " + verdict.status().message(),
                        "Ask again once it answers; every user may ask this of itself unless "
                        "system:basic-user was taken away.");
        return false;
      }
      if (verdict->is_allowed) {
        allowed.push_back(label);
        continue;
      }
      is_complete = false;
      const std::string found =
          "refused to " + user + (verdict->reason.empty() ? "" : " (" + verdict->reason + ")");
      if (feature.is_spared) {
        report_.warning(matter, found, advice_for_right(feature, is_node, user));
      } else {
        report_.problem(matter, found, advice_for_right(feature, is_node, user));
      }
    }
    if (is_complete && allowed.empty()) {
      report_.skipped(
          {kRightsArea, "feature " + std::string(feature.name), std::string(feature.without)},
          "the Node authoriser decides for each object, once a pod refers to it");
    } else if (is_complete) {
      report_.ok(
          {kRightsArea, "feature " + std::string(feature.name), std::string(feature.without)},
          "the API server allows to " + user + ": " + joined(allowed));
    }
    return true;
  }

 private:
  [[nodiscard]] std::string label_of(const Right& right) const {
    const bool is_elsewhere = right.reach != Reach::OfPods || asker_.only_namespace.empty();
    return right.label() + (is_elsewhere ? "" : " in " + asker_.only_namespace);
  }

  kube::Client& client_;
  const Clock& clock_;
  const Asker& asker_;
  Report& report_;
};

}  // namespace

void check_rights(kube::Client& client,
                  const Clock& clock,
                  const Uses& uses,
                  const Asker& asker,
                  const std::string& user,
                  Report& report) {
  RightsCheck check(client, clock, asker, report);
  for (const Feature* feature : features_in_use(uses)) {
    if (!check.check(*feature, uses.is_node, user)) {
      return;
    }
  }
}

void check_bootstrap_rights(kube::Client& client, const Clock& clock, Report& report) {
  Matter matter{kRightsArea, "create certificatesigningrequests",
                "Without a certificate of its own the daemon has no credentials."};
  kube::AccessQuestion question;
  question.verb = "create";
  question.group = "certificates.k8s.io";
  question.resource = "certificatesigningrequests";
  const auto verdict = ask_for_own_access(client, clock, question);
  const std::string advice = "kubectl apply -f packaging/rbac/bootstrap/certificates.yaml";
  if (!verdict.is_ok()) {
    report.problem(std::move(matter), "the API server does not say: " + verdict.status().message(),
                   advice);
  } else if (!verdict->is_allowed) {
    report.problem(std::move(matter), "refused to the credentials of bootstrap_kubeconfig", advice);
  } else {
    report.ok(std::move(matter), "allowed; the other rights come with the certificate");
  }
}

}  // namespace vkhost::doctor
