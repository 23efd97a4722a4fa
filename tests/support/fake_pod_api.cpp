#include "support/fake_pod_api.hpp"

#include "support/strategic_merge.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <stdexcept>
#include <utility>

namespace vkhost::testing {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

std::string text_of(const Var& value) {
  if (value.isString()) {
    return value.extract<std::string>();
  }
  std::ostringstream out;
  Poco::JSON::Stringifier::stringify(value, out);
  return out.str();
}

Object::Ptr parse(const std::string& text) {
  Poco::JSON::Parser parser;
  return parser.parse(text).extract<Object::Ptr>();
}

Object::Ptr copy_of(const Object::Ptr& object) { return parse(text_of(Var(object))); }

Object::Ptr member(Object::Ptr object, const std::string& name) {
  Object::Ptr found = object->getObject(name);
  if (found.isNull()) {
    found = new Object;
    object->set(name, found);
  }
  return found;
}

Array::Ptr strings(const std::vector<std::string>& values, const std::string& key) {
  Array::Ptr list = new Array;
  for (const std::string& value : values) {
    if (key.empty()) {
      list->add(value);
      continue;
    }
    Object::Ptr entry = new Object;
    entry->set(key, value);
    list->add(entry);
  }
  return list;
}

Object::Ptr new_condition(const std::string& type,
                          const std::string& status,
                          const std::string& time) {
  Object::Ptr made = new Object;
  made->set("type", type);
  made->set("status", status);
  made->set("lastTransitionTime", time);
  return made;
}

// What the server's Go types make of a container status: structs appear even when empty, and a time
// that is not set reads as null.
void complete_containers(Object::Ptr status) {
  for (const char* list_name :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    const Array::Ptr list = status->getArray(list_name);
    for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
      Object::Ptr item = list->getObject(static_cast<unsigned>(i));
      member(item, "lastState");
      Object::Ptr state = member(item, "state");
      for (const auto& [kind, time] : {std::pair<const char*, const char*>{"running", "startedAt"},
                                       {"terminated", "startedAt"},
                                       {"terminated", "finishedAt"}}) {
        Object::Ptr run = state->getObject(kind);
        if (!run.isNull() && !run->has(time)) {
          run->set(time, Var());
        }
      }
    }
  }
}

// What a server before 1.28 does not know.
void drop_newer_members(Object::Ptr status) {
  status->remove("observedGeneration");
  status->remove("hostIPs");
  const Array::Ptr list = status->getArray("containerStatuses");
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    Object::Ptr item = list->getObject(static_cast<unsigned>(i));
    item->remove("resources");
    item->remove("allocatedResources");
  }
}

bool is_terminated(Object::Ptr status, std::size_t index) {
  const Array::Ptr list = status->getArray("containerStatuses");
  if (list.isNull() || index >= list->size()) {
    return false;
  }
  Object::Ptr state = list->getObject(static_cast<unsigned>(index))->getObject("state");
  return !state.isNull() && state->isObject("terminated");
}

Status check_transition(Object::Ptr pod, Object::Ptr before, Object::Ptr after) {
  if (before->has("qosClass") && before->get("qosClass") != after->get("qosClass")) {
    return invalid_argument("status.qosClass: Invalid value: field is immutable");
  }
  const std::string policy = pod->getObject("spec")->getValue<std::string>("restartPolicy");
  for (std::size_t i = 0; policy == "Never" && i < 8; ++i) {
    if (is_terminated(before, i) && !is_terminated(after, i)) {
      return invalid_argument(
          "status.containerStatuses: Forbidden: may not be transitioned to non-terminated state");
    }
  }
  return Status::ok();
}

std::string uid_of(Object::Ptr pod) {
  return pod->getObject("metadata")->getValue<std::string>("uid");
}

std::string phase_of(Object::Ptr pod) {
  return pod->getObject("status")->optValue<std::string>("phase", "");
}

void set_members(Object::Ptr object, const std::string& members_json) {
  if (!members_json.empty()) {
    const Object::Ptr members = parse(members_json);
    for (const auto& [name, value] : *members) {
      object->set(name, value);
    }
  }
}

