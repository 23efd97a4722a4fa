#include "doctor/address_checks.hpp"

#include "http/listener.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace vkhost::doctor {
namespace {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

bool is_alive(std::int64_t process) {
  return process > 0 && (::kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM);
}

// As the daemon listens: without an address on all of them, on a machine without IPv6 too.
Status try_port(const std::string& address, int port) {
  Status got = http::bind_listener(address.empty() ? "::" : address, port).status();
  if (!got.is_ok() && address.empty()) {
    got = http::bind_listener("0.0.0.0", port).status();
  }
  return got;
}

// 0: whichever is free. Nothing: the configured range has none left for this node.
std::optional<int> port_of(const config::Config& config, std::size_t index) {
  if (config.nodes[index].port) {
    return static_cast<int>(*config.nodes[index].port);
  }
  const config::Listen& range = *config.kubelet.listen;
  if (range.first_port == 0) {
    return 0;
  }
  const int port = range.first_port + static_cast<int>(index);
  return port <= range.last_port ? std::optional(port) : std::nullopt;
}

bool holds(const std::optional<daemon::RuntimeFile>& running, int port) {
  return running && std::any_of(running->nodes.begin(), running->nodes.end(),
                                [&](const daemon::RuntimeNode& node) { return node.port == port; });
}

void check_port(const std::string& address,
                int port,
                const std::optional<daemon::RuntimeFile>& running,
                Matter matter,
                const std::string& key,
                Report& report) {
  if (holds(running, port)) {
    report.ok(std::move(matter),
              "the daemon that runs has it (process " + std::to_string(running->pid) + ")");
    return;
  }
  const Status got = try_port(address, port);
  if (got.is_ok()) {
    report.ok(std::move(matter), port == 0 ? "any that is free" : "it is free");
  } else {
    report.problem(
        std::move(matter), got.message(),
        "End what has the port (ss -ltnp shows it), or name another one in " + key + ".");
  }
}

}  // namespace

Result<std::optional<daemon::RuntimeFile>> running_daemon(const config::PathsConfig& paths) {
  auto file = daemon::read_runtime_file(paths.runtime);
  if (file.status().code() == StatusCode::NotFound) {
    return std::optional<daemon::RuntimeFile>();
  }
  if (!file.is_ok()) {
    return file.status();
  }
  return is_alive(file->pid) ? std::optional(std::move(*file)) : std::nullopt;
}

bool is_own_address(const std::string& address) { return http::bind_listener(address, 0).is_ok(); }

void check_addresses(const config::Config& config,
                     const std::vector<std::string>& advertised,
                     Report& report) {
  const bool is_cluster = !config.standalone.enabled;
  for (const std::string& address : advertised) {
    const Matter matter{"address", "advertised address " + address,
                        "The API server dials it for kubectl logs and exec, and pods show it."};
    const Status local = http::bind_listener(address, 0).status();
    if (local.code() == StatusCode::InvalidArgument) {
      report.problem(matter, "it is no IP address", "Set kubelet.advertised_address to one.");
    } else if (!local.is_ok()) {
      report.warning(matter, "no interface of this machine has it",
                     "Right if something forwards it to this machine; else set "
                     "kubelet.advertised_address to an address of this machine.");
    } else if (is_cluster && is_loopback(address)) {
      report.warning(matter, "only this machine reaches it",
                     "Unless the API server runs here too, set kubelet.advertised_address to an "
                     "address that it reaches.");
    } else {
      report.ok(matter, "it is this machine's");
    }
  }
}

void check_ports(const config::Config& config,
                 const std::optional<daemon::RuntimeFile>& running,
                 Report& report) {
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    const std::string& name = config.nodes[i].name;
    const std::optional<int> port = port_of(config, i);
    Matter matter{"address",
                  "port of the kubelet API of " +
                      (name.empty() ? std::string("the node") : "node " + name) +
                      (port && *port != 0 ? ": " + std::to_string(*port) : ""),
                  "The daemon does not start without it."};
    if (!port) {
      report.problem(std::move(matter), "kubelet.listen has fewer ports than there are nodes",
                     "Give it a wider range, or the node a port of its own.");
    } else {
      check_port(config.kubelet.listen->address, *port, running, std::move(matter),
                 config.nodes[i].port ? "the node's port" : "kubelet.listen", report);
    }
  }
  // The daemon doesn't say where its health endpoints are.
  if (!config.health.listen.off && !running) {
    const config::Listen& health = config.health.listen;
    check_port(health.address.empty() ? "0.0.0.0" : health.address, health.first_port, running,
               {"address", "port of the health endpoints: " + std::to_string(health.first_port),
                "The daemon does not start without it."},
               "health.listen", report);
  }
}

}  // namespace vkhost::doctor
