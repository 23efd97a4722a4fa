// DesiredPods: a kube::PodListener that remembers what it was told, for tests that wait for a state.
// [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "kube/pod_record.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::testing {

class DesiredPods final : public kube::PodListener {
 public:
  using Pods = std::map<std::string, kube::PodPtr>;  // by name

  void pods_listed(std::vector<kube::PodPtr> pods) override {
    const MutexLock lock(mutex_);
    pods_.clear();
    for (kube::PodPtr& pod : pods) {
      std::string name = pod->name;
      pods_[std::move(name)] = std::move(pod);
    }
    ++lists_;
    changed_.notify_all();
  }
  void pod_applied(kube::PodPtr pod) override {
    const MutexLock lock(mutex_);
    std::string name = pod->name;
    pods_[std::move(name)] = std::move(pod);
    changed_.notify_all();
  }
  void pod_removed(const std::string& uid) override {
    const MutexLock lock(mutex_);
    std::erase_if(pods_, [&](const auto& entry) { return entry.second->uid == uid; });
    changed_.notify_all();
  }

  // False when `condition` does not hold within `patience`.
  [[nodiscard]] bool wait_for(const std::function<bool(const Pods& pods, int lists)>& condition,
                              std::chrono::seconds patience = std::chrono::seconds{30}) {
    const auto until = std::chrono::steady_clock::now() + patience;
    const MutexLock lock(mutex_);
    while (!condition(pods_, lists_)) {
      if (!changed_.wait_until(mutex_, until)) {
        return condition(pods_, lists_);
      }
    }
    return true;
  }
  [[nodiscard]] bool wait_for_names(const std::vector<std::string>& names) {
    return wait_for([&](const Pods& pods, int lists) {
      std::vector<std::string> present;
      for (const auto& entry : pods) {
        present.push_back(entry.first);
      }
      return lists > 0 && present == names;
    });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  Pods pods_ VKHOST_GUARDED_BY(mutex_);
  int lists_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::testing
