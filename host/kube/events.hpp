// EventWriter: Events about pods and nodes, written behind the back of those who post them.
//
// post() copies and returns; one thread writes. A repeat within the hour raises the count of the
// first Event instead of making another. What is too much is dropped and counted: beyond the queue,
// and beyond a burst per object. An Event is a courtesy: its loss is never an error to the poster.
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

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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
};

struct Event {
  EventTarget about;
  EventSeverity severity = EventSeverity::Normal;
  std::string reason;
  std::string message;    // cut at 1024 bytes
  std::string node_name;  // where it comes from
  // When not empty it names the Event, so that posting it again, even after a restart, adds none.
  std::string key;
  std::optional<WallTime> occurred;  // when it was not just now
};

struct EventWriterSettings {
  std::string component = "vkhost";
  std::size_t queue_limit = 1000;
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
  };

  EventWriter(EventWriterSettings settings, Parts parts);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void start();  // once
  // Writes what is queued until `flush_until` (without further tries), then ends the thread. May be
  // repeated. [may-block]
  void stop(Deadline flush_until);

  void post(Event event);                  // [any-thread] [no-block]
  [[nodiscard]] EventStats stats() const;  // [any-thread] [no-block]

 private:
  void run();
  bool take(Event& event);
  void write(const Event& event);
  Status write_once(const Event& event, const std::string& name);
  [[nodiscard]] bool is_closing() const;

  const EventWriterSettings settings_;
  const Parts parts_;
  CancelSource cancel_;
  CancelSource closing_;  // ends waits between tries

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Event> queue_ VKHOST_GUARDED_BY(mutex_);
  bool is_stopped_ VKHOST_GUARDED_BY(mutex_) = false;
  bool has_ended_ VKHOST_GUARDED_BY(mutex_) = true;
  BurstLimiter limiter_ VKHOST_GUARDED_BY(mutex_);
  EventStats stats_ VKHOST_GUARDED_BY(mutex_);

  EventMemory written_;          // of the thread
  std::uint64_t last_name_ = 0;  // of the thread
  Thread thread_;
};

}  // namespace vkhost::kube