Object::Ptr new_pod(const NewPod& wanted, const std::string& uid, const std::string& now) {
  Object::Ptr metadata = new Object;
  metadata->set("name", wanted.name);
  metadata->set("namespace", wanted.pod_namespace);
  metadata->set("uid", uid);
  metadata->set("generation", 1);
  metadata->set("creationTimestamp", now);
  for (const auto& [key, value] : wanted.annotations) {
    member(metadata, "annotations")->set(key, value);
  }
  if (!wanted.finalizers.empty()) {
    metadata->set("finalizers", strings(wanted.finalizers, ""));
  }
  Object::Ptr spec = new Object;
  spec->set("nodeName", "vk-0");
  spec->set("restartPolicy", wanted.restart_policy);
  spec->set("containers", strings(wanted.containers, "name"));
  if (!wanted.resources_json.empty()) {
    spec->getArray("containers")->getObject(0)->set("resources", parse(wanted.resources_json));
  }
  if (!wanted.init_containers.empty()) {
    spec->set("initContainers", strings(wanted.init_containers, "name"));
  }
  if (!wanted.readiness_gates.empty()) {
    spec->set("readinessGates", strings(wanted.readiness_gates, "conditionType"));
  }
  set_members(metadata, wanted.metadata_json);
  set_members(spec, wanted.spec_json);
  Object::Ptr status = new Object;
  if (wanted.status_json.empty()) {
    Array::Ptr conditions = new Array;
    conditions->add(new_condition("PodScheduled", "True", now));
    status->set("phase", "Pending");
    status->set("conditions", conditions);
  } else {
    status = parse(wanted.status_json);
  }
  status->set("qosClass", "BestEffort");
  Object::Ptr pod = new Object;
  pod->set("apiVersion", "v1");
  pod->set("kind", "Pod");
  pod->set("metadata", metadata);
  pod->set("spec", spec);
  pod->set("status", status);
  return pod;
}

kube::PodPtr record_of(const Object::Ptr& pod) {
  auto parsed = kube::parse_pod(text_of(Var(pod)));
  if (!parsed.is_ok()) {
    throw std::logic_error("the fake API server made a bad pod: " + parsed.status().to_string());
  }
  return *parsed;
}

}  // namespace

// ---- The watch

bool FakePodApi::deliver_one() {
  MutexLock delivery(delivery_mutex_);
  Event event;
  {
    MutexLock lock(mutex_);
    if (events_.empty()) {
      return false;
    }
    event = std::move(events_.front());
    events_.pop_front();
  }
  if (event.applied) {
    listener_->pod_applied(event.applied);
  } else {
    listener_->pod_removed(event.removed_uid);
  }
  return true;
}

std::size_t FakePodApi::deliver() {
  std::size_t count = 0;
  while (deliver_one()) {
    ++count;
  }
  return count;
}

void FakePodApi::send() {
  if (at_once_) {
    deliver();
  }
}

void FakePodApi::lose_watch() {
  MutexLock lock(mutex_);
  watching_ = false;
  events_.clear();
}

void FakePodApi::list_again() {
  MutexLock delivery(delivery_mutex_);
  std::vector<kube::PodPtr> all;
  {
    MutexLock lock(mutex_);
    watching_ = true;
    events_.clear();
    for (const auto& [uid, pod] : pods_) {
      all.push_back(record_of(pod));
    }
  }
  listener_->pods_listed(std::move(all));
}

void FakePodApi::store(ObjectPtr object) {
  object->getObject("metadata")->set("resourceVersion", std::to_string(++version_));
  pods_[uid_of(object)] = object;
  if (watching_) {
    events_.push_back({record_of(object), ""});
  }
}

void FakePodApi::erase(const std::string& uid) {
  ++version_;
  pods_.erase(uid);
  if (watching_) {
    events_.push_back({nullptr, uid});
  }
}

FakePodApi::ObjectPtr FakePodApi::find(const std::string& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? ObjectPtr() : found->second;
}

// ---- Other clients

