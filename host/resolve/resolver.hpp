// Resolver: from a pod to its material document: all that the pod only refers to, resolved.
//
// One for each node, made by `daemon` once the provider's capabilities are known, and called by the
// pod engine before each create and update. The document is complete or there is none: a reference
// that is missing is FAILED_PRECONDITION with reason CreateContainerConfigError, or ContainerCreating
// where a volume makes it, Retry::Never when only another pod spec could help. The text may hold
// secrets: it is never logged. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"
#include "resolve/environment.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/objects.hpp"
#include "resolve/resolve_events.hpp"

#include <memory>
#include <string>

namespace vkhost::resolve {

struct ResolverSettings {
  EnvNames env_names = EnvNames::Identifiers;
};

struct ResolverParts {         // all outlive the resolver
  Objects* objects = nullptr;  // perhaps of many resolvers
  ResolveEvents* events = nullptr;
  const NodeFacts* node = nullptr;
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

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vkhost::resolve
