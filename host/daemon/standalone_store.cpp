#include "daemon/standalone_store.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace vkhost::daemon {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

Object::Ptr parse_or_empty(std::string_view text) {
  if (text.empty()) {
    return new Object;
  }
  Poco::JSON::Parser parser;
  return parser.parse(std::string(text)).extract<Object::Ptr>();
}

Object::Ptr child(Object& parent, const std::string& name) {
  Object::Ptr member = parent.getObject(name);
  if (member.isNull()) {
    member = new Object;
    parent.set(name, member);
  }
  return member;
}

std::string text_of(const Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

void merge_conditions(Object& status, const Array::Ptr& patch) {
  Array::Ptr merged = status.getArray("conditions");
  if (merged.isNull()) {
    merged = new Array;
  }
  for (const Var& item : *patch) {
    const Object::Ptr& changed = item.extract<Object::Ptr>();
    Object::Ptr target;
    unsigned place = 0;
    for (unsigned i = 0; i < merged->size(); ++i) {
      Object::Ptr candidate = merged->getObject(i);
      if (candidate->get("type") == changed->get("type")) {
        target = candidate;
        place = i;
      }
    }
    if (changed->has("$patch")) {  // "delete": the only one for conditions
      if (!target.isNull()) {
        merged->remove(place);
      }
      continue;
    }
    if (target.isNull()) {
      target = new Object;
      merged->add(target);
    }
    for (const auto& [name, value] : *changed) {
      if (value.isEmpty()) {
        target->remove(name);
      } else {
        target->set(name, value);
      }
    }
  }
  status.set("conditions", merged);
}

Var without_directives(const Array::Ptr& list) {
  Array::Ptr plain = new Array;
  for (const Var& item : *list) {
    if (item.type() != typeid(Object::Ptr) || !item.extract<Object::Ptr>()->has("$patch")) {
      plain->add(item);
    }
  }
  return plain;
}

void merge_status(Object& status, const Object& patch) {
  for (const auto& [name, value] : patch) {
    if (value.isEmpty()) {
      status.remove(name);
    } else if (name == "conditions" && value.type() == typeid(Array::Ptr)) {
      merge_conditions(status, value.extract<Array::Ptr>());
    } else if (value.type() == typeid(Array::Ptr)) {
      status.set(name, without_directives(value.extract<Array::Ptr>()));
    } else {
      status.set(name, value);
    }
  }
}

std::string key_of(const kube::PodRecord& pod) { return pod.pod_namespace + "/" + pod.name; }

}  // namespace

Result<std::string> patched_pod(std::string_view pod_json, const pods::StatusPatch& patch) {
  try {
    Object::Ptr pod = parse_or_empty(pod_json);
    if (!patch.status_json.empty()) {
      merge_status(*child(*pod, "status"), *parse_or_empty(patch.status_json));
    }
    if (!patch.annotations.empty()) {
      Object::Ptr annotations = child(*child(*pod, "metadata"), "annotations");
      for (const auto& [name, value] : patch.annotations) {
        if (value) {
          annotations->set(name, *value);
        } else {
          annotations->remove(name);
        }
      }
    }
    return text_of(*pod);
  } catch (const Poco::Exception& error) {
    return invalid_argument("the pod or its patch is not of the expected form: " +
                            error.displayText());
  }
}

Result<std::unique_ptr<StandaloneStore>> StandaloneStore::create(std::filesystem::path folder,
                                                                 std::shared_ptr<const Clock> clock,
                                                                 observe::Logger log) {
  VKHOST_TRY(make_private_folder(folder));
  std::unique_ptr<StandaloneStore> store(
      new StandaloneStore(std::move(folder), std::move(clock), std::move(log)));
  store->load();
  return store;
}

StandaloneStore::StandaloneStore(std::filesystem::path folder,
                                 std::shared_ptr<const Clock> clock,
                                 observe::Logger log)
    : folder_(std::move(folder)), clock_(std::move(clock)), log_(std::move(log)) {}

