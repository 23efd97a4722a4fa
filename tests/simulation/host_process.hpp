// HostProcess: one life of the host, from its boot to its crash: the real pod engine, and between it
// and the models everything that calls may meet: faults before and after the effect, other things
// that happen meanwhile, the end of the process. Checks at each call what must hold whatever happens.
// What a dead host still has on the stack comes to nothing.
#pragma once

#include "pods/engine.hpp"
#include "simulation/world.hpp"

#include <set>
#include <string>
#include <vector>

namespace vkhost::simulation {

class HostProcess final : public kube::PodListener,
                          public pods::PodApi,
                          public pods::EventSink,
                          public pods::MaterialSource,
                          public pods::ProviderFaultSink,
                          public plugin::Provider {
 public:
  explicit HostProcess(World& world);

  void recover();
  [[nodiscard]] bool is_ready() const { return ready_; }
  void die();

  [[nodiscard]] pods::PodEngine& engine() { return engine_; }
  // The API has shown this pod to this process.
  [[nodiscard]] bool knows(const std::string& uid) const { return known_.contains(uid); }
  [[nodiscard]] bool is_called(const std::string& uid) const { return busy_.contains(uid); }
  // The eviction of this pod is known to every host from now on.
  [[nodiscard]] static bool is_marked(const ModelApi::Object& object);
  [[nodiscard]] const Status& fault() const { return fault_; }

  // What the plugin says; some of it waits until deliver_late().
  void push(plugin::PodChange change);
  bool deliver_late(bool in_order);

  // ---- kube::PodListener
  void pods_listed(std::vector<kube::PodPtr> pods) override;
  void pod_applied(kube::PodPtr pod) override;
  void pod_removed(const std::string& uid) override;

  // ---- pods::PodApi
  Result<std::string> patch_status(const kube::PodRecord& pod,
                                   const pods::StatusPatch& patch,
                                   const CancelToken& cancel) override;
  Status remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) override;
  Result<kube::PodPtr> read_pod(const std::string& pod_namespace,
                                const std::string& name,
                                const std::string& node_name,
                                const CancelToken& cancel) override;

  // ---- Events, material, faults
  void pod_event(const kube::PodRecord& pod, const pods::Happening& what) override;
  void node_event(std::string_view node_name, const pods::Happening& what) override;
  Result<std::string> material(const kube::PodRecord& pod,
                               std::optional<std::uint64_t> changed,
                               const CancelToken& cancel) override;
  void forget(const std::string& /*uid*/) override {}
  void listen(pods::MaterialListener* /*listener*/) override {}
  void provider_fault(const Status& status) override;

  // ---- plugin::Provider
  [[nodiscard]] const plugin::Capabilities& capabilities() const override { return shape_; }
  Result<std::string> node(std::string_view node_name, const plugin::CallOptions& options) override;
  Status ping(const plugin::CallOptions& options) override;
  Result<std::vector<plugin::RecoverVerdict>> recover_pods(
      const std::vector<plugin::RecoverPod>& pods,
      bool last,
      const plugin::CallOptions& options) override;
  Status start(const plugin::StartNode& node, const plugin::CallOptions& options) override;
  plugin::CreateOutcome create_pod(const plugin::CreatePod& request,
                                   const plugin::CallOptions& options) override;
  Result<std::vector<plugin::UpdateAnswer>> update_pod(const plugin::UpdatePod& request,
                                                       const plugin::CallOptions& options) override;
  Status delete_pod(const plugin::DeletePod& request, const plugin::CallOptions& options) override;
  Result<plugin::PodList> list_pods(const std::vector<std::string>& uids,
                                    const plugin::CallOptions& options) override;
  Status stop(const plugin::CallOptions& options) override;

 private:
  class Call;  // one of a pod, for its time

  void note_object(const kube::PodRecord& pod);
  void deliver(plugin::PodChange change);
  void check_create(const std::string& uid, const std::string& name);
  void check_written(const ModelApi::Object& object, bool was_terminal);
  plugin::CreateOutcome make(const plugin::CreatePod& request, const plugin::CallOptions& options);
  Status save(const plugin::PodRef& ref, const std::string& handle);
  void list_some(const std::vector<std::string>& uids, plugin::PodList* list);

  World& world_;
  plugin::Capabilities shape_;
  bool alive_ = true;
  bool recovering_ = false;
  bool ready_ = false;
  Status fault_;
  std::set<std::string> known_;    // UIDs that the API has shown
  std::set<std::string> ending_;   // ... being deleted
  std::set<std::string> started_;  // ... with a container that was pushed as started
  std::set<std::string> busy_;     // with a call of the provider
  std::set<std::string> writing_;  // with a write to the API
  std::set<std::string> named_;    // to the plugin
  unsigned lists_ = 0;
  std::vector<plugin::PodChange> late_;
  pods::PodEngine engine_;  // last: it uses all of the above
};

}  // namespace vkhost::simulation