std::string FakePodApi::create(const NewPod& pod) {
  std::string uid;
  {
    MutexLock lock(mutex_);
    uid = pod.uid.empty() ? "uid-" + std::to_string(++last_uid_) : pod.uid;
    for (const auto& [other, object] : pods_) {
      Object::Ptr metadata = object->getObject("metadata");
      if (metadata->getValue<std::string>("name") == pod.name &&
          metadata->getValue<std::string>("namespace") == pod.pod_namespace) {
        throw std::logic_error("a pod of that name exists already: " + pod.name);
      }
    }
    Object::Ptr made = new_pod(pod, uid, format_time(clock_->wall_now()));
    if (!has_generations_) {
      made->getObject("metadata")->remove("generation");
    }
    store(made);
  }
  send();
  return uid;
}

void FakePodApi::remove(const std::string& uid, std::chrono::seconds grace) {
  {
    MutexLock lock(mutex_);
    Object::Ptr pod = find(uid);
    if (pod.isNull()) {
      return;
    }
    const bool ended = phase_of(pod) == "Succeeded" || phase_of(pod) == "Failed";
    if (ended) {
      grace = std::chrono::seconds{0};
    }
    Object::Ptr metadata = pod->getObject("metadata");
    const bool deleting = metadata->has("deletionTimestamp");
    if (grace.count() == 0 && !metadata->has("finalizers")) {
      erase(uid);
    } else if (!deleting ||
               grace.count() < metadata->getValue<std::int64_t>("deletionGracePeriodSeconds")) {
      Object::Ptr changed = copy_of(pod);
      Object::Ptr changed_metadata = changed->getObject("metadata");
      changed_metadata->set("deletionTimestamp", format_time(clock_->wall_now() + grace));
      changed_metadata->set("deletionGracePeriodSeconds", grace.count());
      store(changed);
    }
  }
  send();
}

void FakePodApi::begin_removal(const std::string& uid) {
  {
    MutexLock lock(mutex_);
    Object::Ptr pod = copy_of(find(uid));
    Object::Ptr metadata = pod->getObject("metadata");
    metadata->set("deletionTimestamp", format_time(clock_->wall_now()));
    metadata->set("deletionGracePeriodSeconds", 0);
    store(pod);
  }
  send();
}

void FakePodApi::edit(const std::string& uid, const std::function<void(Object&)>& change) {
  {
    MutexLock lock(mutex_);
    Object::Ptr pod = copy_of(find(uid));
    change(*pod);
    Object::Ptr metadata = pod->getObject("metadata");
    const Array::Ptr finalizers = metadata->getArray("finalizers");
    if (!finalizers.isNull() && finalizers->size() == 0) {
      metadata->remove("finalizers");
    }
    const bool is_over = metadata->has("deletionTimestamp") && !metadata->has("finalizers") &&
                         metadata->getValue<std::int64_t>("deletionGracePeriodSeconds") == 0;
    if (is_over) {
      erase(uid);
    } else {
      store(pod);
    }
  }
  send();
}

void FakePodApi::set_condition(const std::string& uid,
                               const std::string& type,
                               const std::string& status) {
  const std::string now = format_time(clock_->wall_now());
  edit(uid, [&](Object& pod) {
    Array::Ptr changed = new Array;
    changed->add(new_condition(type, status, now));
    Object::Ptr pod_status = pod.getObject("status");
    Object::Ptr patch = new Object;
    patch->set("conditions", changed);
    strategic_merge(pod_status, patch);
  });
}

void FakePodApi::set_image(const std::string& uid, const std::string& image) {
  edit_spec(uid,
            [&](Object& spec) { spec.getArray("containers")->getObject(0)->set("image", image); });
}

void FakePodApi::resize(const std::string& uid, const std::string& resources_json) {
  edit_spec(uid, [&](Object& spec) {
    spec.getArray("containers")->getObject(0)->set("resources", parse(resources_json));
  });
}

void FakePodApi::add_ephemeral_container(const std::string& uid, const std::string& name) {
  edit_spec(uid, [&](Object& spec) {
    Array::Ptr list = spec.getArray("ephemeralContainers");
    if (list.isNull()) {
      list = new Array;
      spec.set("ephemeralContainers", list);
    }
    Object::Ptr container = new Object;
    container->set("name", name);
    list->add(container);
  });
}

