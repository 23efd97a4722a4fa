// Settings of the pod engine of one node.
#pragma once

#include "base/backoff.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::pods {

// What becomes of a pod whose workload was started once and is absent now.
enum class OnLost { Fail, Recreate, Wait };
// A pod's own word on that.
struct LossPolicy {
  std::optional<OnLost> on_lost;
  std::string problem;  // why the annotation counts for nothing, or empty
};
// What becomes of a workload that bears our marks while its pod is gone from the API.
enum class Orphans { Report, Delete };

struct Settings {
  // Creates and updates in parallel, and as many deletes beside them; at most the provider's limit.
  std::size_t workers = 16;
  std::size_t status_writers = 16;
  OnLost on_lost = OnLost::Fail;
  Orphans orphans = Orphans::Report;
  std::size_t max_orphan_deletions = 10;  // for each sweep
  std::chrono::milliseconds resync_interval{std::chrono::minutes{1}};
  std::chrono::milliseconds call_timeout{std::chrono::seconds{60}};
  // Beyond its grace a deletion that the provider accepted may take this long before it is asked
  // again, without grace.
  std::chrono::milliseconds deletion_slack{std::chrono::seconds{30}};
  // Beyond its grace an object waits so long for the end of its workload; then it is removed, and
  // the workload is deleted on. 0: for ever.
  std::chrono::milliseconds deletion_limit{std::chrono::minutes{10}};
  // What the provider keeps of a finished pod is deleted after so long. 0: with its object.
  std::chrono::milliseconds keep_finished{0};
  // How long save_handle() may take.
  std::chrono::milliseconds handle_timeout{std::chrono::seconds{10}};
  BackoffLimits backoff{};
  // Prefixes of the annotations that the provider writes itself: their change is no update for it.
  // Conditions that begin with one are its own as well.
  std::vector<std::string> annotation_prefixes;
  // Pods that do not fit the node (selectors, taints, resources) are rejected, as by a kubelet.
  bool check_fit = true;
  bool refuse_daemon_sets = false;
  bool reject_unsupported_fields = false;  // else they are only told
  std::string host_ip;                     // status.hostIP of the pods; empty: left out
  bool normal_events = true;               // else Warnings only
};

}  // namespace vkhost::pods
