#include "kube/watch_loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;

// An API server that answers none of them keeps these waiting; all others wait behind them.
constexpr std::size_t kOpeners = 8;
constexpr std::size_t kPatientOpeners = 4;
constexpr std::size_t kEventsAtOnce = 64;
constexpr std::uint64_t kWakeUp = 0;  // ids begin with 1
// The kernel has no room for another connection to watch.
constexpr std::chrono::seconds kNoRoom{5};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

http::OwnedDescriptor make_poll() {
  http::OwnedDescriptor descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (descriptor.get() < 0) {
    fail("epoll_create1");
  }
  return descriptor;
}

http::WakeUp make_wake_up() {
  auto made = http::WakeUp::create();
  if (!made.is_ok()) {
    fail("eventfd");
  }
  return std::move(*made);
}

bool poll_for(int poll, int descriptor, std::uint64_t id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  return ::epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

int poll_timeout(SteadyTime until, SteadyTime now) {
  if (until == SteadyTime::max()) {
    return -1;
  }
  if (until <= now) {
    return 0;
  }
  const auto left = std::chrono::ceil<milliseconds>(until - now).count();
  return static_cast<int>(std::min<milliseconds::rep>(left, std::numeric_limits<int>::max()));
}

}  // namespace

WatchLoop::WatchLoop(std::shared_ptr<const Clock> clock)
    : clock_(std::move(clock)), poll_(make_poll()), wake_(make_wake_up()) {
  if (!poll_for(poll_.get(), wake_.descriptor(), kWakeUp)) {
    fail("epoll_ctl");
  }
}

WatchLoop::~WatchLoop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.wake();
  thread_.join();
}

void WatchLoop::start() {
  if (!thread_.joinable()) {
    openers_ = std::make_unique<Executor>("watch-open", kOpeners, *clock_);
    thread_ = Thread("watch", [this] { loop(); });
  }
}

Executor* WatchLoop::openers_for(Opening opening) {
  if (opening == Opening::Prompt) {
    return openers_.get();
  }
  if (!patient_openers_) {
    patient_openers_ = std::make_unique<Executor>("object-open", kPatientOpeners, *clock_);
  }
  return patient_openers_.get();
}

void WatchLoop::add(Watched& watched, Opening opening) {
  const MutexLock lock(mutex_);
  start();
  Executor* const openers = openers_for(opening);
  const Id id = ++last_id_;
  Place& place = places_[id];
  place.watched = &watched;
  place.openers = openers;
  queue(place, id);
}

void WatchLoop::remove(Watched& watched) {
  std::unique_ptr<WatchStream> ended;  // closed without the lock
  mutex_.lock();
  const auto found = std::find_if(places_.begin(), places_.end(), [&](const auto& place) {
    return place.second.watched == &watched;
  });
  if (found != places_.end()) {
    Place& place = found->second;
    place.is_leaving = true;
    mutex_.unlock();
    place.cancel.cancel();  // runs what others have registered
    mutex_.lock();
    while (place.is == Place::Is::Busy) {
      left_.wait(mutex_);
    }
    forget_due(place);
    ended = take_stream(place);
    places_.erase(found);
    mutex_.unlock();
    ended.reset();
    watched.left();
    return;
  }
  mutex_.unlock();
}

void WatchLoop::queue(Place& place, Id id) {
  place.is = Place::Is::Queued;
  place.openers->submit([this, id] { open(id); });
}

void WatchLoop::set_due(Place& place, Id id, SteadyTime when) {
  forget_due(place);
  place.due = due_.emplace(when, id);
}

void WatchLoop::forget_due(Place& place) {
  if (place.due) {
    due_.erase(*place.due);
    place.due.reset();
  }
}

// To be closed by the caller, without the lock. Its number may be another connection's from then on.
std::unique_ptr<WatchStream> WatchLoop::take_stream(Place& place) const {
  if (place.stream) {
    static_cast<void>(::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, place.stream->descriptor(), nullptr));
  }
  return std::move(place.stream);
}

