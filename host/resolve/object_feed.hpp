// ObjectFeed: news of single objects, in this room's words; `daemon` answers it with watches of the API
// server, or with the manifest folder.
//
// How the news is had (a watch, or a question now and then where watching is refused or there are too
// many) is the feed's own matter, as is every retry: following never fails, it is late at worst.
#pragma once

#include "kube/object_watch.hpp"
#include "resolve/object_reference.hpp"

#include <memory>
#include <string>

namespace vkhost::resolve {

// One object that is being followed. Destroying it ends that: once the destructor has returned, the
// listener is not called and will not be. Not to be destroyed by the listener's own functions, nor with
// a lock held that they take. [any-thread] [may-block]
class FollowedObject {
 public:
  FollowedObject() = default;
  FollowedObject(const FollowedObject&) = delete;
  FollowedObject& operator=(const FollowedObject&) = delete;
  virtual ~FollowedObject() = default;

  // Whether changes are told as they happen. False: the listener has not heard of the present state yet,
  // or news come late (by asking now and then) or not at all (the API server is away); who needs the
  // present state has to read it. May be asked from anywhere, the listener's functions included, and with
  // locks held that those take. [any-thread] [no-block]
  [[nodiscard]] virtual bool is_live() const = 0;
};

class ObjectFeed {
 public:
  ObjectFeed() = default;
  ObjectFeed(const ObjectFeed&) = delete;
  ObjectFeed& operator=(const ObjectFeed&) = delete;
  virtual ~ObjectFeed() = default;

  // From now on `listener` hears of every later state of the object, or of the last of several. With
  // `known_version`, the resourceVersion of a state that the caller has, it begins with what came after
  // that; when empty, with the present state, object_gone() when there is none. The same state may be
  // told again, so may object_gone().
  //
  // The listener is called by one thread at a time, not within follow(), and must not block; it outlives
  // what is returned, which is never null. The feed outlives it too. [any-thread] [no-block]
  virtual std::unique_ptr<FollowedObject> follow(const ObjectReference& object,
                                                 const std::string& known_version,
                                                 kube::ObjectListener& listener) = 0;
};

}  // namespace vkhost::resolve
