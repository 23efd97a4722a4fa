#include "resolve/resolver.hpp"

#include "base/check.hpp"
#include "base/json_text.hpp"
#include "kube/json_cut.hpp"
#include "resolve/config_error.hpp"
#include "resolve/pod_fields.hpp"
#include "resolve/pod_resolution.hpp"
#include "resolve/pod_view.hpp"
#include "resolve/pull_references.hpp"
#include "resolve/storage_view.hpp"
#include "resolve/volume_view.hpp"

#include <Poco/Exception.h>

#include <utility>
#include <vector>

namespace vkhost::resolve {
namespace {

// For pods that refer to nothing: every container has the service variables.
std::string plain_containers(const kube::PodRecord& pod, const ServiceVariables& services) {
  std::string json = "{";
  json.reserve(
      (pod.containers.size() + pod.init_containers.size()) * (services.env_json.size() + 80) + 32);
  bool first = true;
  for (const auto* names : {&pod.init_containers, &pod.containers}) {
    for (const std::string& name : *names) {
      json += std::exchange(first, false) ? "" : ",";
      append_json_string(json, name);
      json += R"(:{"env":)";
      json += services.env_json;
      json += "}";
    }
  }
  return json + "}";
}

std::string material_text(const std::string& containers,
                          const std::string& volumes = "{}",
                          const std::string& storage = "{}",
                          const std::string& pull_credentials = "") {
  return R"({"containers":)" + containers +
         (volumes == "{}" ? std::string() : R"(,"volumes":)" + volumes) +
         (storage == "{}" ? std::string() : R"(,"storage":)" + storage) +
         (pull_credentials.empty() ? std::string() : R"(,"pull_credentials":)" + pull_credentials) +
         "}";
}

}  // namespace

class Resolver::Impl {
 public:
  Impl(const ResolverParts& parts,
       const ResolverSettings& settings,
       const plugin::Capabilities& capabilities)
      : objects_(*parts.objects),
        capabilities_(capabilities),
        user_(parts.user),
        parts_{objects_,
               *parts.events,
               *parts.node,
               settings.env_names,
               capabilities.late_env ? PodAddresses::Late : PodAddresses::FromStatus,
               capabilities.uses_files,
               capabilities.uses_tokens,
               parts.tokens,
               (capabilities.updates & plugin::kChangedTokens) != 0 ? parts.token_user : nullptr,
               parts.accounts,
               parts.claims} {}

  Result<std::string> material(const kube::PodRecord& pod,
                               const MaterialScope& scope,
                               const CancelToken& cancel);
  void forget(const std::string& pod_uid) {
    objects_.store().forget(pod_uid);
    if (parts_.tokens != nullptr) {
      parts_.tokens->forget(pod_uid);
    }
  }

 private:
  void register_objects(const kube::PodRecord& pod,
                        const MaterialScope& scope,
                        const Status& outcome,
                        std::vector<UsedObject> used);
  Result<ServiceVariablesPtr> services(const kube::PodRecord& pod,
                                       bool links,
                                       const CancelToken& cancel);