void StandaloneStore::load() {
  const MutexLock lock(mutex_);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".json") {
      continue;
    }
    const auto text = read_state_file(entry.path());
    auto pod = text.is_ok() ? kube::parse_pod(*text) : Result<kube::PodPtr>(text.status());
    if (!pod.is_ok()) {
      log_.error("a file of the state folder cannot be used; it is left alone",
                 {{"file", entry.path().string()}, observe::error_field(pod.status())});
      continue;
    }
    version_ = std::max<std::uint64_t>(
        version_, std::strtoull((*pod)->resource_version.c_str(), nullptr, 10));
    pods_[(*pod)->uid] = std::move(*pod);
  }
}

Result<kube::PodPtr> StandaloneStore::keep(const std::string& json, Durability durability) {
  std::string numbered;
  try {
    Object::Ptr pod = parse_or_empty(json);
    child(*pod, "metadata")->set("resourceVersion", std::to_string(++version_));
    numbered = text_of(*pod);
  } catch (const Poco::Exception& error) {
    return invalid_argument("the pod is not of the expected form: " + error.displayText());
  }
  VKHOST_TRY_ASSIGN(kube::PodPtr record, kube::parse_pod(numbered));
  VKHOST_TRY(write_state_file(folder_ / (record->uid + ".json"), numbered, durability));
  pods_[record->uid] = record;
  return record;
}

void StandaloneStore::mark_deleted(std::vector<kube::PodPtr>* applied) {
  const std::map<std::string, kube::PodPtr> before = pods_;  // keep() changes the original
  for (const auto& [uid, pod] : before) {
    if (wanted_.contains(uid) || pod->is_deleting()) {
      continue;
    }
    try {
      Object::Ptr document = parse_or_empty(pod->raw);
      const Var grace_value = child(*document, "spec")->get("terminationGracePeriodSeconds");
      // As an API server does: what has ended already needs no grace.
      const std::int64_t grace =
          pod->is_terminal() || !grace_value.isInteger() ? 0 : grace_value.convert<std::int64_t>();
      Object::Ptr metadata = child(*document, "metadata");
      metadata->set("deletionGracePeriodSeconds", grace);
      metadata->set("deletionTimestamp",
                    format_time(clock_->wall_now() + std::chrono::seconds(grace)));
      auto kept = keep(text_of(*document), Durability::PowerLoss);
      if (kept.is_ok()) {
        applied->push_back(std::move(*kept));
        continue;
      }
      log_.error("a pod cannot be marked as deleted",
                 {{"pod", key_of(*pod)}, observe::error_field(kept.status())});
    } catch (const Poco::Exception& error) {
      log_.error("a pod cannot be marked as deleted",
                 {{"pod", key_of(*pod)}, {"error", error.displayText()}});
    }
  }
}

void StandaloneStore::admit(std::vector<kube::PodPtr>* applied) {
  for (const auto& [uid, manifest] : wanted_) {
    if (pods_.contains(uid)) {
      continue;
    }
    const bool held_up = std::any_of(pods_.begin(), pods_.end(), [&](const auto& entry) {
      return entry.second->pod_namespace == manifest.pod_namespace &&
             entry.second->name == manifest.name;
    });
    if (held_up) {
      continue;  // admitted when the older one has been removed
    }
    try {
      Object::Ptr document = parse_or_empty(manifest.json);
      child(*document, "metadata")->set("creationTimestamp", format_time(clock_->wall_now()));
      child(*document, "status")->set("phase", "Pending");
      auto kept = keep(text_of(*document), Durability::Crash);
      if (kept.is_ok()) {
        applied->push_back(std::move(*kept));
        continue;
      }
      log_.error("a pod cannot be admitted", {{"pod", manifest.pod_namespace + "/" + manifest.name},
                                              observe::error_field(kept.status())});
    } catch (const Poco::Exception& error) {
      log_.error("a pod cannot be admitted", {{"pod", manifest.pod_namespace + "/" + manifest.name},
                                              {"error", error.displayText()}});
    }
  }
}

