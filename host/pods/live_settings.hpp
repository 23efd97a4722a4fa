// LiveSettings: the settings of an engine, replaced as a whole while it runs. Who reads them several times
// for one decision takes now() once; nobody ever sees half of a change. [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "pods/settings.hpp"

#include <memory>
#include <utility>

namespace vkhost::pods {

class LiveSettings {
 public:
  explicit LiveSettings(Settings settings)
      : settings_(std::make_shared<const Settings>(std::move(settings))) {}

  [[nodiscard]] std::shared_ptr<const Settings> now() const {
    const MutexLock lock(mutex_);
    return settings_;
  }
  // One of them; the pointer that comes with it ends with the expression.
  std::shared_ptr<const Settings> operator->() const { return now(); }

  void replace(Settings settings) {
    auto next = std::make_shared<const Settings>(std::move(settings));
    const MutexLock lock(mutex_);
    settings_.swap(next);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Settings> settings_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::pods
