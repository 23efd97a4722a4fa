// ObjectStore: ConfigMaps, Secrets and selections of trust bundles of all pods of all nodes, parsed, each read once for however many
// pods refer to it.
//
// A pod's objects are those that it used when its material was made last; use() replaces them, forget()
// ends it. While a pod has to hear of changes, or waits for one, its object is followed (ObjectFeed) and
// kept; so is an immutable one as long as a pod refers to it, which needs no following. Anything else is
// kept for a moment only. An object that was deleted stays known to whom it is followed for, as last().
//
// [any-thread]; source, feed, clock and users outlive the store, or leave() it.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"
#include "resolve/object_feed.hpp"
#include "resolve/object_reference.hpp"
#include "resolve/object_source.hpp"
#include "resolve/single_flight.hpp"
#include "resolve/timed_cache.hpp"
#include "resolve/used_object.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vkhost::resolve {

class ObjectStore {
 public:
  struct Parts {
    ObjectSource& source;
    const Clock& clock;
    ObjectFeed* feed = nullptr;  // null: nothing is followed
    // Told that tidy() has something to do, by whom a reference goes. [no-block]
    std::function<void()> untidy = {};
  };
  // What was read for another pod, and is not followed, is no older than `max_age`; 0: every pod reads
  // for itself.
  ObjectStore(Parts parts, std::chrono::milliseconds max_age, std::size_t max_bytes);
  ~ObjectStore();  // [may-block]
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  // The object as it is now. NOT_FOUND alone means that there is none, and is never kept. [may-block]
  Result<ObjectPtr> read(const ObjectReference& object, const CancelToken& cancel);
  // As it was when it was there last; null when that is not known. [no-block]
  [[nodiscard]] ObjectPtr last(const ObjectReference& object) const;

  // Whether a pod's objects are all of them, or only as far as its material came before it failed: then
  // those of before stay as well.
  enum class Extent { All, Some };
  // `objects` has each one once. `user` hears of the pod's objects from now on; of one that has changed meanwhile at once. [no-block]
  void use(const std::string& pod_uid,
           const std::vector<UsedObject>& objects,
           Extent extent,
           ObjectUser& user);
  void forget(const std::string& pod_uid);  // [no-block]
  // Forgets all pods of `user`; once it has returned, the user is not called and will not be. [may-block]
  void leave(const ObjectUser& user);

  // For a timer: values of Secrets do not stay in memory longer than they are of use. [no-block]
  void drop_expired() { fresh_.drop_expired(); }
  // Ends the following of what nobody needs any more. [may-block]
  void tidy();

  struct Counts {
    std::size_t fresh = 0;       // kept for a moment
    std::size_t referenced = 0;  // by pods
    std::size_t followed = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Use {
    std::uint64_t changes = 0;
    bool is_awaited = false;
    std::uint64_t content = 0;  // given, or told of; 0: none
    ObjectUser* user = nullptr;
  };
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;
  struct News {
    ObjectUser* user = nullptr;
    std::string pod_uid;
    std::uint64_t changes = 0;
  };
  // What comes of a change, for when the lock is released.
  struct Aftermath {
    std::vector<News> news;
    bool is_untidy = false;
  };

  Result<std::string> ask(const ObjectReference& object, const CancelToken& cancel);
  Result<ObjectPtr> fetch(const ObjectReference& object, const CancelToken& cancel);
  [[nodiscard]] ObjectPtr known(const ObjectReference& object) const;
  void take_news(Entry& entry, std::string_view json);
  void take_end(Entry& entry);
  void take_version(Entry& entry, const ObjectPtr& version, Aftermath* after)
      VKHOST_REQUIRES(mutex_);
  static void mark_gone(Entry& entry);
  EntryPtr& entry_for(const ObjectReference& object) VKHOST_REQUIRES(mutex_);
  void add_use(const std::string& pod_uid,
               const UsedObject& object,
               ObjectUser& user,
               Aftermath* after) VKHOST_REQUIRES(mutex_);
  void drop_use(const std::string& pod_uid, const EntryPtr& entry, Aftermath* after)
      VKHOST_REQUIRES(mutex_);
  void drop_pod(const std::string& pod_uid, Aftermath* after) VKHOST_REQUIRES(mutex_);
  void settle(const EntryPtr& entry, Aftermath* after) VKHOST_REQUIRES(mutex_);
  void add_news(const std::string& pod_uid, Use& use, std::uint64_t content, Aftermath* after)
      VKHOST_REQUIRES(mutex_);
  void tell(const Aftermath& after);

  const Parts parts_;
  const std::chrono::milliseconds max_age_;
  SingleFlight<ObjectReference, ObjectPtr> flights_;
  TimedCache<ReferencedObject, ObjectReference> fresh_;

  mutable Mutex mutex_;
  CondVar told_;
  std::size_t telling_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<ObjectReference, EntryPtr> entries_ VKHOST_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::vector<EntryPtr>> pods_ VKHOST_GUARDED_BY(mutex_);
  // Followed for nobody any more; each with its listener.
  std::vector<std::pair<EntryPtr, std::unique_ptr<FollowedObject>>> discarded_
      VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::resolve
