// ServiceAccounts: which image pull secrets the service accounts of pods name.
//
// Shared by all materials that are being made, for whichever node; an answer is kept for a moment.
// Where accounts may not be read, as by a node, which may only have tokens of them made, that is
// said once and then taken for an account that names none: the API server has given pods without
// pull secrets those of their account already. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "observe/log.hpp"
#include "resolve/object_source.hpp"
#include "resolve/timed_cache.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::resolve {

class ServiceAccounts {
 public:
  // Source and clock outlive this object.
  ServiceAccounts(ObjectSource& source, const Clock& clock, observe::Logger log);

  // Names in the account's order; none when there is no such account. A failure says nothing about
  // it, or that it cannot be understood (INVALID_ARGUMENT, possible in manifests only).
  Result<std::vector<std::string>> pull_secrets(const std::string& account_namespace,
                                                const std::string& name,
                                                const CancelToken& cancel);

 private:
  using Names = std::vector<std::string>;

  ObjectSource& source_;
  const Clock& clock_;
  const observe::Logger log_;
  TimedCache<Names> known_;    // by namespace and name
  TimedCache<Names> refused_;  // by namespace: none, for rights are given by namespace
  std::atomic<bool> is_said_ = false;
};

}  // namespace vkhost::resolve
