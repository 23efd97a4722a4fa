#include "doctor/reach_check.hpp"

#include "kube/paths.hpp"
#include "kube/reviews.hpp"

#include <chrono>
#include <utility>

namespace vkhost::doctor {
namespace {

// The API server gives up on a node after so long at the latest.
constexpr std::chrono::seconds kReachPatience{35};
constexpr std::chrono::seconds kDialPatience{5};

kube::CallOptions reach_options(const Clock& clock) {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock, kReachPatience);
  options.once = true;
  return options;
}

bool may_look(kube::Client& client, const Clock& clock, const std::string& node) {
  kube::AccessQuestion question;
  question.verb = "get";
  question.resource = "nodes";
  question.subresource = "proxy";
  question.name = node;
  const auto verdict = kube::review_own_access(client, question, reach_options(clock));
  return verdict.is_ok() && verdict->is_allowed;
}

std::string advice_for_node(const Status& failure) {
  switch (failure.code()) {
    case StatusCode::NotFound:
      return "Look into the daemon's log for why it did not register the node.";
    case StatusCode::PermissionDenied:
      return "Bind the cluster role system:kubelet-api-admin to the user of the API server's "
             "--kubelet-client-certificate.";
    case StatusCode::Unauthenticated:
      return "Start the API server with --kubelet-client-certificate, and let "
             "kubelet.client_ca_file name the authority of that certificate.";
    default:
      return "Let kubelet.advertised_address be one that the API server reaches, and the firewalls "
             "between let the node's port through.";
  }
}

}  // namespace

void check_dial(http::Transport& transport,
                const KubeletPlace& place,
                const Clock& clock,
                Report& report) {
  Matter matter{"reachability",
                "way from this machine to node " + place.node + " at " + place.address,
                "What is not reached from here is hardly reached from elsewhere."};
  http::Request request;
  request.target = "/healthz";
  const auto answer = transport.send(request, Deadline::after(clock, kDialPatience), {});
  if (answer.is_ok()) {
    report.ok(std::move(matter),
              "GET /healthz is answered, without credentials by " + std::to_string(answer->status));
  } else if (place.is_own) {
    report.problem(std::move(matter), answer.status().message(),
                   "Let kubelet.listen take connections at that address (without an address it "
                   "takes them at all), or set kubelet.advertised_address to one where it does.");
  } else {
    report.warning(std::move(matter), answer.status().message(),
                   "Right if only others get through to that address; else look at what forwards "
                   "it to this machine.");
  }
}

void check_reach(kube::Client& client,
                 const Clock& clock,
                 const std::string& node,
                 Report& report) {
  Matter matter{"reachability", "way from the API server to node " + node,
                "kubectl logs, kubectl exec and metrics take it."};
  const std::string path = kube::node_path(node) + "/proxy/healthz";
  if (!may_look(client, clock, node)) {
    report.skipped(std::move(matter), "these credentials may not get nodes/proxy",
                   "Name some that may in --admin-kubeconfig, or: kubectl get --raw " + path);
    return;
  }
  const auto answer = client.get(path, {}, reach_options(clock));
  if (answer.is_ok()) {
    report.ok(std::move(matter), "GET " + path + " is answered");
  } else {
    report.problem(std::move(matter), answer.status().message(), advice_for_node(answer.status()));
  }
}

}  // namespace vkhost::doctor
