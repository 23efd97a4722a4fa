// Resolver: from a pod to its material document: all that the pod only refers to, resolved.
//
// One for each node, made by `daemon` once the provider's capabilities are known, and called by the
// pod engine before each create and update. The document is complete or there is none: a reference
// that is missing is FAILED_PRECONDITION with reason CreateContainerConfigError, or ContainerCreating
// where a volume makes it, Retry::Never when only another pod spec could help. The text may hold
// secrets: it is never logged.
//
// What a pod refers to is registered with the ObjectStore under its UID, until forget(): its user hears
// when files that the pod mounts have changed, and, after a failure, when anything has that the pod
// refers to. Its tokens are renewed just as long, if the provider takes changes of tokens.
// [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"
#include "resolve/claims.hpp"
#include "resolve/environment.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/objects.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/service_accounts.hpp"
#include "resolve/tokens.hpp"
#include "resolve/used_object.hpp"

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
  ObjectUser* user = nullptr;  // null: nobody hears of changes
  Tokens* tokens = nullptr;    // perhaps of many resolvers; null: nobody issues any
  TokenUser* token_user = nullptr;
  ServiceAccounts* accounts = nullptr;  // null: image pull secrets count where the pod names them
  Claims* claims = nullptr;             // perhaps of many resolvers; null: there are none
};

// What of the material is wanted, as far as the provider uses it.
struct MaterialScope {
  bool environment =
      true;  // with command, arguments and sub-path expressions: to start a container
  bool files = true;
  bool storage = true;  // claims, emptyDir, Secrets of sources: to start a container, too
  bool pull_credentials = true;
  // For a pod that has them: files and pull credentials of an object that was deleted stay as they were.
  bool keeps_vanished = false;
  // Of volumes only those with a token, so that no other keeps a new token from the pod.
  bool only_with_tokens = false;
};

class Resolver {
 public:
  Resolver(const ResolverParts& parts,
           const ResolverSettings& settings,
           const plugin::Capabilities& capabilities);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  Result<std::string> material(const kube::PodRecord& pod,
                               const MaterialScope& scope,
                               const CancelToken& cancel);
  // The pod hears of nothing any more. [no-block]
  void forget(const std::string& pod_uid);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vkhost::resolve