void WatchLoop::loop() {
  for (;;) {
    const std::vector<Id> turns = wait_for_turns();
    {
      const MutexLock lock(mutex_);
      if (stopping_) {
        return;
      }
    }
    for (const Id id : turns) {
      take_turn(id);
    }
  }
}

std::vector<WatchLoop::Id> WatchLoop::wait_for_turns() {
  int timeout = 0;
  {
    const MutexLock lock(mutex_);
    sleeps_until_ = due_.empty() ? SteadyTime::max() : due_.begin()->first;
    timeout = stopping_ ? 0 : poll_timeout(sleeps_until_, clock_->steady_now());
  }
  std::array<epoll_event, kEventsAtOnce> events{};
  const int count =
      ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), timeout);
  std::vector<Id> turns;
  for (int i = 0; i < count; ++i) {
    const Id id = events.at(static_cast<std::size_t>(i)).data.u64;
    if (id == kWakeUp) {
      wake_.clear();
    } else {
      turns.push_back(id);
    }
  }
  const MutexLock lock(mutex_);
  sleeps_until_ = SteadyTime::min();
  const SteadyTime now = clock_->steady_now();
  for (auto due = due_.begin(); due != due_.end() && due->first <= now; ++due) {
    if (std::find(turns.begin(), turns.end(), due->second) == turns.end()) {
      turns.push_back(due->second);
    }
  }
  return turns;
}

void WatchLoop::take_turn(Id id) {
  Place* place = nullptr;
  {
    const MutexLock lock(mutex_);
    const auto found = places_.find(id);
    if (found == places_.end() || found->second.is != Place::Is::Waiting ||
        found->second.is_leaving) {
      return;
    }
    place = &found->second;
    forget_due(*place);
    if (!place->stream) {
      queue(*place, id);
      return;
    }
    place->is = Place::Is::Busy;  // and stays where it is, with its stream
  }
  settle(*place, id, place->watched->follow(*place->stream));
}

void WatchLoop::open(Id id) {
  Place* place = nullptr;
  {
    const MutexLock lock(mutex_);
    const auto found = places_.find(id);
    if (found == places_.end() || found->second.is_leaving) {
      return;
    }
    place = &found->second;
    place->is = Place::Is::Busy;
  }
  settle(*place, id, place->watched->open(place->cancel.token()));
}

void WatchLoop::settle(Place& place, Id id, NextTurn turn) {
  if (turn.stream || turn.does == NextTurn::Does::Open) {
    exchange_stream(place, id, turn);
  }
  bool wakes = false;
  {
    const MutexLock lock(mutex_);
    place.is = Place::Is::Waiting;
    if (place.is_leaving) {
      left_.notify_all();  // the place is gone as soon as the lock is free
      return;
    }
    if (turn.does == NextTurn::Does::Open && turn.when <= clock_->steady_now()) {
      queue(place, id);
    } else {
      set_due(place, id, turn.when);
      wakes = turn.when < sleeps_until_;
      sleeps_until_ = wakes ? SteadyTime::min() : sleeps_until_;
    }
  }
  if (wakes) {
    wake_.wake();
  }
}

// The new one is watched from now on; the old one is closed before the next is opened, and before
// whoever removes the place goes on.
void WatchLoop::exchange_stream(Place& place, Id id, NextTurn& turn) {
  std::unique_ptr<WatchStream> ended;  // closed without the lock
  const MutexLock lock(mutex_);
  if (!turn.stream) {
    ended = take_stream(place);
  } else if (!place.is_leaving && poll_for(poll_.get(), turn.stream->descriptor(), id)) {
    place.stream = std::move(turn.stream);
    turn.when = SteadyTime::min();  // what came with the answer's head makes nothing readable
  } else {
    ended = std::move(turn.stream);
    turn = {NextTurn::Does::Open, clock_->steady_now() + kNoRoom, {}};
  }
}

}  // namespace vkhost::kube
