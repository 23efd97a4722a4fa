// PodResolution: the material of one pod in the making. Made by Resolver for one call and dropped;
// reads each object once, so that all values come from the same state of it. [pod-serial]
// [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "resolve/claims.hpp"
#include "resolve/environment.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/objects.hpp"
#include "resolve/pod_fields.hpp"
#include "resolve/pod_view.hpp"
#include "resolve/pull_references.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/service_accounts.hpp"
#include "resolve/storage_view.hpp"
#include "resolve/tokens.hpp"
#include "resolve/used_object.hpp"
#include "resolve/volume_view.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::resolve {

// What the ABI lets a material document be at most.
inline constexpr std::size_t kMaxMaterialBytes = std::size_t{32} * 1024 * 1024;

class PodResolution {
 public:
  struct Parts {  // all outlive it
    Objects& objects;
    ResolveEvents& events;
    const NodeFacts& node;
    EnvNames env_names;
    PodAddresses addresses;
    // Of volumes: what the provider uses of them, and who hears of tokens that were renewed.
    bool makes_files = true;
    bool makes_tokens = false;
    Tokens* tokens = nullptr;  // null: nobody issues any
    TokenUser* token_user = nullptr;
    ServiceAccounts* accounts = nullptr;  // null: none can be read
    Claims* claims = nullptr;             // null: there are none
  };
  // What an object that is gone is to those whose changes the pod hears of.
  enum class Vanished { Missing, AsItWas };

  PodResolution(const Parts& parts,
                const kube::PodRecord& pod,
                const PodView& view,
                const ServiceVariables& services,
                Vanished vanished,
                const CancelToken& cancel)
      : parts_(parts),
        pod_(pod),
        view_(view),
        services_(services),
        vanished_(vanished),
        cancel_(cancel),
        fields_(pod, view, parts.node, parts.addresses) {}

  // The members of the material, each as its JSON text. A kubelet sets volumes up before it pulls
  // images, and looks at containers last, so ask for them in this order.
  Result<std::string> volumes(const PodVolumes& volumes);
  Result<std::string> storage(const PodStorage& storage);
  Result<std::string> pull_credentials(const PullReferences& references);
  Result<std::string> containers();
  // All that was looked for until now, found or not, each once.
  [[nodiscard]] std::vector<UsedObject> used() const;

 private:
  Result<Environment> environment_of(const ContainerView& container);
  Status add_from(const EnvFrom& from, Environment& environment);
  Status add_entry(const ContainerView& container, const EnvEntry& entry, Environment& environment);
  Status add_key(const EnvEntry& entry, const KeyReference& reference, Environment& environment);
  Status add_value(const std::string& name, Value value, Environment& environment);
  Status append_texts(std::string_view member,
                      const std::vector<std::string>& texts,
                      const Environment& environment,
                      std::string& json);
  Status append_sub_paths(const ContainerView& container,
                          const Environment& environment,
                          std::string& json);

  // Null when it is missing and may be; `prefix` stands before the words of an event in that case.
  Result<ObjectPtr> object(ObjectKind kind,
                           const std::string& name,
                           bool optional,
                           const std::string& prefix);
  // `changes`: see UsedObject. The namespace is the pod's, if the kind has any.
  Result<ObjectPtr> read_once(ObjectKind kind, const std::string& name, std::uint64_t changes) {
    return read_once({kind, kind == ObjectKind::TrustBundles ? "" : pod_.pod_namespace, name},
                     changes);
  }
  Result<ObjectPtr> read_once(const ObjectReference& object, std::uint64_t changes);
  Result<TokenPtr> token(const TokenFile& file);
  Status spend(std::size_t bytes);

  const Parts& parts_;
  const kube::PodRecord& pod_;
  const PodView& view_;
  const ServiceVariables& services_;
  const Vanished vanished_;
  const CancelToken& cancel_;
  PodFields fields_;
  struct Read {
    Result<ObjectPtr> answer;
    std::uint64_t changes = 0;
  };
  std::map<ObjectReference, Read> read_;
  std::size_t budget_ = kMaxMaterialBytes;
};

}  // namespace vkhost::resolve
