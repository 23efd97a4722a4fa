#include "daemon/node_plan.hpp"

#include "base/json_text.hpp"
#include "base/version.hpp"

#include <sys/utsname.h>

#include <string_view>

namespace vkhost::daemon {
namespace {

// The Kubernetes version whose API this daemon was built and tested against.
constexpr std::string_view kKubernetesVersion = "v1.36.3";

std::string machine_architecture() {
  utsname names{};
  if (::uname(&names) != 0) {
    return "amd64";
  }
  const std::string_view machine(&names.machine[0]);
  if (machine == "x86_64") {
    return "amd64";
  }
  return machine == "aarch64" ? "arm64" : std::string(machine);
}

pods::OnLost loss_policy(config::OnLost policy) {
  switch (policy) {
    case config::OnLost::Recreate:
      return pods::OnLost::Recreate;
    case config::OnLost::Wait:
      return pods::OnLost::Wait;
    case config::OnLost::Fail:
      break;
  }
  return pods::OnLost::Fail;
}

}  // namespace

node::Settings node_settings(const config::NodeConfig& node, const Endpoint& kubelet) {
  node::Settings settings;
  settings.name = node.name;
  settings.provider = node.provider;
  settings.labels = node.labels;
  settings.annotations = node.annotations;
  if (node.taints) {
    settings.taints.emplace();
    for (const config::Taint& taint : *node.taints) {
      settings.taints->push_back({taint.key, taint.value, taint.effect});
    }
  }
  for (const config::Taint& taint : node.startup_taints) {
    settings.startup_taints.push_back({taint.key, taint.value, taint.effect});
  }
  settings.capacity = node.capacity;
  settings.allocatable = node.allocatable;
  for (const config::NodeAddress& address : node.addresses) {
    settings.addresses.push_back({address.type, address.address});
  }
  if (settings.addresses.empty()) {
    settings.addresses.push_back({"InternalIP", kubelet.address});
    if (!kubelet.other_address.empty()) {
      settings.addresses.push_back({"InternalIP", kubelet.other_address});
    }
    settings.addresses.push_back({"Hostname", node.name});
  }
  settings.kubelet_port = kubelet.port;
  settings.operating_system = node.operating_system;
  settings.architecture = node.architecture;
  settings.machine_architecture = machine_architecture();
  settings.kubelet_version =
      node.kubelet_version.empty()
          ? std::string(kKubernetesVersion) + "-vkhost-" + std::string(daemon_version())
          : node.kubelet_version;
  settings.provider_id = node.provider_id;
  settings.lease_duration = node.lease_duration;
  settings.capacity_file = node.capacity_file;
  settings.ping_failures = static_cast<std::uint32_t>(node.ping_failures);
  settings.ping_interval = node.ping_interval;
  settings.ping_timeout = node.ping_timeout;
  settings.status_interval = node.status_interval;
  return settings;
}

pods::Settings pods_settings(const config::Config& config,
                             const config::NodeConfig& node,
                             const Endpoint& kubelet) {
  pods::Settings settings;
  settings.workers = static_cast<std::size_t>(config.pods.workers);
  settings.status_writers = static_cast<std::size_t>(config.pods.status_writers);
  settings.on_lost = loss_policy(node.on_lost.value_or(config.policies.on_lost));
  settings.orphans = config.policies.orphans == config::Orphans::Delete ? pods::Orphans::Delete
                                                                        : pods::Orphans::Report;
  settings.max_orphan_deletions = static_cast<std::size_t>(config.policies.max_orphan_deletions);
  settings.resync_interval = config.pods.resync_interval;
  settings.call_timeout = config.pods.call_timeout;
  settings.deletion_slack = config.pods.deletion_slack;
  settings.deletion_limit = config.pods.deletion_limit;
  settings.keep_finished = config.pods.keep_finished;
  settings.normal_events = config.pods.events == config::PodEvents::All;
  settings.backoff = {config.pods.backoff_first, config.pods.backoff_cap};
  settings.check_fit = config.policies.admission;
  settings.refuse_daemon_sets = config.policies.daemonset_pods == config::DaemonsetPods::Refuse;
  settings.reject_unsupported_fields =
      config.policies.unsupported_fields == config::UnsupportedFields::Reject;
  settings.host_ip = kubelet.address;
  return settings;
}

std::string instance_info(const config::Config& config,
                          const config::NodeConfig& node,
                          const Endpoint& kubelet) {
  std::string out = "{";
  const auto member = [&](std::string_view name, std::string_view value) {
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
    out += ',';
  };
  member("node_name", node.name);
  member("address", kubelet.address);
  member("cluster_domain", config.kubernetes.cluster_domain);
  member("mode", config.standalone.enabled ? "standalone" : "cluster");
  member("host_version", daemon_version());
  return out + "\"kubelet_port\":" + std::to_string(kubelet.port) + "}";
}

}  // namespace vkhost::daemon
