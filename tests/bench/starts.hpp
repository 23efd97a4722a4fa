// Starts: one daemon with the mock provider that is started again and again in the shared control
// plane. What start and restart measure.
#pragma once

#include "support/cluster.hpp"
#include "support/daemon_process.hpp"
#include "support/mock_journal.hpp"
#include "support/test_folder.hpp"

#include <chrono>
#include <string>

namespace vkhost::bench {

class Starts {
 public:
  using Millis = std::chrono::duration<double, std::milli>;

  explicit Starts(testing::Cluster& cluster) : cluster_(cluster) {}

  // The daemon is killed and its Node removed, so that Ready is news: from its start until the API
  // shows the node Ready.
  Millis daemon_run();
  // What a raw client needs for the requests that this cannot do without.
  Millis raw_run();
  // So many pods run on the node from now on.
  void run_pods(int count);

  [[nodiscard]] const testing::MockJournal& journal() const { return journal_; }

 private:
  testing::Cluster& cluster_;
  const std::string node_ = testing::Cluster::unique_name("start-node");
  const testing::TestFolder folder_;
  const testing::MockJournal journal_{folder_.path()};
  testing::DaemonProcess daemon_{
      {.node_name = node_,
       .kubeconfig = cluster_.kubeconfig("admin"),
       .provider_settings = "pods = '10000'\nstate_dir = '" + folder_.path().native() + "'\n"}};
};

}  // namespace vkhost::bench
