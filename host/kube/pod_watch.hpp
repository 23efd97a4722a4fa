// PodWatch: the pods bound to one node, told to a PodListener as they change.
//
// From start() to stop() a WatchLoop calls the listener, on one thread at a time. A pod that can't be
// read is logged and counted, and stays as it was last seen: it is neither lost nor taken for deleted.
// The listener must not block, and outlives stop().
#pragma once

#include "kube/list_watch.hpp"
#include "kube/pod_record.hpp"
#include "kube/watch_loop.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vkhost::kube {

struct PodWatchSettings {
  std::string node_name;
  std::string only_namespace;    // empty: all
  ListWatchSettings list_watch;  // path and selector are filled in
};

struct PodWatchStats {
  ListWatchStats list_watch;
  std::uint64_t unreadable_pods = 0;
  bool has_synced = false;  // the first list was delivered
};

class PodWatch final : private ListWatchSink {
 public:
  struct Parts {
    Client& client;
    PodListener& listener;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    WatchLoop& loop;
    observe::Metrics* metrics = nullptr;  // see ListWatch::Parts
  };

  PodWatch(PodWatchSettings settings, Parts parts);
  ~PodWatch() override;
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;

  void start();                               // once
  void stop();                                // and waits for the end; may be repeated [may-block]
  [[nodiscard]] PodWatchStats stats() const;  // [any-thread]

 private:
  void list_started() override;
  void listed(std::string_view object) override;
  bool unlisted(std::string_view object) override;
  void list_complete() override;
  void applied(std::string_view object) override;
  bool removed(std::string_view object) override;
  // Null for a pod that can't be read or is not this node's.
  PodPtr read_pod(std::string_view object);

  const std::string node_name_;
  PodListener& listener_;
  WatchLoop& loop_;
  observe::Logger log_;
  ListWatch list_watch_;
  std::unordered_map<std::string, PodPtr> known_;  // by UID, as the listener knows them
  std::vector<PodPtr> listing_;
  std::atomic<std::uint64_t> unreadable_pods_{0};
  std::atomic<bool> has_synced_{false};
};

}  // namespace vkhost::kube
