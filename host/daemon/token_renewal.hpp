// TokenRenewal: the tokens of the pods of all nodes, and the threads on which they are renewed: a few at
// a time, borrowed from an executor when some are due, so that no pod waits for another one's renewal and
// the API server is never asked for all of them at once. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/executor.hpp"
#include "base/gate.hpp"
#include "base/mutex.hpp"
#include "base/timers.hpp"
#include "resolve/tokens.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace vkhost::daemon {

class TokenRenewal {
 public:
  static constexpr std::size_t kAtOnce = 4;

  struct Parts {  // all outlive it
    resolve::TokenSource& source;
    const Clock& clock;
    Random& random;
    Timers& timers;
    Executor& executor;
    observe::Logger log = {};
  };
  explicit TokenRenewal(const Parts& parts);
  ~TokenRenewal();  // [may-block]
  TokenRenewal(const TokenRenewal&) = delete;
  TokenRenewal& operator=(const TokenRenewal&) = delete;

  [[nodiscard]] resolve::Tokens& tokens() { return tokens_; }
  // Nothing is renewed any more once it has returned. [may-block]
  void stop();

 private:
  void look_at(SteadyTime when);
  void look();
  void work();

  Executor& executor_;
  CancelSource stop_;
  // A task that begins after the end finds it closed.
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  resolve::Tokens tokens_;
  Mutex mutex_;
  std::optional<SteadyTime> next_ VKHOST_GUARDED_BY(mutex_);  // what the timer is set to
  std::size_t working_ VKHOST_GUARDED_BY(mutex_) = 0;
  Timer timer_;
};

}  // namespace vkhost::daemon
