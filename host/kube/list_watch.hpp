// ListWatch: keeps a sink informed of the objects of one collection: lists it, then watches from that
// version on, for ever. The list comes in pages, or as the beginning of the watch where the API
// server offers that.
//
// Driven by a WatchLoop; the sink is called by one thread at a time. Connection loss, refusals and
// stalls are repaired inside: the first reconnect is immediate, further ones back off; the watch goes
// on from the last version seen, and the collection is listed again when that version is too old.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/api_metrics.hpp"
#include "kube/client.hpp"
#include "kube/watch_loop.hpp"
#include "observe/log.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

struct ListWatchSettings {
  std::string path;  // of the collection
  std::string field_selector;
  std::size_t page_size = 500;
  // No longer than people wait: who has been away is followed again as soon as it is back.
  BackoffLimits backoff{std::chrono::milliseconds{200}, std::chrono::seconds{3}};
  // After 403, which only an administrator ends.
  BackoffLimits forbidden_backoff{std::chrono::milliseconds{200}, std::chrono::minutes{5}};
  // Let the watch begin with the list (Kubernetes 1.27 and up with the feature WatchList), until the
  // API server refuses that or, as one that ignores it, says nothing for `stream_patience` or does
  // not come to the list's end within `stream_limit`. It is asked again after `stream_pause`.
  bool stream_lists = false;
  std::chrono::milliseconds stream_patience{std::chrono::seconds{10}};
  std::chrono::milliseconds stream_limit{std::chrono::minutes{1}};
  std::chrono::milliseconds stream_pause{std::chrono::hours{1}};
  // The server ends a watch after a random time between these.
  std::chrono::seconds shortest_watch{300};
  std::chrono::seconds longest_watch{600};
  // A watch that outlives that end by this much, or that is silent for so long after a bookmark
  // (the server sends one about every minute), has stalled.
  std::chrono::seconds end_grace{30};
  std::chrono::seconds bookmark_patience{180};
};

// Objects are raw JSON whose inside was not validated; they are gone when the call returns.
class ListWatchSink {
 public:
  ListWatchSink() = default;
  ListWatchSink(const ListWatchSink&) = delete;
  ListWatchSink& operator=(const ListWatchSink&) = delete;
  virtual ~ListWatchSink() = default;

  virtual void list_started() = 0;  // forget what was listed before without list_complete()
  virtual void listed(std::string_view object) = 0;  // or again, newer than before
  // Was listed, and is gone before the list is complete. False as with removed().
  virtual bool unlisted(std::string_view object) = 0;
  virtual void list_complete() = 0;
  virtual void applied(std::string_view object) = 0;
  // False when it is not clear what was removed: the collection is listed again.
  virtual bool removed(std::string_view object) = 0;
};

struct ListWatchStats {
  std::uint64_t lists = 0;       // complete ones
  std::uint64_t watches = 0;     // opened
  std::uint64_t reconnects = 0;  // after a failure
  std::uint64_t events = 0;      // bookmarks excluded
  bool is_connected = false;     // a watch is open
};

class ListWatch final : public Watched {
 public:
  struct Parts {
    Client& client;
    ListWatchSink& sink;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    observe::Metrics* metrics = nullptr;  // null: nothing is counted; else it outlives the watch
  };

  ListWatch(ListWatchSettings settings, Parts parts);

  NextTurn open(const CancelToken& cancel) override;
  NextTurn follow(WatchStream& stream) override;
  void left() override { is_connected_.store(false); }
  [[nodiscard]] ListWatchStats stats() const;  // [any-thread]

 private:
  enum class Progress { None, Some };
  enum class Asked { ListInPages, Watch };

  Status list_all(const CancelToken& cancel);
  Result<std::string> list_pages(const CancelToken& cancel, bool in_pages);
  Status take_page(std::string_view body, std::string& version, std::string& continue_token);
  Result<std::unique_ptr<WatchStream>> open_watch(const CancelToken& cancel);
  Status take_listed(std::string_view line);
  NextTurn ended(Status status);
  NextTurn after(const Status& failure, Asked asked, Progress progress);
  [[nodiscard]] SteadyTime patience_ends() const;
  [[nodiscard]] Status overdue() const;
  [[nodiscard]] bool may_stream() const;
  void note_broken_stream(const Status& failure);
  void note_success(bool was_list);
  void note_list();
  void note_event();
  void report(const Status& failure,
              bool is_list,
              std::uint32_t failures,
              std::chrono::milliseconds delay);
  Status take_event(std::string_view line);
  [[nodiscard]] std::chrono::milliseconds delay_after(const Status& failure,
                                                      std::uint32_t failures);

  const ListWatchSettings settings_;
  const Parts parts_;
  std::optional<WatchMetrics> metrics_;
  std::string version_;             // to go on from; empty: list first
  SteadyTime no_streams_before_{};  // lists come in pages until then
  int broken_streams_ = 0;          // since the last complete list
  std::uint32_t failures_ = 0;      // one after the other
  std::string reported_;            // the refusal that the log knows of

  // Of the watch that is open.
  bool is_listing_ = false;  // it has begun with the list, and that is not complete yet
  bool bookmarks_come_ = false;
  SteadyTime opened_{};
  SteadyTime heard_{};  // the last event
  SteadyTime server_end_{};
  std::string version_before_;

  std::atomic<std::uint64_t> lists_{0};
  std::atomic<std::uint64_t> watches_{0};
  std::atomic<std::uint64_t> reconnects_{0};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<bool> is_connected_{false};
};

}  // namespace vkhost::kube
