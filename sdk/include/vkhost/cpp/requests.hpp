// Requests of the host as plain values, and the sinks that take the answers. Views point into the
// host's memory and live as long as the call; so does a sink. A sink that refuses throws Error.
// [any-thread] [no-block]
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vkhost::sdk {

// Names one pod; the UID is its identity. The handle is what this provider saved for it, or empty: a
// hint that users can forge.
struct PodRef {
  PodRef() = default;
  explicit PodRef(const vkp_pod_ref& raw)
      : pod_namespace(view(read(raw, &vkp_pod_ref::pod_namespace))),
        name(view(read(raw, &vkp_pod_ref::name))),
        uid(view(read(raw, &vkp_pod_ref::uid))),
        handle(view(read(raw, &vkp_pod_ref::handle))) {}

  std::string_view pod_namespace;
  std::string_view name;
  std::string_view uid;
  std::string_view handle;
};

// A new instance: its settings and what is known of the node so far.
struct InstanceRequest {
  explicit InstanceRequest(const vkp_instance_request& raw)
      : config_json(view(read(raw, &vkp_instance_request::config_json))),
        info_json(view(read(raw, &vkp_instance_request::info_json))) {}

  std::string_view config_json;
  std::string_view info_json;
};

struct NodeRequest {
  explicit NodeRequest(const vkp_node_request& raw)
      : node_name(view(read(raw, &vkp_node_request::node_name))) {}

  std::string_view node_name;  // as configured, or empty; after the first answer the final one
};

struct StartRequest {
  explicit StartRequest(const vkp_start_request& raw)
      : node_name(view(read(raw, &vkp_start_request::node_name))),
        owner_key(view(read(raw, &vkp_start_request::owner_key))) {}

  std::string_view node_name;  // final
  std::string_view owner_key;  // the ownership mark, stable over restarts; fits labels and names
};

struct RecoverPod {
  PodRef ref;
  std::string_view pod_json;  // with the last status known; empty when only the handle is left
};

struct RecoverBatch {
  explicit RecoverBatch(const vkp_recover_request& raw)
      : first(read(raw, &vkp_recover_request::first)), last(read(raw, &vkp_recover_request::last)) {
    const std::size_t count = read(raw, &vkp_recover_request::pod_count);
    pods.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
      const vkp_recover_pod& pod = *raw.pods[index];
      pods.push_back({PodRef(*pod.ref), view(read(pod, &vkp_recover_pod::pod_json))});
    }
  }

  std::vector<RecoverPod> pods;
  bool first;  // a round begins: forget the one before
  bool last;   // after this batch the provider knows every pod of the node
};

enum class CreateReason : std::int32_t {
  First = VKP_CREATE_FIRST,
  Retry = VKP_CREATE_RETRY,
  Lost = VKP_CREATE_LOST,
};

struct CreatePod {
  explicit CreatePod(const vkp_create_pod_request& raw)
      : ref(*raw.ref),
        pod_json(view(read(raw, &vkp_create_pod_request::pod_json))),
        material_json(view(read(raw, &vkp_create_pod_request::material_json))),
        why(static_cast<CreateReason>(read(raw, &vkp_create_pod_request::why))) {}

  PodRef ref;
  std::string_view pod_json;       // log members of it, not the document
  std::string_view material_json;  // never logged
  CreateReason why;                // an unknown value counts as Retry
};

struct UpdatePod {
  explicit UpdatePod(const vkp_update_pod_request& raw)
      : ref(*raw.ref),
        pod_json(view(read(raw, &vkp_update_pod_request::pod_json))),
        material_json(view(read(raw, &vkp_update_pod_request::material_json))),
        changed(read(raw, &vkp_update_pod_request::changed)) {}

  PodRef ref;
  std::string_view pod_json;
  std::string_view material_json;
  std::uint64_t changed;  // VKP_CHANGED_... bits
};

enum class DeleteReason : std::int32_t {
  Deleted = VKP_DELETE_DELETED,
  Evicted = VKP_DELETE_EVICTED,
  Finished = VKP_DELETE_FINISHED,
  Deadline = VKP_DELETE_DEADLINE,
  Orphan = VKP_DELETE_ORPHAN,
  Rejected = VKP_DELETE_REJECTED,
};

struct DeletePod {
  explicit DeletePod(const vkp_delete_pod_request& raw)
      : ref(*raw.ref),
        pod_json(view(read(raw, &vkp_delete_pod_request::pod_json))),
        grace(read(raw, &vkp_delete_pod_request::grace_ms)),
        reason(static_cast<DeleteReason>(read(raw, &vkp_delete_pod_request::reason))) {}

  PodRef ref;
  std::string_view pod_json;  // empty for an orphan
  std::chrono::milliseconds grace;
  DeleteReason reason;
};

struct ListPods {
  explicit ListPods(const vkp_list_pods_request& raw) {
    const std::size_t count = read(raw, &vkp_list_pods_request::uid_count);
    uids.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
      uids.push_back(view(raw.uids[index]));
    }
  }

  std::vector<std::string_view> uids;  // empty: all under this owner key
};

