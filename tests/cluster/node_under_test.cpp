#include "cluster/node_under_test.hpp"

#include "support/json_pointer.hpp"
#include "support/run_records.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace vkhost::testing {

namespace {

bool is_told_to_be_its_node() {
  const char* const identity =
      std::getenv("VKHOST_CLUSTER_IDENTITY");  // NOLINT(concurrency-mt-unsafe): never written
  return identity != nullptr && std::string_view(identity) == "node";
}

std::string kubeconfig_of(Cluster& cluster, const NodeOptions& options) {
  if (options.user.empty()) {
    return "";
  }
  return options.proxy == nullptr ? cluster.kubeconfig(options.user)
                                  : cluster.kubeconfig(options.user, *options.proxy);
}

// What the mock wrote down, but for material that it was told to keep.
void keep_journal(const std::filesystem::path& state_dir) {
  for (const auto& each : std::filesystem::recursive_directory_iterator(state_dir)) {
    if (each.is_regular_file() && each.path().parent_path().filename() != "material") {
      keep_file(each.path(), "mock-" + each.path().filename().native());
    }
  }
}

// A list of objects, one on each line.
std::string one_per_line(std::string list) {
  constexpr std::string_view kNext = R"(},{"metadata":)";
  for (auto at = list.find(kNext); at != std::string::npos; at = list.find(kNext, at)) {
    at += 2;  // after the comma
    list.insert(at, 1, '\n');
  }
  return list;
}

}  // namespace

std::string node_kubeconfig(const std::string& node) {
  Cluster& cluster = Cluster::instance();
  return cluster.kubeconfig(cluster.ca().issue({.common_name = "system:node:" + node,
                                                .organizations = {"system:nodes"},
                                                .use = CertificateUse::Client}));
}

NodeUnderTest::NodeUnderTest(NodeOptions options, bool wait)
    : space_(cluster_.create_namespace()), journal_(folder_.path()), book_(cluster_, space_) {
  DaemonSettings settings = std::move(options.daemon);
  settings.node_name = name_;
  more_nodes_ = settings.more_nodes;
  if (options.kubeconfig) {
    settings.kubeconfig = options.kubeconfig(name_);
  } else if (options.user == kDaemonUser && is_told_to_be_its_node()) {
    if (options.proxy != nullptr) {
      throw std::runtime_error("a certificate does not get through the proxy");
    }
    settings.kubeconfig = node_kubeconfig(name_);
    // A node may not read the cluster's client authority.
    settings.kubelet_settings +=
        "client_ca_file = '" + folder_.write("ca.crt", cluster_.ca_pem()).native() + "'\n";
  } else {
    settings.kubeconfig = kubeconfig_of(cluster_, options);
  }
  settings.provider_settings += "pods = '1000'\nstate_dir = '" + folder_.path().native() + "'\n";
  if (!options.rules.empty()) {
    settings.provider_settings += "rules = [" + options.rules + "]\n";
  }
  settings_ = settings;
  daemon_ = std::make_unique<DaemonProcess>(std::move(settings));
  if (wait) {
    try {
      wait_until_ready();
    } catch (const std::exception& error) {
      throw std::runtime_error(error.what() + ("\nthe daemon's log:\n" + daemon_->log()));
    }
  }
}

NodeUnderTest::~NodeUnderTest() {
  try {
    if (::testing::Test::HasFailure()) {
      std::cerr << "pods:\n" << book_.summary();
    }
    // A daemon that runs would make its node again.
    if (!daemon_->stop()) {
      daemon_->kill();
    }
    keep_journal(folder_.path());
    keep_text(one_per_line(cluster_.get("/api/v1/namespaces/" + space_ + "/events")), "events");
    cluster_.remove(pods_path(), 0);
    cluster_.remove(path());
    for (const std::string& node : more_nodes_) {
      cluster_.remove("/api/v1/nodes/" + node);
    }
    cluster_.remove("/api/v1/namespaces/" + space_);
  } catch (const std::exception& error) {
    std::cerr << "cleaning up after a test: " << error.what() << '\n';
  }
}

std::string NodeUnderTest::wait_until_ready(std::chrono::milliseconds within) {
  return cluster_.wait_for(
      path(),
      [](const std::string& node) {
        return !node.empty() && condition_of(node, "Ready") == "True";
      },
      within);
}

std::string NodeUnderTest::create_pod(std::string_view pod, const PodOptions& options) {
  std::string annotations;
  for (const auto& [key, value] : options.annotations) {
    annotations += (annotations.empty() ? "\"" : ",\"") + key + "\":\"" + value + "\"";
  }
  const std::string created = cluster_.create(
      pods_path(), R"({"metadata":{"name":")" + std::string(pod) + R"(","annotations":{)" +
                       annotations + R"(}},"spec":{"nodeName":")" +
                       (options.node.empty() ? name_ : options.node) + R"(","restartPolicy":")" +
                       options.restart_policy + R"(","terminationGracePeriodSeconds":)" +
                       std::to_string(options.grace_s) +
                       (options.spec.empty() ? "" : "," + options.spec) +
                       R"(,"containers":[{"name":"main","image":"registry.example/app:1"}]}})");
  return json_at(created, "/metadata/uid");
}

void NodeUnderTest::wait_until_running(std::string_view pod) {
  cluster_.wait_for(
      pod_path(pod),
      [](const std::string& object) {
        return !object.empty() && json_at(object, "/status/phase") == "Running" &&
               condition_of(object, "Ready") == "True";
      },
      kLong);
  // The book is written by a watch of its own, which may be a moment behind.
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (std::chrono::steady_clock::now() < deadline) {
    const PodHistory history = book().page(pod);
    if (!history.sights.empty() && history.last().phase == "Running") {
      return;
    }
    std::this_thread::yield();
  }
}

CommandResult NodeUnderTest::kubectl(std::vector<std::string> arguments, std::string input) {
  arguments.insert(arguments.begin(), {"--namespace", space_});
  return cluster_.kubectl(arguments, std::move(input));
}

}  // namespace vkhost::testing
