// NodeMaterial: resolve's Resolver as the pod engine's MaterialSource, with the node's own facts and
// with its warnings as events of the pod. What the ObjectStore says of objects that changed becomes news
// of the pods that refer to them, and so does a token that was renewed. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "base/timers.hpp"
#include "pods/interfaces.hpp"
#include "resolve/claims.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/objects.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/resolver.hpp"
#include "resolve/tokens.hpp"
#include "resolve/used_object.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::daemon {

class NodeMaterial final : public pods::MaterialSource,
                           private resolve::ResolveEvents,
                           private resolve::ObjectUser,
                           private resolve::TokenUser,
                           private resolve::NodeFacts {
 public:
  struct Parts {                                   // all outlive the source
    resolve::Objects* objects = nullptr;           // of all nodes
    resolve::Tokens* tokens = nullptr;             // of all nodes; null where nobody issues any
    resolve::ServiceAccounts* accounts = nullptr;  // of all nodes
    resolve::Claims* claims = nullptr;             // of all nodes; null where there are none
    pods::EventSink* events = nullptr;
    const Clock* clock = nullptr;
    Timers* timers = nullptr;
    // status.allocatable of the node as it stands, by resource.
    std::function<std::optional<std::string>(std::string_view resource)> allocatable;
    std::string host_ip;
  };
  NodeMaterial(Parts parts, const plugin::Capabilities& capabilities);
  ~NodeMaterial() override;  // [may-block]

  // pods::MaterialSource
  Result<std::string> material(const kube::PodRecord& pod,
                               std::optional<std::uint64_t> changed,
                               const CancelToken& cancel) override;
  void forget(const std::string& uid) override;
  void listen(pods::MaterialListener* listener) override;

 private:
  void object_changed(const std::string& pod_uid, std::uint64_t changes) override;
  void token_renewed(const std::string& pod_uid) override;
  void warning(const kube::PodRecord& pod,
               std::string_view reason,
               std::string_view message) override;
  [[nodiscard]] std::vector<std::string> host_ips() const override;
  [[nodiscard]] std::optional<std::string> allocatable(std::string_view resource) const override;

  const Parts parts_;
  std::atomic<pods::MaterialListener*> listener_ = nullptr;
  Mutex mutex_;
  // UIDs of pods whose material is made for an update; hashes of what was told of pods at any time.
  std::set<std::string> updating_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, std::set<std::size_t>> told_ VKHOST_GUARDED_BY(mutex_);
  resolve::Resolver resolver_;
  Timer forget_;
};

}  // namespace vkhost::daemon
