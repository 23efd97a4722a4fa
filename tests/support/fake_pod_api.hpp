// FakePodApi: the pods of one node as an API server keeps them, for tests of the pod engine.
//
// Tests act as the other clients (create, delete, edit a pod) and as the watch (deliver events, lose
// it, list again). The engine's writes are refused where a real API server refuses them: another UID,
// a terminated container that runs again, a changed qosClass. Every change of an object gets a new
// resourceVersion and an event; a write that changes nothing gets neither. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "kube/pod_record.hpp"
#include "pods/interfaces.hpp"

#include <Poco/JSON/Object.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::testing {

struct NewPod {
  std::string name = "web";
  std::string pod_namespace = "default";
  std::string uid = {};  // made up when empty
  std::string restart_policy = "Always";
  std::vector<std::string> containers = {"main"};
  std::vector<std::string> init_containers = {};
  std::vector<std::string> readiness_gates = {};
  std::vector<std::string> finalizers = {};
  std::map<std::string, std::string> annotations = {};
  std::string resources_json = {};  // of the first container
  std::string spec_json = {};       // an object: members of spec in place of those above
  std::string metadata_json = {};   // the same for metadata
  std::string status_json = {};     // Pending and scheduled when empty
};

class FakePodApi final : public pods::PodApi {
 public:
  enum class Call { Patch, Remove, Read };

  struct Patch {
    std::string uid;
    pods::StatusPatch patch;
  };

  explicit FakePodApi(const Clock& clock) : clock_(&clock) {}

  // ---- The watch
  void listen(kube::PodListener* listener) { listener_ = listener; }
  // Whether events go out before the write that caused them returns, or when deliver() is called.
  void deliver_at_once(bool at_once) { at_once_ = at_once; }
  std::size_t deliver();
  // Hands out the oldest event only; false when there is none.
  bool deliver_one();
  // Events are lost from here on until list_again().
  void lose_watch();
  void list_again();

  // As a server of 2021: no generations, and newer members of statuses are dropped.
  void be_an_old_server() { has_generations_ = false; }

  // ---- Other clients
  std::string create(const NewPod& pod);  // yields the UID
  // As DELETE does: graceful, or at once for grace 0 and for a pod that has ended.
  void remove(const std::string& uid, std::chrono::seconds grace);
  // The first of the two steps in which an API server removes a pod without grace.
  void begin_removal(const std::string& uid);
  void edit(const std::string& uid, const std::function<void(Poco::JSON::Object&)>& change);
  void set_condition(const std::string& uid, const std::string& type, const std::string& status);
  void set_image(const std::string& uid, const std::string& image);
  void resize(const std::string& uid, const std::string& resources_json);  // the first container
  void add_ephemeral_container(const std::string& uid, const std::string& name);
  // Of the spec, with a new generation.
  void edit_spec(const std::string& uid, const std::function<void(Poco::JSON::Object&)>& change);
  void annotate(const std::string& uid, const std::string& key, const std::string& value);
  void set_phase(const std::string& uid, const std::string& phase);

  // ---- What the object says
  [[nodiscard]] bool has(const std::string& uid) const;
  [[nodiscard]] std::vector<std::string> uids() const;
  [[nodiscard]] kube::PodPtr pod(const std::string& uid) const;
  [[nodiscard]] std::string phase(const std::string& uid) const;
  // A member of status by its path ("containerStatuses.0.state.terminated.exitCode") as JSON text
  // without the quotes of a string; empty when it is not there.
  [[nodiscard]] std::string status(const std::string& uid, const std::string& path) const;
  [[nodiscard]] std::string condition(const std::string& uid, const std::string& type) const;
  [[nodiscard]] std::string annotation(const std::string& uid, const std::string& key) const;

  // ---- Faults and records
  // The next `times` calls of that kind are answered so and do nothing.
  void answer(Call call, Status status, int times = 1);
  void stop_failing();
  // Like an admission policy: patches for which it holds are refused as invalid, for good.
  void refuse_patches(std::function<bool(const pods::StatusPatch& patch)> which);
  // The next call of that kind gets no answer: it ends when it is cancelled, and does nothing.
  void hang_next(Call call);
  [[nodiscard]] bool is_hanging() const;
  // Runs once in the next call of that kind, before its effect and without a lock.
  void during_next(Call call, std::function<void()> hook);
  [[nodiscard]] std::vector<Patch> patches() const;
  [[nodiscard]] std::size_t patch_count(const std::string& uid) const;
  [[nodiscard]] int count(Call call) const;

  // ---- pods::PodApi
  Result<std::string> patch_status(const kube::PodRecord& pod,
                                   const pods::StatusPatch& patch,
                                   const CancelToken& cancel) override;
  Status remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) override;
  Result<kube::PodPtr> read_pod(const std::string& pod_namespace,
                                const std::string& name,
                                const std::string& node_name,
                                const CancelToken& cancel) override;

 private:
  struct Event {
    kube::PodPtr applied;     // or null:
    std::string removed_uid;  // the pod is gone
  };
  using ObjectPtr = Poco::JSON::Object::Ptr;

  std::optional<Status> begin(Call call, const CancelToken& cancel);
  void store(ObjectPtr object) VKHOST_REQUIRES(mutex_);
  void erase(const std::string& uid) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] ObjectPtr find(const std::string& uid) const VKHOST_REQUIRES(mutex_);
  void send();

  const Clock* clock_;
  kube::PodListener* listener_ = nullptr;
  bool at_once_ = false;
  bool has_generations_ = true;
  Mutex delivery_mutex_;  // keeps events in order on their way to the listener

  mutable Mutex mutex_;
  std::map<std::string, ObjectPtr> pods_ VKHOST_GUARDED_BY(mutex_);  // by UID
  std::deque<Event> events_ VKHOST_GUARDED_BY(mutex_);
  bool watching_ VKHOST_GUARDED_BY(mutex_) = true;
  std::uint64_t version_ VKHOST_GUARDED_BY(mutex_) = 100;
  std::uint64_t last_uid_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<Call, std::deque<Status>> answers_ VKHOST_GUARDED_BY(mutex_);
  std::function<bool(const pods::StatusPatch& patch)> refuses_ VKHOST_GUARDED_BY(mutex_);
  std::map<Call, std::function<void()>> hooks_ VKHOST_GUARDED_BY(mutex_);
  std::map<Call, int> counts_ VKHOST_GUARDED_BY(mutex_);
  std::optional<Call> hangs_ VKHOST_GUARDED_BY(mutex_);
  bool is_hanging_ VKHOST_GUARDED_BY(mutex_) = false;
  std::vector<Patch> patches_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
