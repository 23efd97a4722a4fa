// EventWriter: Events about pods and nodes, written behind the back of those who post them.
//
// post() copies and returns; one thread writes. A repeat within the hour raises the count of the
// first Event instead of making another. What is too much is dropped and counted: beyond the queue,
// and beyond a burst per object. An Event is a courtesy: its loss is never an error to the poster.
// Normal Events come after all others: they wait while the API server has more important things to
// take, and are dropped first.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "kube/client.hpp"
#include "kube/event_memory.hpp"
#include "observe/log.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

enum class EventSeverity { Normal, Warning };

struct EventTarget {
  std::string kind = "Pod";
  std::string api_version = "v1";
  std::string object_namespace;  // empty for a Node
  std::string name;
  std::string uid;
  std::string resource_version;  // or empty
  std::string field_path = {};   // of the part that it is about, such as spec.containers{main}
};

struct Event {
  EventTarget about;
  EventSeverity severity = EventSeverity::Normal;
  std::string reason;
  std::string message;    // cut at 1024 bytes
  std::string detail;     // follows the message; a repeat may differ in it
  std::string node_name;  // where it comes from
  // When not empty it names the Event, so that posting it again, even after a restart, adds none.
  std::string key;
  std::optional<WallTime> occurred;  // when it was not just now
};

struct EventWriterSettings {
  std::string component = "vkhost";
  std::size_t queue_limit = 1000;  // half of it for Normal Events
  // A Normal Event waits so long at most, and then for its turn among those that have waited as long.
  std::chrono::milliseconds normal_patience{std::chrono::seconds{30}};
  std::chrono::milliseconds normal_turn{200};
  BurstLimits per_object;  // 25, then one in five minutes
  std::chrono::milliseconds request_timeout{std::chrono::seconds{30}};
  std::uint32_t max_tries = 12;
  BackoffLimits backoff{std::chrono::seconds{1}, std::chrono::seconds{30}};
};

struct EventStats {
  std::uint64_t created = 0;
  std::uint64_t counted_up = 0;
  std::uint64_t dropped_queue_full = 0;
  std::uint64_t dropped_rate = 0;
  std::uint64_t failed = 0;  // refused, or given up after all tries
};

class EventWriter {
 public:
  struct Parts {
    Client& client;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    // Whether the API server is being sent what is more important; null: never.
    std::function<bool()> is_busy = {};
  };

  EventWriter(EventWriterSettings settings, Parts parts);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void start();  // once
  // Writes what is queued until `flush_until` (without further tries), then ends the thread. May be
  // repeated. [may-block]
  void stop(Deadline flush_until);

  void post(Event event);  // [any-thread] [no-block]
  // False: a Normal Event would only be dropped. [any-thread] [no-block]
  [[nodiscard]] bool takes_normal() const { return normal_count_.load() < normal_limit(); }
  [[nodiscard]] EventStats stats() const;  // [any-thread] [no-block]

 private:
  // One that waits to be written.
  struct Waiting {
    Event event;
    SteadyTime since;
  };

  [[nodiscard]] std::size_t normal_limit() const { return (settings_.queue_limit + 1) / 2; }
  void run();
  bool take(Event& event);
  [[nodiscard]] bool is_held() const VKHOST_REQUIRES(mutex_);
  void write(const Event& event);
  Status write_once(const Event& event, const std::string& name);
  [[nodiscard]] bool is_closing() const;

  const EventWriterSettings settings_;
  const Parts parts_;
  CancelSource cancel_;
  CancelSource closing_;  // ends waits between tries

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> warnings_ VKHOST_GUARDED_BY(mutex_);
  std::deque<Waiting> normals_ VKHOST_GUARDED_BY(mutex_);
  SteadyTime last_normal_ VKHOST_GUARDED_BY(mutex_){};
  std::atomic<std::size_t> normal_count_{0};  // of normals_
  bool is_stopped_ VKHOST_GUARDED_BY(mutex_) = false;
  bool has_ended_ VKHOST_GUARDED_BY(mutex_) = true;
  BurstLimiter limiter_ VKHOST_GUARDED_BY(mutex_);
  EventStats stats_ VKHOST_GUARDED_BY(mutex_);

  EventMemory written_;          // of the thread
  std::uint64_t last_name_ = 0;  // of the thread
  Thread thread_;
};

}  // namespace vkhost::kube
