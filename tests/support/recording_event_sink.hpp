// RecordingEventSink: keeps events of pods as text, "uid Warning Reason: message". [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "pods/interfaces.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

class RecordingEventSink final : public pods::EventSink {
 public:
  void pod_event(const kube::PodRecord& pod,
                 pods::EventType type,
                 std::string_view reason,
                 std::string_view message) override {
    const std::string kind = type == pods::EventType::Normal ? "Normal" : "Warning";
    MutexLock lock(mutex_);
    events_.push_back(pod.uid + " " + kind + " " + std::string(reason) + ": " +
                      std::string(message));
  }

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

 private:
  mutable Mutex mutex_;
  std::vector<std::string> events_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
