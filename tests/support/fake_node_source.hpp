// FakeNodeSource: the node that pods are admitted to, as a test describes it. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "pods/interfaces.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace vkhost::testing {

class FakeNodeSource final : public pods::NodeSource {
 public:
  void set(kube::NodeFacts facts) {
    MutexLock lock(mutex_);
    facts_ = std::move(facts);
  }
  // What only a fresh read shows.
  void set_unseen(kube::NodeFacts facts) {
    MutexLock lock(mutex_);
    unseen_ = std::move(facts);
  }
  // The next reads get no answer.
  void fail_reads(int times) {
    MutexLock lock(mutex_);
    failing_ = times;
  }
  [[nodiscard]] int reads() const {
    MutexLock lock(mutex_);
    return reads_;
  }

  std::shared_ptr<const kube::NodeFacts> node() override {
    MutexLock lock(mutex_);
    return facts_ ? std::make_shared<const kube::NodeFacts>(*facts_) : nullptr;
  }
  std::shared_ptr<const kube::NodeFacts> read_node(const CancelToken&) override {
    {
      MutexLock lock(mutex_);
      ++reads_;
      if (failing_ > 0) {
        --failing_;
        return nullptr;
      }
      if (unseen_) {
        facts_ = std::exchange(unseen_, std::nullopt);
      }
    }
    return node();
  }

 private:
  mutable Mutex mutex_;
  std::optional<kube::NodeFacts> facts_ VKHOST_GUARDED_BY(mutex_);
  std::optional<kube::NodeFacts> unseen_ VKHOST_GUARDED_BY(mutex_);
  int reads_ VKHOST_GUARDED_BY(mutex_) = 0;
  int failing_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::testing