void FakePodApi::edit_spec(const std::string& uid, const std::function<void(Object&)>& change) {
  edit(uid, [&](Object& pod) {
    Object::Ptr spec = pod.getObject("spec");
    change(*spec);
    Object::Ptr metadata = pod.getObject("metadata");
    if (has_generations_) {
      metadata->set("generation", metadata->getValue<std::int64_t>("generation") + 1);
    }
  });
}

void FakePodApi::annotate(const std::string& uid,
                          const std::string& key,
                          const std::string& value) {
  edit(uid,
       [&](Object& pod) { member(pod.getObject("metadata"), "annotations")->set(key, value); });
}

void FakePodApi::set_phase(const std::string& uid, const std::string& phase) {
  edit(uid, [&](Object& pod) { pod.getObject("status")->set("phase", phase); });
}

// ---- What the object says

bool FakePodApi::has(const std::string& uid) const {
  MutexLock lock(mutex_);
  return !find(uid).isNull();
}

std::vector<std::string> FakePodApi::uids() const {
  MutexLock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [uid, pod] : pods_) {
    all.push_back(uid);
  }
  return all;
}

kube::PodPtr FakePodApi::pod(const std::string& uid) const {
  MutexLock lock(mutex_);
  Object::Ptr found = find(uid);
  if (found.isNull()) {
    throw std::logic_error("no pod with UID " + uid);
  }
  return record_of(found);
}

std::string FakePodApi::phase(const std::string& uid) const { return status(uid, "phase"); }

std::string FakePodApi::status(const std::string& uid, const std::string& path) const {
  MutexLock lock(mutex_);
  Object::Ptr pod = find(uid);
  if (pod.isNull()) {
    return {};
  }
  Var at = pod->getObject("status");
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '.');) {
    if (at.type() == typeid(Object::Ptr)) {
      at = at.extract<Object::Ptr>()->get(part);
    } else if (at.type() == typeid(Array::Ptr)) {
      at = at.extract<Array::Ptr>()->get(static_cast<unsigned>(std::stoul(part)));
    } else {
      return {};
    }
  }
  return at.isEmpty() ? std::string() : text_of(at);
}

std::string FakePodApi::condition(const std::string& uid, const std::string& type) const {
  MutexLock lock(mutex_);
  Object::Ptr pod = find(uid);
  const Array::Ptr list =
      pod.isNull() ? Array::Ptr() : pod->getObject("status")->getArray("conditions");
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    Object::Ptr item = list->getObject(static_cast<unsigned>(i));
    if (item->getValue<std::string>("type") == type) {
      return item->getValue<std::string>("status");
    }
  }
  return {};
}

std::string FakePodApi::annotation(const std::string& uid, const std::string& key) const {
  MutexLock lock(mutex_);
  Object::Ptr pod = find(uid);
  Object::Ptr annotations =
      pod.isNull() ? Object::Ptr() : pod->getObject("metadata")->getObject("annotations");
  return annotations.isNull() ? std::string() : annotations->optValue<std::string>(key, "");
}

// ---- Faults and records

void FakePodApi::refuse_patches(std::function<bool(const pods::StatusPatch& patch)> which) {
  const MutexLock lock(mutex_);
  refuses_ = std::move(which);
}

void FakePodApi::answer(Call call, Status status, int times) {
  MutexLock lock(mutex_);
  for (int i = 0; i < times; ++i) {
    answers_[call].push_back(status);
  }
}

void FakePodApi::stop_failing() {
  MutexLock lock(mutex_);
  answers_.clear();
}

void FakePodApi::during_next(Call call, std::function<void()> hook) {
  MutexLock lock(mutex_);
  hooks_[call] = std::move(hook);
}

std::vector<FakePodApi::Patch> FakePodApi::patches() const {
  MutexLock lock(mutex_);
  return patches_;
}

std::size_t FakePodApi::patch_count(const std::string& uid) const {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const Patch& patch : patches_) {
    count += patch.uid == uid ? 1U : 0U;
  }
  return count;
}

