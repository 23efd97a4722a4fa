// UsedObject: one object that a pod refers to, as its material was made with it. A plain value.
#pragma once

#include "resolve/object_reference.hpp"
#include "resolve/referenced_object.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace vkhost::resolve {

using ObjectPtr = std::shared_ptr<const ReferencedObject>;

struct UsedObject {
  ObjectReference object;
  // What another content of it means to the pod while it runs: plugin::kChanged… bits. 0: nothing, as
  // for an environment, so nobody has to look out for it.
  std::uint64_t changes = 0;
  // The pod cannot be created before it changes.
  bool is_awaited = false;
  ObjectPtr given;  // null: there is none, or nobody could say
  // Nobody could say: what was known of it before is no news then.
  bool is_unread = false;
};

// Hears when an object is not any more what a pod was given. [any-thread] [no-block]
class ObjectUser {
 public:
  ObjectUser() = default;
  ObjectUser(const ObjectUser&) = delete;
  ObjectUser& operator=(const ObjectUser&) = delete;
  virtual ~ObjectUser() = default;
  // Once for each content, with the pod's UsedObject::changes. An object that is gone is no change, for
  // the pod keeps what it has.
  virtual void object_changed(const std::string& pod_uid, std::uint64_t changes) = 0;
};

}  // namespace vkhost::resolve
