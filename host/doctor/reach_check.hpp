// Whether the kubelet API of a node is reached: from this machine at the address that the node names, and
// from the API server, which is asked for the node's health through its proxy, the way that kubectl logs and
// exec go. A daemon has to run. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "doctor/report.hpp"
#include "http/client.hpp"
#include "kube/client.hpp"

#include <string>

namespace vkhost::doctor {

struct KubeletPlace {
  std::string node;
  std::string address;  // with the port: "10.0.0.7:10250", "[fd00::7]:10250"
  bool is_own = false;  // an interface of this machine has the address
};
// `transport` leads there; no credentials are shown, and any answer will do. What is not this machine's may
// be for others alone to reach.
void check_dial(http::Transport& transport,
                const KubeletPlace& place,
                const Clock& clock,
                Report& report);

// `client` speaks for whoever may get nodes/proxy; others are told how to look.
void check_reach(kube::Client& client, const Clock& clock, const std::string& node, Report& report);

}  // namespace vkhost::doctor