void StandaloneStore::apply(Manifests manifests) {
  const MutexLock news(news_mutex_);
  std::vector<kube::PodPtr> applied;
  ObjectDocuments config_maps;
  ObjectDocuments secrets;
  bool first = false;
  {
    const MutexLock lock(mutex_);
    wanted_.clear();
    for (PodManifest& manifest : manifests.pods) {
      std::string uid = manifest.uid;
      wanted_.emplace(std::move(uid), std::move(manifest));
    }
    config_maps_ = std::move(manifests.config_maps);
    secrets_ = std::move(manifests.secrets);
    config_maps = config_maps_;
    secrets = secrets_;
    mark_deleted(&applied);
    admit(&applied);
    first = !std::exchange(listed_, true);
    if (first) {
      applied.clear();
      for (const auto& [uid, pod] : pods_) {
        applied.push_back(pod);
      }
    }
  }
  feed_.update(config_maps, secrets);
  if (first) {
    listener_->pods_listed(std::move(applied));
    return;
  }
  for (kube::PodPtr& pod : applied) {
    listener_->pod_applied(std::move(pod));
  }
}

Result<std::string> StandaloneStore::patch_status(const kube::PodRecord& pod,
                                                  const pods::StatusPatch& patch,
                                                  const CancelToken& /*cancel*/) {
  const MutexLock news(news_mutex_);
  kube::PodPtr kept;
  {
    const MutexLock lock(mutex_);
    const auto found = pods_.find(pod.uid);
    if (found == pods_.end()) {
      return not_found("pod " + key_of(pod) + " with UID " + pod.uid + " is gone");
    }
    VKHOST_TRY_ASSIGN(const std::string json, patched_pod(found->second->raw, patch));
    // A handle that was saved is relied upon; a status can be asked for again.
    const Durability durability =
        patch.annotations.empty() ? Durability::Crash : Durability::PowerLoss;
    VKHOST_TRY_ASSIGN(kept, keep(json, durability));
  }
  listener_->pod_applied(kept);
  return kept->resource_version;
}

Status StandaloneStore::remove_pod(const kube::PodRecord& pod, const CancelToken& /*cancel*/) {
  const MutexLock news(news_mutex_);
  std::vector<kube::PodPtr> applied;
  {
    const MutexLock lock(mutex_);
    if (pods_.erase(pod.uid) == 0) {
      return not_found("pod " + key_of(pod) + " with UID " + pod.uid + " is gone");
    }
    std::error_code error;
    std::filesystem::remove(folder_ / (pod.uid + ".json"), error);
    admit(&applied);
  }
  listener_->pod_removed(pod.uid);
  for (kube::PodPtr& next : applied) {
    listener_->pod_applied(std::move(next));
  }
  return Status::ok();
}

Result<kube::PodPtr> StandaloneStore::read_pod(const std::string& pod_namespace,
                                               const std::string& name,
                                               const std::string& /*node_name: the only one*/,
                                               const CancelToken& /*cancel*/) {
  const MutexLock lock(mutex_);
  for (const auto& [uid, pod] : pods_) {
    if (pod->pod_namespace == pod_namespace && pod->name == name) {
      return pod;
    }
  }
  return not_found("no pod " + pod_namespace + "/" + name);
}

std::optional<std::string> StandaloneStore::config_map(const std::string& key) const {
  const MutexLock lock(mutex_);
  const auto found = config_maps_.find(key);
  return found == config_maps_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> StandaloneStore::secret(const std::string& key) const {
  const MutexLock lock(mutex_);
  const auto found = secrets_.find(key);
  return found == secrets_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace vkhost::daemon
