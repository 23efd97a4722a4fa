// PodBook: every version of every pod of one namespace that a watch has shown, in order, so that a
// test can say "never Ready", "started once" or "all of them Running". A thread of its own follows
// the API server; the destructor joins it. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "support/cluster.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::testing {

// One version of one pod.
struct PodSight {
  std::string phase = {};
  std::string reason = {};
  std::string waiting_reason = {};  // of its first container
  std::string start_time = {};
  std::string ip = {};
  std::string node = {};
  std::vector<int> exit_codes = {};  // of the containers that have ended
  bool ready = false;
  bool deleting = false;
  std::string json = {};
};

struct PodHistory {
  std::string name = {};
  bool gone = false;
  std::vector<PodSight> sights = {};  // never empty

  [[nodiscard]] const PodSight& last() const& { return sights.back(); }
  [[nodiscard]] PodSight last() && { return std::move(sights.back()); }
  [[nodiscard]] bool was_running() const;
  [[nodiscard]] bool was_ready() const;
  // The distinct start times it ever showed: one, for a pod that nothing went wrong with.
  [[nodiscard]] std::vector<std::string> start_times() const;
};

// By UID: a pod that was made again under its old name has a page of its own.
using PodPages = std::map<std::string, PodHistory>;

class PodBook {
 public:
  PodBook(const Cluster& cluster, std::string namespace_name);
  ~PodBook();
  PodBook(const PodBook&) = delete;
  PodBook& operator=(const PodBook&) = delete;

  [[nodiscard]] PodPages pages() const;
  // Of the pod that bears the name now, or bore it last; an empty one when there was none.
  [[nodiscard]] PodHistory page(std::string_view name) const;
  // False when `within` passed first. [may-block]
  [[nodiscard]] bool wait_until(const std::function<bool(const PodPages& pages)>& condition,
                                std::chrono::milliseconds within) const;
  // So many pods are there, all of them Running and Ready, none being deleted.
  [[nodiscard]] bool wait_until_running(std::size_t count, std::chrono::milliseconds within) const;
  [[nodiscard]] bool wait_until_empty(std::chrono::milliseconds within) const;
  // What a failed wait should say: how many pods are in which state, and one of each.
  [[nodiscard]] std::string summary() const;

 private:
  void follow();
  void take(std::string_view event, std::string* version);
  void take_list(const std::string& list, std::string* version);

  const std::string path_;
  mutable ApiClient api_;
  WakeFd stop_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  mutable CondVar changed_;
  PodPages pages_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, std::string, std::less<>> uids_ VKHOST_GUARDED_BY(mutex_);  // by name
  Thread follower_;
};

}  // namespace vkhost::testing
