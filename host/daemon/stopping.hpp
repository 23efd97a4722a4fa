// Stopping: ends the daemon's parts off the main thread, which meanwhile listens to signals and to the
// clock, and knows at any moment what still stands. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "base/thread.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace vkhost::daemon {

class Stopping {
 public:
  struct Part {
    std::string name;  // for people
    std::function<void()> stop;
  };
  // One stage after the other; the parts of a stage at the same time, some threads' worth.
  using Stages = std::vector<std::vector<Part>>;

  // Begins at once. `done` is called on the last thread of it.
  Stopping(Stages stages, std::function<void()> done);
  // Waits for the end. [may-block]
  ~Stopping() = default;
  Stopping(const Stopping&) = delete;
  Stopping& operator=(const Stopping&) = delete;

  // The names of the parts of this stage that have not ended, in their order.
  [[nodiscard]] std::vector<std::string> standing() const;

 private:
  void run();
  void run_stage(const std::vector<Part>& parts);
  void stop_next(const std::vector<Part>& parts);

  const Stages stages_;
  const std::function<void()> done_;
  mutable Mutex mutex_;
  const std::vector<Part>* stage_ VKHOST_GUARDED_BY(mutex_) = nullptr;
  std::size_t next_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::vector<bool> ended_ VKHOST_GUARDED_BY(mutex_);
  Thread thread_;  // last: it uses all of the above
};

}  // namespace vkhost::daemon
