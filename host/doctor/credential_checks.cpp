#include "doctor/credential_checks.hpp"

#include "daemon/identity.hpp"
#include "doctor/certificate_checks.hpp"
#include "http/certificate_request.hpp"
#include "kube/reviews.hpp"

#include <chrono>
#include <utility>

namespace vkhost::doctor {
namespace {

constexpr std::chrono::seconds kSelfPatience{10};

// Of a client certificate, where the API server has no word for it.
kube::UserInfo user_of_certificate(const http::ClientTls& tls) {
  kube::UserInfo user;
  if (const auto facts = http::read_certificate_facts(tls.certificate_pem); facts.is_ok()) {
    user.username = facts->subject.common_name;
    user.groups = facts->subject.organizations;
  }
  return user;
}

}  // namespace

void check_connection_certificates(const kube::Connection& connection,
                                   const http::ClientTls& tls,
                                   bool is_renewed,
                                   WallTime now,
                                   Report& report) {
  if (connection.insecure_skip_tls_verify) {
    report.warning({"certificates", "authorities of the API server",
                    "Whoever stands between could take the daemon's credentials."},
                   "the API server's certificate is not checked (insecure-skip-tls-verify)",
                   "Name the authority instead (certificate-authority).");
  } else if (!tls.ca_pem.empty()) {
    check_authorities({"certificates", "authorities of the API server",
                       "Without one that is good, no connection to it is made."},
                      tls.ca_pem,
                      "Put the cluster's present authorities into " + connection.origin + ".", now,
                      report);
  }
  if (!tls.certificate_pem.empty()) {
    CertificateQuestion question;
    question.matter = {"certificates", "client certificate",
                       "The API server knows the daemon by it."};
    question.pem = tls.certificate_pem;
    question.key_pem = Secret(tls.key_pem);
    question.renewal =
        is_renewed
            ? std::string("The daemon gets another one by itself while it runs; see its log.")
            : "Get another one and put it into " + connection.origin + ".";
    check_certificate(question, now, report);
  }
}

Self check_self(kube::Client& client,
                const http::ClientTls& tls,
                const config::Config& config,
                const Clock& clock,
                Report& report) {
  Matter matter{"credentials", "identity of the daemon", "Rights are given to it."};
  kube::CallOptions options;
  options.deadline = Deadline::after(clock, kSelfPatience);
  options.once = true;
  const auto answer = kube::review_self(client, options);
  if (answer.status().code() == StatusCode::Unauthenticated) {
    report.problem(std::move(matter), "the API server does not know these credentials",
                   "Get new ones: a token may have expired, a certificate be of another cluster.");
    return {"", false, true};
  }
  const kube::UserInfo user = answer.is_ok() ? *answer : user_of_certificate(tls);
  if (user.username.empty()) {
    report.skipped(std::move(matter), "nobody says: " + answer.status().message());
    return {};
  }
  const std::string node = daemon::node_of_user(user.username, user.groups);
  for (const config::NodeConfig& each : config.nodes) {
    const Status fits = daemon::check_node_identity(node, each.name);
    if (!fits.is_ok()) {
      report.problem(
          matter, fits.message(),
          "Name the node " + node + " (node.name), or give the daemon other credentials.");
      return {user.username, true, false};
    }
  }
  report.ok(std::move(matter), user.username);
  return {user.username, !node.empty(), false};
}

}  // namespace vkhost::doctor
