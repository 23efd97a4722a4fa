// How a container's environment comes about, in this order:
//
//   envFrom   each entry's items, later entries over earlier ones
//   env       each entry over what is there; a plain value may refer to everything before it and to
//             service variables, what came from a reference is not expanded
//   services  for names that are still free
//
// Command, arguments and sub-path expressions may then refer to all of it.
#include "resolve/pod_resolution.hpp"

#include "base/joined.hpp"
#include "base/json_text.hpp"
#include "plugin/provider.hpp"
#include "resolve/config_error.hpp"
#include "resolve/pull_credentials.hpp"
#include "resolve/resource_fields.hpp"
#include "resolve/volume_files.hpp"
#include "resolve/volume_storage.hpp"

#include <chrono>
#include <functional>
#include <set>
#include <utility>

namespace vkhost::resolve {
namespace {

// The two spellings of a kind: in sentences, and in reasons of events.
const char* word_for(ObjectKind kind) {
  return kind == ObjectKind::Secret ? "secret" : "configmap";
}
std::string reason_word_for(ObjectKind kind) {
  return kind == ObjectKind::Secret ? "Secret" : "ConfigMap";
}
const char* necessity(bool optional) { return optional ? "Optional" : "Mandatory"; }

std::string object_words(ObjectKind kind, const std::string& name) {
  return std::string(word_for(kind)) + " \"" + name + "\"";
}

Status check_text(const std::string& text) {
  if (!is_utf8(text) || text.find('\0') != std::string::npos) {
    return config_error("the value is not text: it holds a NUL byte or is not UTF-8");
  }
  return Status::ok();
}

bool has_backstep(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") {
      return true;
    }
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return false;
}

void append_value(std::string& json, const Value& value) {
  json += R"({"value":)";
  append_json_string(json, value.text);
  json += value.secret ? R"(,"secret":true})" : "}";
}

// A kubelet refuses a path with an empty or missing variable: it would be another folder than
// meant.
Result<Value> expand_path(const std::string& expression,
                          const Environment& environment,
                          std::size_t max_bytes) {
  std::set<std::string> missing;
  const auto lookup = [&](std::string_view name) -> const Value* {
    const Variable* variable = environment.find(name);
    if (variable != nullptr && !variable->late_field.empty()) {
      return nullptr;  // the provider's to fill in
    }
    if (variable == nullptr || variable->value.text.empty()) {
      missing.emplace(name);
      return nullptr;
    }
    return &variable->value;
  };
  VKHOST_TRY_ASSIGN(Value path, expand(expression, lookup, max_bytes));
  if (!missing.empty()) {
    return config_error("subPathExpr refers to variables without a value: " + joined(missing));
  }
  if (path.text.starts_with('/') || has_backstep(path.text)) {
    return config_error(
        "subPathExpr does not stay in its volume: it must be relative and have no "
        "\"..\"");
  }
  return path;
}

}  // namespace

Result<std::string> PodResolution::volumes(const PodVolumes& volumes) {
  std::function<Result<TokenPtr>(const TokenFile&)> issue;
  if (parts_.tokens != nullptr) {
    issue = [this](const TokenFile& file) { return token(file); };
  }
  return VolumeFiles({pod_, view_, parts_.node, fields_, parts_.events,
                      [this](ObjectKind kind, const std::string& name) {
                        return read_once(kind, name, plugin::kChangedFiles);
                      },
                      [this](std::size_t bytes) { return spend(bytes); }, parts_.makes_files,
                      parts_.makes_tokens, std::move(issue)})
      .json(volumes);
}

Result<std::string> PodResolution::storage(const PodStorage& storage) {
  return VolumeStorage({pod_, parts_.events, parts_.claims, cancel_,
                        [this](const std::string& secret_namespace, const std::string& name) {
                          return read_once({ObjectKind::Secret, secret_namespace, name}, 0);
                        },
                        [this](std::size_t bytes) { return spend(bytes); },
                        vanished_ == Vanished::AsItWas})
      .json(storage);
}

Result<TokenPtr> PodResolution::token(const TokenFile& file) {
  kube::TokenRequest request;
  request.account_namespace = pod_.pod_namespace;
  request.account = view_.service_account.empty() ? "default" : view_.service_account;
  request.pod_name = pod_.name;
  request.pod_uid = pod_.uid;
  request.audience = file.audience;
  request.lifetime = std::chrono::seconds{file.expiration_seconds};
  return parts_.tokens->token(request, parts_.token_user, cancel_);
}

Result<std::string> PodResolution::pull_credentials(const PullReferences& references) {
  return PullCredentials({pod_, parts_.events, parts_.accounts, cancel_,
                          [this](const std::string& name) {
                            return read_once(ObjectKind::Secret, name,
                                             plugin::kChangedPullCredentials);
                          },
                          [this](std::size_t bytes) { return spend(bytes); }})
      .json(references);
}

