// Resolver: from a pod to its material document: all that the pod only refers to, resolved.
//
// One for each node, made by `daemon` once the provider's capabilities are known, and called by the
// pod engine before each create and update. The document is complete or there is none: a reference
// that is missing is FAILED_PRECONDITION with reason CreateContainerConfigError, Retry::Never when
// only another pod spec could help. The text may hold secrets: it is never logged. [any-thread]
// [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"
#include "resolve/environment.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/object_source.hpp"
#include "resolve/resolve_events.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace vkhost::resolve {

struct ResolverSettings {
  EnvNames env_names = EnvNames::Identifiers;
  // How old what was read for another pod may be. 0: every pod reads for itself.
  std::chrono::milliseconds max_age = std::chrono::seconds{1};
  std::size_t max_cache_bytes = std::size_t{4} * 1024 * 1024;
};

struct ResolverParts {  // all outlive the resolver
  ObjectSource* objects = nullptr;
  ResolveEvents* events = nullptr;
  const NodeFacts* node = nullptr;
  const Clock* clock = nullptr;
};

class Resolver {
 public:
  Resolver(const ResolverParts& parts,
           const ResolverSettings& settings,
           const plugin::Capabilities& capabilities);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  Result<std::string> material(const kube::PodRecord& pod, const CancelToken& cancel);

  // For a timer: drops what is too old to be used, values of Secrets first of all. [no-block]
  void drop_expired();
  [[nodiscard]] std::size_t remembered() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vkhost::resolve
