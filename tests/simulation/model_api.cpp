#include "simulation/model_api.hpp"

#include "base/json_text.hpp"

#include <stdexcept>
#include <utility>

namespace vkhost::simulation {
namespace {

std::string render(const ModelApi::Object& object) {
  std::string text = R"({"metadata":{"name":)" + json_string(object.name) +
                     R"(,"namespace":"default","uid":)" + json_string(object.uid) +
                     R"(,"resourceVersion":)" + json_string(std::to_string(object.version)) +
                     R"(,"generation":)" + std::to_string(object.generation);
  if (object.deletion) {
    text += R"(,"deletionTimestamp":)" + json_string(format_time(*object.deletion)) +
            R"(,"deletionGracePeriodSeconds":)" + std::to_string(object.grace);
  }
  std::string annotations;
  for (const auto& [key, value] : object.annotations) {
    annotations += (annotations.empty() ? "" : ",") + json_string(key) + ":" + json_string(value);
  }
  return text + R"(,"annotations":{)" + annotations +
         R"(}},"spec":{"nodeName":"vk","restartPolicy":)" + json_string(object.restart_policy) +
         R"(,"containers":[{"name":"main","image":"i)" + std::to_string(object.image) +
         R"("}]},"status":)" + object.status.text() + "}";
}

}  // namespace

// ---- Users

ModelApi::Object& ModelApi::create(const std::string& name,
                                   const std::string& restart_policy,
                                   bool has_finalizer) {
  const std::string uid = "uid-" + std::to_string(++uids_);
  Object& object = objects_[uid];
  object.uid = uid;
  object.name = name;
  object.restart_policy = restart_policy;
  object.has_finalizer = has_finalizer;
  object.status.merge(R"({"phase":"Pending"})");
  store(object);
  return object;
}

void ModelApi::remove(const std::string& uid, std::chrono::seconds grace) {
  Object* object = find(uid);
  if (object == nullptr) {
    return;
  }
  const std::int64_t asked = object->is_terminal() ? 0 : grace.count();
  if (asked == 0 && !object->has_finalizer) {
    erase(uid);
  } else if (!object->deletion || asked < object->grace) {
    object->deletion = clock_->wall_now() + std::chrono::seconds{asked};
    object->grace = asked;
    store(*object);
  }
}

void ModelApi::drop_finalizer(const std::string& uid) {
  Object* object = find(uid);
  if (object == nullptr || !std::exchange(object->has_finalizer, false)) {
    return;
  }
  if (object->deletion && object->grace == 0) {
    erase(uid);
  } else {
    store(*object);
  }
}

void ModelApi::set_image(const std::string& uid, int image) {
  if (Object* object = find(uid);
      object != nullptr && std::exchange(object->image, image) != image) {
    ++object->generation;
    store(*object);
  }
}

void ModelApi::annotate(const std::string& uid, const std::string& key, const std::string& value) {
  if (Object* object = find(uid)) {
    object->annotations[key] = value;
    store(*object);
  }
}

void ModelApi::overwrite_status(const std::string& uid, const std::string& patch) {
  Object* object = find(uid);
  if (object != nullptr && object->status.merge(patch)) {
    store(*object);
  }
}

// ---- The host

Result<std::string> ModelApi::patch(const std::string& uid, const pods::StatusPatch& patch) {
  Object* object = find(uid);
  if (object == nullptr) {
    return not_found("no such pod");
  }
  bool changed = !patch.status_json.empty() && object->status.merge(patch.status_json);
  for (const auto& [key, value] : patch.annotations) {
    const auto before = object->annotations.find(key);
    if (!value) {
      changed = object->annotations.erase(key) > 0 || changed;
    } else if (before == object->annotations.end() || before->second != *value) {
      object->annotations[key] = *value;
      changed = true;
    }
  }
  if (changed) {
    store(*object);
  }
  return std::to_string(object->version);
}

Result<kube::PodPtr> ModelApi::read(const std::string& name) const {
  const Object* object = named(name);
  if (object == nullptr) {
    return not_found("no pod of that name");
  }
  return object->record;
}

// ---- The watch

bool ModelApi::deliver(kube::PodListener& listener) {
  if (events_.empty()) {
    return false;
  }
  Event event = std::move(events_.front());
  events_.pop_front();
  if (event.applied) {
    listener.pod_applied(std::move(event.applied));
  } else {
    listener.pod_removed(event.removed);
  }
  return true;
}

void ModelApi::lose_watch() {
  watching_ = false;
  events_.clear();
}

void ModelApi::list(kube::PodListener& listener) {
  watching_ = true;
  events_.clear();
  std::vector<kube::PodPtr> all;
  for (const auto& [uid, object] : objects_) {
    all.push_back(object.record);
  }
  listener.pods_listed(std::move(all));
}

// ---- What there is

ModelApi::Object* ModelApi::find(const std::string& uid) {
  const auto found = objects_.find(uid);
  return found == objects_.end() ? nullptr : &found->second;
}

const ModelApi::Object* ModelApi::named(const std::string& name) const {
  for (const auto& [uid, object] : objects_) {
    if (object.name == name) {
      return &object;
    }
  }
  return nullptr;
}

void ModelApi::store(Object& object) {
  object.version = ++version_;
  auto record = kube::parse_pod(render(object));
  if (!record.is_ok()) {
    throw std::logic_error("the model made a bad pod: " + record.status().to_string() + " in " +
                           render(object));
  }
  object.record = *record;
  if (watching_) {
    events_.push_back({object.record, ""});
  }
}

void ModelApi::erase(const std::string& uid) {
  ++version_;
  objects_.erase(uid);
  if (watching_) {
    events_.push_back({nullptr, uid});
  }
}

}  // namespace vkhost::simulation
