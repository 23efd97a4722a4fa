// RecordingFaultSink: keeps what the pod engine says of the provider instance as a whole; "OK" ends a
// fault. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "pods/interfaces.hpp"

#include <string>
#include <vector>

namespace vkhost::testing {

class RecordingFaultSink final : public pods::ProviderFaultSink {
 public:
  void provider_fault(const Status& status) override {
    MutexLock lock(mutex_);
    faults_.push_back(status.to_string());
  }
  [[nodiscard]] std::vector<std::string> faults() const {
    MutexLock lock(mutex_);
    return faults_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> faults_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
