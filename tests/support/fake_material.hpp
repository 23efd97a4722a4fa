// FakeMaterial: a MaterialSource that answers "{}" or what it was told.
// [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "pods/interfaces.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::testing {

class FakeMaterial final : public pods::MaterialSource {
 public:
  // From now on, in place of "{}".
  void answer(std::string material) {
    MutexLock lock(mutex_);
    usual_ = std::move(material);
  }
  // The next calls.
  void fail(Status status, int times = 1) {
    MutexLock lock(mutex_);
    for (int i = 0; i < times; ++i) {
      answers_.push_back(status);
    }
  }
  // Runs once in the next call, without a lock.
  void during_next(std::function<void()> hook) {
    MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }

  // What each call was for; none: a create.
  [[nodiscard]] std::vector<std::optional<std::uint64_t>> asked() const {
    MutexLock lock(mutex_);
    return asked_;
  }
  [[nodiscard]] std::vector<std::string> forgotten() const {
    MutexLock lock(mutex_);
    return forgotten_;
  }

  Result<std::string> material(const kube::PodRecord&,
                               std::optional<std::uint64_t> changed,
                               const CancelToken&) override {
    std::function<void()> hook;
    {
      MutexLock lock(mutex_);
      asked_.push_back(changed);
      hook = std::exchange(hook_, nullptr);
    }
    if (hook) {
      hook();
    }
    MutexLock lock(mutex_);
    if (answers_.empty()) {
      return usual_;
    }
    Status status = answers_.front();
    answers_.pop_front();
    return status;
  }
  void forget(const std::string& uid) override {
    MutexLock lock(mutex_);
    forgotten_.push_back(uid);
  }
  void listen(pods::MaterialListener* /*listener*/) override {}  // tests call the engine themselves

 private:
  mutable Mutex mutex_;
  std::string usual_ VKHOST_GUARDED_BY(mutex_) = "{}";
  std::vector<std::optional<std::uint64_t>> asked_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> forgotten_ VKHOST_GUARDED_BY(mutex_);
  std::deque<Status> answers_ VKHOST_GUARDED_BY(mutex_);
  std::function<void()> hook_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
