// SingleWatch: follows one object by its name, for a listener. Needs `get` and `watch` of that object
// alone, never `list`: a role that names the object is enough, and the node authoriser allows it for
// what the node's pods refer to.
//
// A watch that begins with "any version" brings the present state first, however long ago that was
// written. (The object's own version is no place to begin: the API server remembers the changes of the
// last minutes only, and says 410 to everything older.) Who has no state yet, or has lost track, also
// reads the object once. While it can't be watched (403, too many watches, trouble) it is read every
// `poll_interval`, so the listener is never further behind than that unless nothing can be read.
// An object that says it is immutable is not looked at again.
//
// Driven by a WatchLoop: its owner adds it there and removes it before the end. The listener is called by
// one thread at a time, must not block, and outlives the removal. Contents never reach the log.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/api_metrics.hpp"
#include "kube/client.hpp"
#include "kube/object_watch.hpp"
#include "kube/single_watch_group.hpp"
#include "kube/watch_loop.hpp"
#include "observe/log.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

struct SingleWatchSettings {
  std::string collection_path;
  std::string name;
  // resourceVersion of a state that the listener has just got; empty: it has none.
  std::string known_version = {};
  // Up to a third less at random, so that many objects don't stay in step.
  std::chrono::milliseconds poll_interval{std::chrono::seconds{45}};
  // A watch that broke off is opened again within `spread`: many break off together.
  std::chrono::milliseconds spread{std::chrono::seconds{2}};
  BackoffLimits backoff{std::chrono::seconds{1}, std::chrono::seconds{30}};
  // Between tries to watch after a 403; reading goes on meanwhile. Early tries help where the node authoriser has not heard of a new pod yet.
  BackoffLimits refused_backoff{std::chrono::seconds{2}, std::chrono::minutes{15}};
  // Of each read, and of the wait for the head of the watch.
  std::chrono::milliseconds request_timeout{std::chrono::seconds{10}};
  // A watch that has not shown the state known before by then has perhaps missed its end.
  std::chrono::milliseconds confirm_patience{std::chrono::seconds{10}};
  // As in ListWatchSettings.
  std::chrono::seconds shortest_watch{300};
  std::chrono::seconds longest_watch{600};
  std::chrono::seconds end_grace{30};
  std::chrono::seconds bookmark_patience{180};
};

class SingleWatch final : public Watched {
 public:
  struct Parts {  // references outlive the watch
    Client& client;
    ObjectListener& listener;
    SingleWatchGroup& group;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    observe::Metrics* metrics = nullptr;  // null: nothing is counted; else it outlives the watch
  };

  SingleWatch(SingleWatchSettings settings, Parts parts);

  NextTurn open(const CancelToken& cancel) override;
  NextTurn follow(WatchStream& stream) override;
  void left() override;

  // The listener knows the present state and hears of changes as they happen: a watch is open, and what it
  // began with has been told. False while the object is only read now and then. [any-thread] [no-block]
  [[nodiscard]] bool is_live() const { return is_live_.load(); }

 private:
  enum class State { Unknown, Present, Gone };

  [[nodiscard]] bool may_watch();
  void give_back_place();
  Result<std::unique_ptr<WatchStream>> open_watch(const CancelToken& cancel);
  NextTurn not_watched(const Status& failure, const CancelToken& cancel);
  NextTurn poll(const CancelToken& cancel);
  Status look(const CancelToken& cancel);
  [[nodiscard]] bool look_is_due() const;
  void expect_next_look();
  Status take_event(std::string_view line);
  void take_state(std::string_view object);
  void take_deletion(std::string_view version);
  [[nodiscard]] bool is_past(std::string_view version) const;
  [[nodiscard]] bool is_usable(std::string_view object) const;
  NextTurn ended(Status status);
  NextTurn after(const Status& failure);
  NextTurn rest();
  [[nodiscard]] SteadyTime patience_ends() const;
  NextTurn out_of_patience();

  const SingleWatchSettings settings_;
  const Parts parts_;
  std::optional<WatchMetrics> metrics_;

  // What the listener knows.
  State state_ = State::Unknown;
  std::string newest_;  // its version, of a deletion too; empty: nothing to compare with
  bool is_immutable_ = false;

  bool must_look_ = false;  // lost track: only a read tells
  SteadyTime next_look_{};  // while nothing is watched
  bool has_place_ = false;
  std::uint32_t refusals_ = 0;  // of the watch, one after the other
  SteadyTime no_watch_before_{};
  std::uint32_t failures_ = 0;  // one after the other
  std::string version_;         // where a watch goes on; empty: it begins anew

  // Of the watch that is open.
  bool is_confirmed_ = false;  // what the listener knows was the state when it began
  bool bookmarks_come_ = false;
  SteadyTime opened_{};
  SteadyTime heard_{};
  SteadyTime server_end_{};
  std::string version_before_;

  std::atomic<bool> is_live_{false};
};

}  // namespace vkhost::kube