Result<std::string> PodResolution::containers() {
  std::string json = "{";
  bool first = true;
  for (const ContainerView& container : view_.containers) {
    auto environment = environment_of(container);
    if (!environment) {
      return environment.status().while_doing("resolving the environment of container " +
                                              container.name);
    }
    json += std::exchange(first, false) ? "" : ",";
    append_json_string(json, container.name);
    json += R"(:{"env":)" + environment->json();
    Status status = append_texts("command", container.command, *environment, json);
    if (status.is_ok()) {
      status = append_texts("args", container.args, *environment, json);
    }
    if (status.is_ok()) {
      status = append_sub_paths(container, *environment, json);
    }
    if (!status.is_ok()) {
      return status.while_doing("resolving container " + container.name);
    }
    json += "}";
    if (json.size() > kMaxMaterialBytes) {
      return config_error("everything that the pod refers to is more than 32 MiB of text");
    }
  }
  return json + "}";
}

Result<Environment> PodResolution::environment_of(const ContainerView& container) {
  Environment environment;
  for (const EnvFrom& from : container.env_from) {
    VKHOST_TRY(add_from(from, environment));
  }
  for (const EnvEntry& entry : container.env) {
    const Status status = add_entry(container, entry, environment);
    if (!status.is_ok()) {
      return status.while_doing("variable " + entry.name);
    }
  }
  environment.add_services(services_);
  VKHOST_TRY(spend(services_.env_json.size()));
  return environment;
}

Status PodResolution::add_from(const EnvFrom& from, Environment& environment) {
  VKHOST_TRY_ASSIGN(const ObjectPtr found, object(from.kind, from.name, from.optional, ""));
  if (found == nullptr) {
    return Status::ok();
  }
  std::set<std::string> invalid;
  for (const auto& [key, value] : found->items) {
    const std::string name = from.prefix + key;
    if (!is_env_name(name, parts_.env_names)) {
      invalid.insert(name);
      continue;
    }
    const Status status =
        add_value(name, {value.reveal(), from.kind == ObjectKind::Secret}, environment);
    if (!status.is_ok()) {
      return status.while_doing("key \"" + key + "\" of " + object_words(from.kind, from.name));
    }
  }
  if (!invalid.empty()) {
    parts_.events.warning(pod_, "InvalidEnvironmentVariableNames",
                          "keys [" + joined(invalid) + "] from " + word_for(from.kind) + " " +
                              pod_.pod_namespace + "/" + from.name +
                              " were skipped since they are invalid as environment variable names");
  }
  return Status::ok();
}

Status PodResolution::add_entry(const ContainerView& container,
                                const EnvEntry& entry,
                                Environment& environment) {
  if (!entry.unknown_source.empty()) {
    return spec_error("a value from " + entry.unknown_source + " is not supported");
  }
  if (entry.key) {
    return add_key(entry, *entry.key, environment);
  }
  if (entry.field) {
    VKHOST_TRY_ASSIGN(FieldValue field, fields_.read(*entry.field));
    if (field.late) {
      environment.set_late(entry.name, entry.field->path);
      return Status::ok();
    }
    return add_value(entry.name, {std::move(field.text)}, environment);
  }
  if (entry.resource) {
    VKHOST_TRY_ASSIGN(std::string amount,
                      read_resource_field(*entry.resource, view_, container, parts_.node));
    return add_value(entry.name, {std::move(amount)}, environment);
  }
  const auto lookup = [&](std::string_view name) -> const Value* {
    if (environment.find(name) != nullptr) {
      return environment.value_of(name);
    }
    const auto service = services_.values.find(name);
    return service == services_.values.end() ? nullptr : &service->second;
  };
  VKHOST_TRY_ASSIGN(Value value, expand(entry.value, lookup, budget_));
  return add_value(entry.name, std::move(value), environment);
}

Status PodResolution::add_key(const EnvEntry& entry,
                              const KeyReference& reference,
                              Environment& environment) {
  const std::string skipping = "skipping optional envvar \"" + entry.name + "\": ";
  VKHOST_TRY_ASSIGN(const ObjectPtr found,
                    object(reference.kind, reference.name, reference.optional, skipping));
  if (found == nullptr) {
    return Status::ok();
  }
  const auto item = found->items.find(reference.key);
  if (item != found->items.end()) {
    return add_value(entry.name, {item->second.reveal(), reference.kind == ObjectKind::Secret},
                     environment);
  }
  const std::string message = "key \"" + reference.key + "\" does not exist in " +
                              object_words(reference.kind, reference.name);
  parts_.events.warning(
      pod_, necessity(reference.optional) + reason_word_for(reference.kind) + "KeyNotFound",
      reference.optional ? skipping + message : message);
  if (reference.optional) {
    return Status::ok();
  }
  return config_error(message + " in namespace " + pod_.pod_namespace +
                      ": add it, or mark the reference optional");
}

