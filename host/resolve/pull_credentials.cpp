#include "resolve/pull_credentials.hpp"

#include "base/joined.hpp"
#include "base/json_text.hpp"
#include "resolve/config_error.hpp"
#include "resolve/docker_config.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <string_view>

namespace vkhost::resolve {
namespace {

constexpr std::size_t kMembersBytes = 128;  // a credential's members without what is in them

// By its keys alone: whoever names a secret here means it so, whatever type a manifest gives it. As
// in a kubelet the older form counts only where the newer one is not.
Result<DockerConfig> docker_config_of(const ReferencedObject& secret) {
  const auto find = [&](std::string_view key) -> const Secret* {
    const auto found = secret.items.find(key);
    return found == secret.items.end() || found->second.empty() ? nullptr : &found->second;
  };
  if (const Secret* text = find(".dockerconfigjson")) {
    return parse_docker_config(text->reveal(), DockerConfigForm::ConfigJson);
  }
  if (const Secret* text = find(".dockercfg")) {
    return parse_docker_config(text->reveal(), DockerConfigForm::Dockercfg);
  }
  return invalid_argument("it has neither .dockerconfigjson nor .dockercfg");
}

void append_member(std::string& json, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    json += json.back() == '{' ? "\"" : ",\"";
    json += name;
    json += "\":";
    append_json_string(json, value);
  }
}

void append_credential(std::string& json,
                       const DockerCredential& credential,
                       const std::string& secret_name) {
  json += json.back() == '[' ? "{" : ",{";
  append_member(json, "server", credential.server);
  append_member(json, "username", credential.username.reveal());
  append_member(json, "password", credential.password.reveal());
  append_member(json, "email", credential.email);
  append_member(json, "identity_token", credential.identity_token.reveal());
  append_member(json, "registry_token", credential.registry_token.reveal());
  append_member(json, "secret_name", secret_name);
  json += "}";
}

std::size_t bytes_of(const DockerCredential& credential) {
  return credential.server.size() + credential.username.reveal().size() +
         credential.password.reveal().size() + credential.email.size() +
         credential.identity_token.reveal().size() + credential.registry_token.reveal().size();
}

}  // namespace

Result<std::string> PullCredentials::json(const PullReferences& references) {
  VKHOST_TRY_ASSIGN(const auto secrets, secrets_of(references));
  std::string json = "[";
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    VKHOST_TRY(add(secrets[i], i < references.secrets.size(), json));
  }
  if (!missing_.empty()) {  // a kubelet's words
    parts_.events.warning(parts_.pod, "FailedToRetrieveImagePullSecret",
                          "Unable to retrieve some image pull secrets (" + joined(missing_) +
                              "); attempting to pull the image may not succeed.");
  }
  return json + "]";
}

Result<std::vector<std::string>> PullCredentials::secrets_of(const PullReferences& references) {
  std::vector<std::string> names = references.secrets;
  if (parts_.accounts == nullptr || references.service_account.empty()) {
    return names;
  }
  const auto of_account = parts_.accounts->pull_secrets(parts_.pod.pod_namespace,
                                                        references.service_account, parts_.cancel);
  if (!of_account) {
    return read_error(of_account.status(), "reading service account \"" +
                                               references.service_account + "\" in namespace " +
                                               parts_.pod.pod_namespace);
  }
  const std::set<std::string_view> of_pod(references.secrets.begin(), references.secrets.end());
  std::copy_if(of_account->begin(), of_account->end(), std::back_inserter(names),
               [&](const std::string& name) { return !of_pod.contains(name); });
  return names;
}

Status PullCredentials::add(const std::string& secret_name, bool is_of_pod, std::string& json) {
  const auto secret = parts_.read(secret_name);
  const StatusCode code = secret.status().code();
  // A node is given only those that its pods name themselves, not those of their accounts.
  if (code == StatusCode::NotFound || (code == StatusCode::PermissionDenied && !is_of_pod)) {
    missing_.push_back(secret_name);
    return Status::ok();
  }
  switch (code) {
    case StatusCode::Ok:
      break;
    case StatusCode::InvalidArgument:  // a manifest's
      warn_of(secret_name, {secret.status().message()});
      return Status::ok();
    default:
      return read_error(secret.status(), "reading image pull secret \"" + secret_name +
                                             "\" in namespace " + parts_.pod.pod_namespace);
  }
  const auto config = docker_config_of(**secret);
  if (!config) {
    warn_of(secret_name, {config.status().message()});
    return Status::ok();
  }
  for (const DockerCredential& credential : config->credentials) {
    VKHOST_TRY(parts_.spend(kMembersBytes + secret_name.size() + bytes_of(credential)));
    append_credential(json, credential, secret_name);
  }
  if (!config->problems.empty()) {
    warn_of(secret_name, config->problems);
  }
  return Status::ok();
}

void PullCredentials::warn_of(const std::string& secret_name,
                              const std::vector<std::string>& problems) {
  constexpr std::size_t kTold = 3;
  const std::size_t told = std::min(problems.size(), kTold);
  std::string message = "image pull secret \"" + secret_name + "\": ";
  message += joined(std::span(problems).first(told), "; ");
  if (told < problems.size()) {
    message += "; and " + std::to_string(problems.size() - told) + " more";
  }
  parts_.events.warning(parts_.pod, "InvalidImagePullSecret", message);
}

}  // namespace vkhost::resolve
