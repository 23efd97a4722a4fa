// What the pod engine asks of others, in its own words; `daemon` connects the real ones (the API
// server, or the state folder when standalone), tests their fakes.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"
#include "kube/node_facts.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::pods {

// Members of PodStatus to merge (a strategic merge patch of `status`), and annotations; nullopt
// removes one.
struct StatusPatch {
  std::string status_json;  // an object, or empty
  std::map<std::string, std::optional<std::string>> annotations;
};

// Where desired pods come from and statuses go. All [any-thread] [may-block].
class PodApi {
 public:
  PodApi() = default;
  PodApi(const PodApi&) = delete;
  PodApi& operator=(const PodApi&) = delete;
  virtual ~PodApi() = default;

  // Yields the resourceVersion after the write. NOT_FOUND: the pod of that UID is gone.
  virtual Result<std::string> patch_status(const kube::PodRecord& pod,
                                           const StatusPatch& patch,
                                           const CancelToken& cancel) = 0;
  // Ends the object at once, provided that it still has this UID. NOT_FOUND counts as done.
  virtual Status remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) = 0;
  // A fresh read, not from any cache. NOT_FOUND when there is none of that name on that node; an
  // empty `node_name` stands for all nodes.
  virtual Result<kube::PodPtr> read_pod(const std::string& pod_namespace,
                                        const std::string& name,
                                        const std::string& node_name,
                                        const CancelToken& cancel) = 0;
};

enum class EventType { Normal, Warning };

// What users shall hear of. The texts live for the call.
struct Happening {
  EventType type = EventType::Normal;
  std::string_view reason;
  std::string_view message;
  std::string_view detail = {};      // follows the message; a repeat may differ in it
  std::string_view field_path = {};  // of the part of the pod, such as spec.containers{main}
  std::string_view key = {};         // names the occurrence: the same again is none; or empty
  std::optional<WallTime> occurred = {};
};

// As a provider has it.
[[nodiscard]] Happening happening_of(const plugin::ProviderEvent& event);

class EventSink {  // [any-thread] [no-block]
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;
  virtual void pod_event(const kube::PodRecord& pod, const Happening& what) = 0;
  virtual void node_event(std::string_view node_name, const Happening& what) = 0;
  // False: what is Normal would be dropped now, so it need not be put together.
  [[nodiscard]] virtual bool takes_normal() const { return true; }
};

// What concerns the node as a whole, said of it under the name that it has.
class NodeEventSink {  // [any-thread] [no-block]
 public:
  NodeEventSink() = default;
  NodeEventSink(const NodeEventSink&) = delete;
  NodeEventSink& operator=(const NodeEventSink&) = delete;
  virtual ~NodeEventSink() = default;
  virtual void node_event(const Happening& what) = 0;
};

// Hears that the material of a pod is not what it was. [any-thread] [no-block]
class MaterialListener {
 public:
  MaterialListener() = default;
  MaterialListener(const MaterialListener&) = delete;
  MaterialListener& operator=(const MaterialListener&) = delete;
  virtual ~MaterialListener() = default;
  // `changed`: which parts of it are not what the provider was given, kChangedFiles, kChangedTokens,
  // kChangedPullCredentials; none of them: it may be made now, though it could not be made before.
  virtual void material_changed(const std::string& uid, std::uint64_t changed) = 0;
};

// Everything that a pod refers to, resolved into the material document. [any-thread]
class MaterialSource {
 public:
  MaterialSource() = default;
  MaterialSource(const MaterialSource&) = delete;
  MaterialSource& operator=(const MaterialSource&) = delete;
  virtual ~MaterialSource() = default;
  // For a create, or for an update of the parts `changed`, which has only what these need. A reference that
  // is missing is FAILED_PRECONDITION with a reason such as CreateContainerConfigError. [may-block]
  virtual Result<std::string> material(const kube::PodRecord& pod,
                                       std::optional<std::uint64_t> changed,
                                       const CancelToken& cancel) = 0;
  // The pod needs no material any more, and hears of none. [no-block]
  virtual void forget(const std::string& uid) = 0;
  // Who hears of changes, from now on; null: nobody does once this has returned. [may-block]
  virtual void listen(MaterialListener* listener) = 0;
};

// Parts of a pod whose change may start a container anew, for which its environment is needed.
inline constexpr std::uint64_t kStartingParts =
    plugin::kChangedImage | plugin::kChangedEphemeralContainers;

// The node that pods are admitted to. [any-thread]
class NodeSource {
 public:
  NodeSource() = default;
  NodeSource(const NodeSource&) = delete;
  NodeSource& operator=(const NodeSource&) = delete;
  virtual ~NodeSource() = default;
  // As it is known to be; null as long as nothing is. [no-block]
  virtual std::shared_ptr<const kube::NodeFacts> node() = 0;
  // After asking the API server: somebody may have changed it a moment ago. Null: it did not answer.
  // [may-block]
  virtual std::shared_ptr<const kube::NodeFacts> read_node(const CancelToken& cancel) = 0;
};

// Faults of the whole provider instance (expired key, throttled account), for the node's condition.
class ProviderFaultSink {  // [any-thread] [no-block]
 public:
  ProviderFaultSink() = default;
  ProviderFaultSink(const ProviderFaultSink&) = delete;
  ProviderFaultSink& operator=(const ProviderFaultSink&) = delete;
  virtual ~ProviderFaultSink() = default;
  virtual void provider_fault(const Status& status) = 0;  // OK: it is over
};

}  // namespace vkhost::pods