Status PodResolution::add_value(const std::string& name, Value value, Environment& environment) {
  VKHOST_TRY(check_text(value.text));
  VKHOST_TRY(spend(name.size() + value.text.size()));
  environment.set(name, std::move(value));
  return Status::ok();
}

Status PodResolution::append_texts(std::string_view member,
                                   const std::vector<std::string>& texts,
                                   const Environment& environment,
                                   std::string& json) {
  if (texts.empty()) {
    return Status::ok();
  }
  const auto lookup = [&](std::string_view name) { return environment.value_of(name); };
  json += ",\"" + std::string(member) + "\":[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    VKHOST_TRY_ASSIGN(const Value value, expand(texts[i], lookup, budget_));
    VKHOST_TRY(check_text(value.text));
    VKHOST_TRY(spend(value.text.size()));
    json += i == 0 ? "" : ",";
    append_value(json, value);
  }
  json += "]";
  return Status::ok();
}

Status PodResolution::append_sub_paths(const ContainerView& container,
                                       const Environment& environment,
                                       std::string& json) {
  std::map<std::string, Value> paths;
  for (const SubPathMount& mount : container.sub_paths) {
    auto path = expand_path(mount.expression, environment, budget_);
    if (!path) {
      return path.status().while_doing("volume mount " + mount.mount_path);
    }
    VKHOST_TRY(check_text(path->text));
    VKHOST_TRY(spend(path->text.size()));
    paths.insert_or_assign(mount.mount_path, std::move(*path));
  }
  std::string members;
  for (const auto& [mount_path, path] : paths) {
    members += members.empty() ? "" : ",";
    append_json_string(members, mount_path);
    members += ":";
    append_value(members, path);
  }
  json += members.empty() ? "" : R"(,"sub_paths":{)" + members + "}";
  return Status::ok();
}

Result<ObjectPtr> PodResolution::object(ObjectKind kind,
                                        const std::string& name,
                                        bool optional,
                                        const std::string& prefix) {
  auto result = read_once(kind, name, 0);
  if (result) {
    return result;
  }
  const std::string words = object_words(kind, name);
  const std::string own_words = optional ? prefix : std::string();
  if (result.status().code() == StatusCode::NotFound) {
    parts_.events.warning(pod_, necessity(optional) + reason_word_for(kind) + "NotFound",
                          own_words + words + " not found");
    if (optional) {
      return ObjectPtr();
    }
    return config_error(words + " not found in namespace " + pod_.pod_namespace +
                        ": create it, or mark the reference optional");
  }
  // Not to be left out, however optional: nobody said that it does not exist.
  if (result.status().code() != StatusCode::Cancelled) {
    parts_.events.warning(pod_,
                          std::string("FailedToRead") + necessity(optional) + reason_word_for(kind),
                          "failed to read " + words);
  }
  return read_error(result.status(), "reading " + words + " in namespace " + pod_.pod_namespace);
}

Result<ObjectPtr> PodResolution::read_once(const ObjectReference& object, std::uint64_t changes) {
  if (object.name.empty()) {
    return not_found("the reference has no name");
  }
  auto known = read_.find(object);
  if (known == read_.end()) {
    auto answer = parts_.objects.read(object.kind, object.object_namespace, object.name, cancel_);
    known = read_.emplace(object, Read{std::move(answer)}).first;
  }
  Read& read = known->second;
  read.changes |= changes;
  if (changes != 0 && vanished_ == Vanished::AsItWas &&
      read.answer.status().code() == StatusCode::NotFound) {
    if (ObjectPtr last = parts_.objects.store().last(object)) {
      return last;
    }
  }
  return read.answer;
}

std::vector<UsedObject> PodResolution::used() const {
  std::vector<UsedObject> used;
  used.reserve(read_.size());
  for (const auto& [object, read] : read_) {
    const bool is_unread =
        !read.answer.is_ok() && read.answer.status().code() != StatusCode::NotFound;
    used.push_back({object, read.changes, false, read.answer ? *read.answer : nullptr, is_unread});
  }
  return used;
}

Status PodResolution::spend(std::size_t bytes) {
  if (bytes > budget_) {
    return config_error("everything that the pod refers to is more than 32 MiB of text");
  }
  budget_ -= bytes;
  return Status::ok();
}

}  // namespace vkhost::resolve
