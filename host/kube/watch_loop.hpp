// WatchLoop: drives all watches of a process. One thread waits for what any of them brings and hands
// it on; opening and listing, which wait for answers, happen on a few others that come and go. Watches
// of which there may be hundreds, and that can wait, are opened by threads of their own, so that they
// never hold up the others.
//
// The functions of one Watched are called by one thread at a time. The threads start with the first
// watch; what can't be had for that is a std::system_error. Outlives what was added. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "http/listener.hpp"
#include "kube/client.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace vkhost::kube {

// What a watch does next.
struct NextTurn {
  enum class Does { Open, Follow };
  Does does = Does::Open;
  // Open: not before. Follow: as soon as something has come, and at this time though nothing has.
  SteadyTime when{};
  std::unique_ptr<WatchStream> stream = {};  // from open(), to be followed
};

class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  virtual ~Watched() = default;

  virtual NextTurn open(const CancelToken& cancel) = 0;  // [may-block]
  // Takes all that has come, or so much of it that others wait no longer than a moment. The stream is
  // closed when the next turn is Open. [no-block]
  virtual NextTurn follow(WatchStream& stream) = 0;
  virtual void left() = 0;  // it was removed, and is not called again [no-block]
};

enum class Opening { Prompt, Patient };

class WatchLoop {
 public:
  explicit WatchLoop(std::shared_ptr<const Clock> clock);
  ~WatchLoop();  // [may-block]
  WatchLoop(const WatchLoop&) = delete;
  WatchLoop& operator=(const WatchLoop&) = delete;

  void add(Watched& watched, Opening opening = Opening::Prompt);  // begins with open()
  // Cancels what it does; once it has returned, none of its functions runs or will. Nothing when it
  // was not added. [may-block]
  void remove(Watched& watched);

 private:
  using Id = std::uint64_t;
  using Due = std::multimap<SteadyTime, Id>;
  struct Place {
    Watched* watched = nullptr;
    Executor* openers = nullptr;
    CancelSource cancel = {};
    std::unique_ptr<WatchStream> stream = {};
    std::optional<Due::iterator> due = std::nullopt;
    enum class Is { Waiting, Queued, Busy } is = Is::Waiting;
    bool is_leaving = false;
  };
  void start() VKHOST_REQUIRES(mutex_);
  [[nodiscard]] Executor* openers_for(Opening opening) VKHOST_REQUIRES(mutex_);
  void loop();
  [[nodiscard]] std::vector<Id> wait_for_turns();
  void take_turn(Id id);
  void open(Id id);
  void settle(Place& place, Id id, NextTurn turn);
  void exchange_stream(Place& place, Id id, NextTurn& turn);
  void queue(Place& place, Id id) VKHOST_REQUIRES(mutex_);
  void set_due(Place& place, Id id, SteadyTime when) VKHOST_REQUIRES(mutex_);
  void forget_due(Place& place) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] std::unique_ptr<WatchStream> take_stream(Place& place) const
      VKHOST_REQUIRES(mutex_);

  const std::shared_ptr<const Clock> clock_;
  const http::OwnedDescriptor poll_;
  const http::WakeUp wake_;
  Mutex mutex_;
  CondVar left_;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  Id last_id_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<Id, Place> places_ VKHOST_GUARDED_BY(mutex_);
  Due due_ VKHOST_GUARDED_BY(mutex_);
  // Until when the thread sleeps; in the past while it is awake, and looks before it sleeps again.
  SteadyTime sleeps_until_ VKHOST_GUARDED_BY(mutex_) = SteadyTime::min();
  // Last: their threads use all of the above.
  std::unique_ptr<Executor> openers_;
  std::unique_ptr<Executor> patient_openers_;
  Thread thread_;
};

}  // namespace vkhost::kube
