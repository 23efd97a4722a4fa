// ObjectWatch: one object by its name, told to a listener as it changes (for instance the ConfigMap
// kube-system/extension-apiserver-authentication).
//
// From start() to stop() a WatchLoop calls the listener, on one thread at a time; it must not block,
// and outlives stop(). The watch is limited by metadata.name, so a role that names the object is
// enough.
#pragma once

#include "kube/list_watch.hpp"
#include "kube/watch_loop.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace vkhost::kube {

class ObjectListener {
 public:
  ObjectListener() = default;
  ObjectListener(const ObjectListener&) = delete;
  ObjectListener& operator=(const ObjectListener&) = delete;
  virtual ~ObjectListener() = default;
  // A complete, validated JSON object: at first, after each change, and again after a relist.
  virtual void object_changed(std::string json) = 0;
  virtual void object_gone() = 0;  // there is none: at first, after a deletion, after a relist
};

struct ObjectWatchSettings {
  std::string collection_path;
  std::string name;
  ListWatchSettings list_watch;  // path and selector are filled in
};

class ObjectWatch final : private ListWatchSink {
 public:
  struct Parts {
    Client& client;
    ObjectListener& listener;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    WatchLoop& loop;
    observe::Metrics* metrics = nullptr;  // see ListWatch::Parts
  };

  ObjectWatch(const ObjectWatchSettings& settings, Parts parts);
  ~ObjectWatch() override;
  ObjectWatch(const ObjectWatch&) = delete;
  ObjectWatch& operator=(const ObjectWatch&) = delete;

  void start();  // once
  void stop();   // and waits for the end; may be repeated [may-block]
  [[nodiscard]] ListWatchStats stats() const { return list_watch_.stats(); }  // [any-thread]

 private:
  void list_started() override;
  void listed(std::string_view object) override;
  bool unlisted(std::string_view object) override;
  void list_complete() override;
  void applied(std::string_view object) override;
  bool removed(std::string_view object) override;
  [[nodiscard]] bool is_readable(std::string_view object) const;

  const std::string name_;
  ObjectListener& listener_;
  WatchLoop& loop_;
  observe::Logger log_;
  ListWatch list_watch_;
  enum class Found { Nothing, Object, Unreadable } found_ = Found::Nothing;
  std::string listed_;
};

}  // namespace vkhost::kube
