// RecordingListener: the host's ear for a provider, which keeps what it heard and can be waited on.
// Knows every pod, unless told otherwise. `on_step` is called where a process could end: before and
// after each call of the provider has its effect. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "plugin/provider.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::testing {

class RecordingListener final : public plugin::ProviderListener {
 public:
  explicit RecordingListener(std::function<void()> on_step = [] {})
      : on_step_(std::move(on_step)) {}

  Status pod_changed(plugin::PodChange change) override {
    const Step step(*this);
    MutexLock lock(mutex_);
    if (unknown_.count(change.uid) != 0) {
      return not_found("no pod " + change.uid);
    }
    changes_.push_back(std::move(change));
    changed_.notify_all();
    return Status::ok();
  }

  Status node_changed() override {
    const Step step(*this);
    MutexLock lock(mutex_);
    ++node_changes_;
    changed_.notify_all();
    return Status::ok();
  }

  Status save_handle(const std::string& uid, const std::string& handle) override {
    const Step step(*this);
    MutexLock lock(mutex_);
    handles_[uid] = handle;
    changed_.notify_all();
    return Status::ok();
  }

  Status evict(plugin::Eviction eviction) override {
    MutexLock lock(mutex_);
    if (unknown_.count(eviction.uid) != 0) {
      return not_found("no pod " + eviction.uid);
    }
    evictions_.push_back(std::move(eviction));
    changed_.notify_all();
    return Status::ok();
  }

  Status emit(plugin::ProviderEvent event) override {
    MutexLock lock(mutex_);
    if (unknown_.count(event.pod_uid) != 0) {
      return not_found("no pod " + event.pod_uid);
    }
    events_.push_back(std::move(event));
    changed_.notify_all();
    return Status::ok();
  }

  void forget(const std::string& uid) {
    MutexLock lock(mutex_);
    unknown_.insert(uid);
  }

  [[nodiscard]] std::vector<plugin::PodChange> changes(const std::string& uid) const {
    MutexLock lock(mutex_);
    return changes_of(uid);
  }
  [[nodiscard]] std::map<std::string, std::string> handles() const {
    MutexLock lock(mutex_);
    return handles_;
  }
  [[nodiscard]] std::vector<plugin::Eviction> evictions() const {
    MutexLock lock(mutex_);
    return evictions_;
  }
  [[nodiscard]] std::vector<plugin::ProviderEvent> events() const {
    MutexLock lock(mutex_);
    return events_;
  }
  [[nodiscard]] int node_changes() const {
    MutexLock lock(mutex_);
    return node_changes_;
  }

  // Until something is heard of any pod; false when the time is over first.
  bool wait_for_news(std::chrono::milliseconds limit) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    MutexLock lock(mutex_);
    const std::size_t before = changes_.size();
    while (changes_.size() == before) {
      if (!changed_.wait_until(mutex_, until)) {
        return changes_.size() != before;
      }
    }
    return true;
  }

  // Until `holds` is true for what was heard of this pod; false when the time is over first.
  bool wait_for(const std::string& uid,
                const std::function<bool(const std::vector<plugin::PodChange>&)>& holds,
                std::chrono::milliseconds limit) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    MutexLock lock(mutex_);
    while (!holds(changes_of(uid))) {
      if (!changed_.wait_until(mutex_, until)) {
        return holds(changes_of(uid));
      }
    }
    return true;
  }

 private:
  class Step {
   public:
    explicit Step(const RecordingListener& of) : of_(of) { of_.on_step_(); }
    ~Step() { of_.on_step_(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    const RecordingListener& of_;
  };

  [[nodiscard]] std::vector<plugin::PodChange> changes_of(const std::string& uid) const
      VKHOST_REQUIRES(mutex_) {
    std::vector<plugin::PodChange> found;
    for (const plugin::PodChange& change : changes_) {
      if (change.uid == uid) {
        found.push_back(change);
      }
    }
    return found;
  }

  const std::function<void()> on_step_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::vector<plugin::PodChange> changes_ VKHOST_GUARDED_BY(mutex_);
  std::vector<plugin::ProviderEvent> events_ VKHOST_GUARDED_BY(mutex_);
  std::vector<plugin::Eviction> evictions_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, std::string> handles_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::string> unknown_ VKHOST_GUARDED_BY(mutex_);
  int node_changes_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::testing
