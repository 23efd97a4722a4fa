// CallThreads: the threads on which plugin code runs, so that no thread of the host's own is ever
// lost in a plugin.
//
// A task gets an idle thread or a new one; none ever waits for another. Idle threads leave after a
// while. One that a plugin does not give back is left behind when this object ends: its stack must
// stay, as the plugin still stands on it. Asynchronous signals are blocked on all of them.
// [any-thread] [no-block], the destructor [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace vkhost::plugin {

struct CallThreadsSettings {
  std::size_t max_threads = 2048;
  std::size_t kept_idle = 2;                     // these wait for ever
  std::chrono::milliseconds idle_limit{10'000};  // the others leave after this
  std::chrono::milliseconds end_limit{2'000};    // the destructor's patience
};

class CallThreads {
 public:
  explicit CallThreads(const Clock& clock, CallThreadsSettings settings = {});
  ~CallThreads();
  CallThreads(const CallThreads&) = delete;
  CallThreads& operator=(const CallThreads&) = delete;

  // Runs `task` soon. It must not throw. RESOURCE_EXHAUSTED when there can be no further thread; then
  // it has not run and will not.
  Status run(std::function<void()> task);

  [[nodiscard]] std::size_t threads() const;  // idle ones included

 private:
  struct Worker;
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace vkhost::plugin