// ---- Answers ----

// Takes one text; a second one replaces the first. For handles: what was put counts even when the
// call then fails.
class TextSink {
 public:
  explicit TextSink(const vkp_text_sink* raw) noexcept : raw_(raw) {}
  void put(std::string_view text) const {
    require(raw_->put(raw_, text.data(), text.size()), "handing over a text");
  }

 private:
  const vkp_text_sink* raw_;
};

// Takes what is wrong with the settings. `pointer` is an RFC 6901 JSON pointer ("/region").
class ProblemSink {
 public:
  explicit ProblemSink(const vkp_problem_sink* raw) noexcept : raw_(raw) {}
  void error(std::string_view pointer, std::string_view text) const {
    put(VKP_PROBLEM_ERROR, pointer, text);
  }
  void warning(std::string_view pointer, std::string_view text) const {
    put(VKP_PROBLEM_WARNING, pointer, text);
  }

 private:
  void put(std::int32_t severity, std::string_view pointer, std::string_view text) const {
    auto problem = sized<vkp_problem>();
    problem.pointer = str(pointer);
    problem.text = str(text);
    problem.severity = severity;
    require(raw_->put(raw_, &problem), "reporting a problem of the settings");
  }

  const vkp_problem_sink* raw_;
};

enum class Recovered : std::int32_t {
  Unknown = VKP_RECOVER_UNKNOWN,    // cannot tell now: asked again by list_pods
  Attached = VKP_RECOVER_ATTACHED,  // taken as there; what turns out otherwise is pushed
  Create = VKP_RECOVER_CREATE,      // create_pod continues or starts it; only if none ever started
  Absent = VKP_RECOVER_ABSENT,      // no trace of it and no result
};

class RecoverSink {
 public:
  explicit RecoverSink(const vkp_recover_sink* raw) noexcept : raw_(raw) {}
  void put(std::string_view uid, Recovered verdict) const {
    auto answer = sized<vkp_recovered_pod>();
    answer.uid = str(uid);
    answer.verdict = static_cast<std::int32_t>(verdict);
    require(raw_->put(raw_, &answer), "answering for a recovered pod");
  }

 private:
  const vkp_recover_sink* raw_;
};

enum class UpdateOutcome : std::int32_t {
  Deferred = VKP_UPDATE_DEFERRED,
  Applied = VKP_UPDATE_APPLIED,
  AppliedByRestart = VKP_UPDATE_APPLIED_BY_RESTART,
  Infeasible = VKP_UPDATE_INFEASIBLE,
  Unsupported = VKP_UPDATE_UNSUPPORTED,
};

class UpdateSink {
 public:
  explicit UpdateSink(const vkp_update_sink* raw) noexcept : raw_(raw) {}
  // Answers for one or more VKP_CHANGED_... bits; `text` says why not. The worst of what happened
  // counts: a later answer for a bit replaces the one before.
  void put(std::uint64_t changed, UpdateOutcome outcome, std::string_view text = {}) const {
    auto answer = sized<vkp_update_answer>();
    answer.changed = changed;
    answer.text = str(text);
    answer.outcome = static_cast<std::int32_t>(outcome);
    require(raw_->put(raw_, &answer), "answering for an update");
  }

 private:
  const vkp_update_sink* raw_;
};

enum class Marks : std::int32_t { Legacy = VKP_MARKS_LEGACY, Ours = VKP_MARKS_OURS };

enum class Listed : std::int32_t {
  Unknown = VKP_LISTED_UNKNOWN,
  Present = VKP_LISTED_PRESENT,
  PresentStatusUnknown = VKP_LISTED_PRESENT_STATUS_UNKNOWN,
  Absent = VKP_LISTED_ABSENT,
};

struct ListedPod {
  PodRef ref;
  std::uint64_t seq = 0;
  std::string_view status_json;  // with Present
  Marks marks = Marks::Ours;
  Listed verdict = Listed::Present;
};

class ListSink {
 public:
  explicit ListSink(const vkp_list_sink* raw) noexcept : raw_(raw) {}
  void put(const ListedPod& pod) const {
    auto ref = sized<vkp_pod_ref>();
    ref.pod_namespace = str(pod.ref.pod_namespace);
    ref.name = str(pod.ref.name);
    ref.uid = str(pod.ref.uid);
    ref.handle = str(pod.ref.handle);
    auto item = sized<vkp_listed_pod>();
    item.ref = &ref;
    item.seq = pod.seq;
    item.status_json = str(pod.status_json);
    item.marks = static_cast<std::int32_t>(pod.marks);
    item.verdict = static_cast<std::int32_t>(pod.verdict);
    require(raw_->put(raw_, &item), "listing a pod");
  }
  // The list holds everything asked for: only now does a missing pod count as absent.
  void complete() const noexcept { raw_->complete(raw_); }

 private:
  const vkp_list_sink* raw_;
};

}  // namespace vkhost::sdk