  Objects& objects_;
  const plugin::Capabilities capabilities_;
  ObjectUser* const user_;
  const PodResolution::Parts parts_;
};

Result<ServiceVariablesPtr> Resolver::Impl::services(const kube::PodRecord& pod,
                                                     bool links,
                                                     const CancelToken& cancel) {
  auto variables = objects_.service_variables(pod.pod_namespace, links, cancel);
  if (!variables) {
    return read_error(
        variables.status(),
        "reading services for the environment of pods in namespace " + pod.pod_namespace);
  }
  return variables;
}

// A pod that cannot be created hears of each object that it refers to: any of them may be the cure.
void Resolver::Impl::register_objects(const kube::PodRecord& pod,
                                      const MaterialScope& scope,
                                      const Status& outcome,
                                      std::vector<UsedObject> used) {
  if (user_ == nullptr || outcome.code() == StatusCode::Cancelled) {
    return;
  }
  const bool waits =
      outcome.code() == StatusCode::FailedPrecondition && outcome.retry() != Retry::Never;
  for (UsedObject& object : used) {
    object.changes &= capabilities_.updates;
    object.is_awaited = waits;
  }
  // Files alone leave what the environment of a change still waits for.
  const bool is_all = outcome.is_ok() && scope.files && scope.environment && scope.storage;
  objects_.store().use(pod.uid, used, is_all ? ObjectStore::Extent::All : ObjectStore::Extent::Some,
                       *user_);
}

Result<std::string> Resolver::Impl::material(const kube::PodRecord& pod,
                                             const MaterialScope& scope,
                                             const CancelToken& cancel) {
  const std::string_view spec = kube::find_member(pod.raw, "spec");
  const bool has_environment = capabilities_.uses_env && scope.environment;
  const bool has_volumes = (capabilities_.uses_files || capabilities_.uses_tokens) && scope.files &&
                           !mounts_no_files(spec);
  const bool has_storage = capabilities_.uses_storage && scope.storage && !uses_no_storage(spec);
  const bool has_pulls = capabilities_.uses_pull_credentials && scope.pull_credentials;
  if (!has_environment && !has_volumes && !has_storage && !has_pulls) {
    return material_text("{}");
  }
  const bool is_plain = refers_to_nothing(spec);
  if (!has_volumes && !has_storage && !has_pulls && is_plain) {
    VKHOST_TRY_ASSIGN(const auto variables, services(pod, true, cancel));
    return material_text(plain_containers(pod, *variables));
  }
  PodView view;
  if (has_volumes || (has_environment && !is_plain)) {
    VKHOST_TRY_ASSIGN(view, read_pod_view(spec));
  }
  ServiceVariablesPtr variables = std::make_shared<const ServiceVariables>();
  if (has_environment) {
    VKHOST_TRY_ASSIGN(variables, services(pod, view.service_links, cancel));
  }
  PodResolution resolution(
      parts_, pod, view, *variables,
      scope.keeps_vanished ? PodResolution::Vanished::AsItWas : PodResolution::Vanished::Missing,
      cancel);
  auto document = [&]() -> Result<std::string> {
    std::string volumes = "{}";
    if (has_volumes) {
      VKHOST_TRY_ASSIGN(PodVolumes mounted, read_pod_volumes(spec));
      if (scope.only_with_tokens) {
        std::erase_if(mounted.volumes, [](const auto& volume) { return !has_token(volume); });
      }
      VKHOST_TRY_ASSIGN(volumes, resolution.volumes(mounted));
    }
    std::string storage = "{}";
    if (has_storage) {
      VKHOST_TRY_ASSIGN(const PodStorage used, read_pod_storage(spec));
      VKHOST_TRY_ASSIGN(storage, resolution.storage(used));
    }
    std::string pull_credentials;
    if (has_pulls) {
      VKHOST_TRY_ASSIGN(const PullReferences references, read_pull_references(spec));
      VKHOST_TRY_ASSIGN(pull_credentials, resolution.pull_credentials(references));
    }
    std::string containers = "{}";
    if (has_environment && is_plain) {
      containers = plain_containers(pod, *variables);
    } else if (has_environment) {
      VKHOST_TRY_ASSIGN(containers, resolution.containers());
    }
    return material_text(containers, volumes, storage, pull_credentials);
  }();
  register_objects(pod, scope, document.status(), resolution.used());
  return document;
}

Resolver::Resolver(const ResolverParts& parts,
                   const ResolverSettings& settings,
                   const plugin::Capabilities& capabilities) {
  VKHOST_CHECK(parts.objects != nullptr && parts.events != nullptr && parts.node != nullptr,
               "a resolver needs all of its parts");
  impl_ = std::make_unique<Impl>(parts, settings, capabilities);
}

Resolver::~Resolver() = default;

void Resolver::forget(const std::string& pod_uid) { impl_->forget(pod_uid); }

Result<std::string> Resolver::material(const kube::PodRecord& pod,
                                       const MaterialScope& scope,
                                       const CancelToken& cancel) {
  if (cancel.is_cancelled()) {
    return cancelled("resolving pod " + pod.display_name() + " was cancelled");
  }
  try {
    auto document = impl_->material(pod, scope, cancel);
    if (document.is_ok() && document->size() > kMaxMaterialBytes) {
      return config_error("the material would be larger than 32 MiB, which no provider takes");
    }
    // What a manifest may hold and an API server would have refused.
    if (document.status().code() == StatusCode::InvalidArgument) {
      return spec_error(document.status().message());
    }
    return document;
  } catch (const Poco::Exception&) {  // its text may quote the document
    return internal_error("resolving pod " + pod.display_name() +
                          " failed in the JSON library; please report it with the pod's manifest")
        .with_effect(Effect::None);
  }
}

}  // namespace vkhost::resolve