int FakePodApi::count(Call call) const {
  MutexLock lock(mutex_);
  const auto found = counts_.find(call);
  return found == counts_.end() ? 0 : found->second;
}

void FakePodApi::hang_next(Call call) {
  MutexLock lock(mutex_);
  hangs_ = call;
}

bool FakePodApi::is_hanging() const {
  MutexLock lock(mutex_);
  return is_hanging_;
}

std::optional<Status> FakePodApi::begin(Call call, const CancelToken& cancel) {
  std::function<void()> hook;
  {
    MutexLock lock(mutex_);
    hook = std::exchange(hooks_[call], nullptr);
  }
  if (hook) {
    hook();
  }
  bool hangs = false;
  {
    MutexLock lock(mutex_);
    hangs = hangs_ == call;
    is_hanging_ = hangs;
    if (hangs) {
      hangs_.reset();
    }
  }
  if (hangs) {
    static_cast<void>(cancel.wait_for(std::chrono::hours{1}));
  }
  MutexLock lock(mutex_);
  is_hanging_ = false;
  ++counts_[call];
  auto& answers = answers_[call];
  if (answers.empty()) {
    return std::nullopt;
  }
  Status status = answers.front();
  answers.pop_front();
  return status;
}

// ---- pods::PodApi

Result<std::string> FakePodApi::patch_status(const kube::PodRecord& pod,
                                             const pods::StatusPatch& patch,
                                             const CancelToken& cancel) {
  if (auto refused = begin(Call::Patch, cancel)) {
    return *refused;
  }
  if (cancel.is_cancelled()) {
    return cancelled("the write was cancelled");
  }
  std::string version;
  {
    MutexLock lock(mutex_);
    Object::Ptr before = find(pod.uid);
    if (before.isNull()) {
      return not_found("pods \"" + pod.name + "\" not found");
    }
    if (refuses_ && refuses_(patch)) {
      return invalid_argument("denied by a policy");
    }
    Object::Ptr after = copy_of(before);
    if (!patch.status_json.empty()) {
      strategic_merge(after->getObject("status"), parse(patch.status_json));
      if (!has_generations_) {
        drop_newer_members(after->getObject("status"));
      }
      complete_containers(after->getObject("status"));
      VKHOST_TRY(check_transition(after, before->getObject("status"), after->getObject("status")));
    }
    for (const auto& [key, value] : patch.annotations) {
      Object::Ptr annotations = member(after->getObject("metadata"), "annotations");
      if (value) {
        annotations->set(key, *value);
      } else {
        annotations->remove(key);
      }
    }
    patches_.push_back({pod.uid, patch});
    if (text_of(Var(before)) != text_of(Var(after))) {
      store(after);
    }
    version = find(pod.uid)->getObject("metadata")->getValue<std::string>("resourceVersion");
  }
  send();
  return version;
}

Status FakePodApi::remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) {
  if (auto refused = begin(Call::Remove, cancel)) {
    return *refused;
  }
  if (cancel.is_cancelled()) {
    return cancelled("the write was cancelled");
  }
  if (!has(pod.uid)) {
    return not_found("pods \"" + pod.name + "\" not found");
  }
  remove(pod.uid, std::chrono::seconds{0});
  return Status::ok();
}

Result<kube::PodPtr> FakePodApi::read_pod(const std::string& pod_namespace,
                                          const std::string& name,
                                          const std::string& /*node_name*/,
                                          const CancelToken& cancel) {
  if (auto refused = begin(Call::Read, cancel)) {
    return *refused;
  }
  if (cancel.is_cancelled()) {
    return cancelled("the read was cancelled");
  }
  MutexLock lock(mutex_);
  for (const auto& [uid, pod] : pods_) {
    Object::Ptr metadata = pod->getObject("metadata");
    if (metadata->getValue<std::string>("name") == name &&
        metadata->getValue<std::string>("namespace") == pod_namespace) {
      return record_of(pod);
    }
  }
  return not_found("pods \"" + name + "\" not found");
}

}  // namespace vkhost::testing
