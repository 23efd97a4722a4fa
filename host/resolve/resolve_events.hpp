// ResolveEvents: what resolving tells the user beside its result; `daemon` makes events of it.
#pragma once

#include "kube/pod_record.hpp"

#include <string_view>

namespace vkhost::resolve {

class ResolveEvents {  // [any-thread] [no-block]
 public:
  ResolveEvents() = default;
  ResolveEvents(const ResolveEvents&) = delete;
  ResolveEvents& operator=(const ResolveEvents&) = delete;
  virtual ~ResolveEvents() = default;

  // An event of type Warning on the pod. Comes again with every attempt.
  virtual void warning(const kube::PodRecord& pod,
                       std::string_view reason,
                       std::string_view message) = 0;
};

}  // namespace vkhost::resolve
