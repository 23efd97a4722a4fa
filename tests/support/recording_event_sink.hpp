// RecordingEventSink: keeps events as text, "uid Warning Reason: message" (node/name for those of a
// node). [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "pods/interfaces.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

class RecordingEventSink final : public pods::EventSink {
 public:
  void pod_event(const kube::PodRecord& pod, const pods::Happening& what) override {
    keep(pod.uid, what);
  }
  void node_event(std::string_view node_name, const pods::Happening& what) override {
    keep("node/" + std::string(node_name), what);
  }
  [[nodiscard]] bool takes_normal() const override { return takes_normal_; }
  void take_normal(bool takes) { takes_normal_ = takes; }

  [[nodiscard]] std::vector<std::string> events() const {
    MutexLock lock(mutex_);
    return events_;
  }
  // How many events of that reason the pod has got.
  [[nodiscard]] std::ptrdiff_t count(const std::string& uid, const std::string& reason) const {
    MutexLock lock(mutex_);
    return std::count_if(events_.begin(), events_.end(), [&](const std::string& event) {
      return event.starts_with(uid + " ") && event.find(" " + reason + ": ") != std::string::npos;
    });
  }

  // "Reason: message", in order, without those of reasons that begin with "Provider".
  [[nodiscard]] std::vector<std::string> story(const std::string& uid) const {
    std::vector<std::string> told;
    MutexLock lock(mutex_);
    for (const std::string& event : events_) {
      const std::size_t reason = event.find(' ', uid.size() + 1) + 1;
      if (event.starts_with(uid + " ") && event.compare(reason, 8, "Provider") != 0) {
        told.push_back(event.substr(reason));
      }
    }
    return told;
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    MutexLock lock(mutex_);
    return keys_;
  }

 private:
  void keep(const std::string& about, const pods::Happening& what) {
    const std::string kind = what.type == pods::EventType::Normal ? "Normal" : "Warning";
    MutexLock lock(mutex_);
    events_.push_back(about + " " + kind + " " + std::string(what.reason) + ": " +
                      std::string(what.message) + std::string(what.detail));
    if (!what.key.empty()) {
      keys_.emplace_back(what.key);
    }
  }

  std::atomic<bool> takes_normal_ = true;
  mutable Mutex mutex_;
  std::vector<std::string> keys_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> events_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
