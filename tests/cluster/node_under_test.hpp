// NodeUnderTest: one virtual node of the real daemon with the mock provider, in the shared control
// plane, with a namespace for its pods. The mock keeps its state in the test's folder, so it goes on
// where it was when the daemon is killed. The destructor stops the daemon and removes what the test
// made. Verbs throw std::runtime_error. One owner. [may-block]
#pragma once

#include "support/cluster.hpp"
#include "support/daemon_process.hpp"
#include "support/fault_proxy.hpp"
#include "support/mock_journal.hpp"
#include "support/pod_book.hpp"
#include "support/test_folder.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

// Under a sanitizer, and with other builds on the same cores, everything takes its time.
inline constexpr std::chrono::seconds kLong{120};
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// The kubeconfig's text for whoever holds the client certificate of that node.
[[nodiscard]] std::string node_kubeconfig(const std::string& node);

struct NodeOptions {
  // Of the cluster's; empty: no kubeconfig. With VKHOST_CLUSTER_IDENTITY=node in the environment the
  // daemon gets the identity of its node in place of kDaemonUser's.
  std::string user = std::string(kDaemonUser);
  const FaultProxy* proxy = nullptr;  // between the daemon and the API server
  // Makes the kubeconfig's text from the node's name, where no user of the cluster's will do.
  std::function<std::string(const std::string& node)> kubeconfig = {};
  std::string rules = {};      // TOML: elements of the mock's list of rules
  DaemonSettings daemon = {};  // name, credentials and the mock's settings are filled in
};

// What a pod of these tests looks like, unless it says otherwise.
struct PodOptions {
  std::map<std::string, std::string> annotations = {};
  std::string restart_policy = "Always";
  int grace_s = 30;
  std::string node = {};  // another of the same daemon
  std::string spec = {};  // further members, as JSON
};

class NodeUnderTest {
 public:
  // Returns when the node is Ready, unless told not to wait.
  explicit NodeUnderTest(NodeOptions options = {}, bool wait = true);
  ~NodeUnderTest();
  NodeUnderTest(const NodeUnderTest&) = delete;
  NodeUnderTest& operator=(const NodeUnderTest&) = delete;

  [[nodiscard]] Cluster& cluster() { return cluster_; }
  [[nodiscard]] DaemonProcess& daemon() { return *daemon_; }
  // What it was started with, to be changed and given to daemon().configure().
  [[nodiscard]] const DaemonSettings& daemon_settings() const { return settings_; }
  [[nodiscard]] const MockJournal& journal() const { return journal_; }
  [[nodiscard]] const PodBook& book() const { return book_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& space() const { return space_; }
  [[nodiscard]] std::string path() const { return "/api/v1/nodes/" + name_; }
  [[nodiscard]] std::string pods_path() const { return "/api/v1/namespaces/" + space_ + "/pods"; }
  [[nodiscard]] std::string pod_path(std::string_view pod) const {
    return pods_path() + "/" + std::string(pod);
  }

  // The node's JSON.
  std::string wait_until_ready(std::chrono::milliseconds within = kLong);
  // Bound to the node already, so no scheduler is asked; returns its UID. [any-thread]
  std::string create_pod(std::string_view pod, const PodOptions& options = {});
  void wait_until_running(std::string_view pod);
  // The name of the virtual node's pods in kubectl's arguments: {"--namespace", …} before yours.
  CommandResult kubectl(std::vector<std::string> arguments, std::string input = {});

 private:
  Cluster& cluster_ = Cluster::instance();
  const std::string name_ = Cluster::unique_name("node");
  const std::string space_;
  std::vector<std::string> more_nodes_;
  TestFolder folder_;
  const MockJournal journal_;
  const PodBook book_;
  DaemonSettings settings_;
  std::unique_ptr<DaemonProcess> daemon_;
};

}  // namespace vkhost::testing
