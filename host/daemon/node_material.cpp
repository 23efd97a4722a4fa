#include "daemon/node_material.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

// Values of Secrets stay in memory this long after the last pod that may have used them.
constexpr std::chrono::seconds kRemembered{2};

// An update has what its changed parts need, so that a Secret of the environment which is gone keeps no
// file and no token from the pod.
resolve::MaterialScope scope_of(std::optional<std::uint64_t> changed) {
  if (!changed) {
    return {};
  }
  const bool may_start = (*changed & pods::kStartingParts) != 0;
  const bool has_files = (*changed & (plugin::kChangedFiles | plugin::kChangedTokens)) != 0;
  const bool is_of_tokens = !may_start && (*changed & plugin::kChangedFiles) == 0;
  const bool has_pulls = (*changed & plugin::kChangedPullCredentials) != 0;
  return {.environment = may_start,
          .files = may_start || has_files,
          .storage = may_start,
          .pull_credentials = may_start || has_pulls,
          .keeps_vanished = true,
          .only_with_tokens = is_of_tokens};
}

}  // namespace

NodeMaterial::NodeMaterial(Parts parts, const plugin::Capabilities& capabilities)
    : parts_(std::move(parts)),
      resolver_({.objects = parts_.objects,
                 .events = this,
                 .node = this,
                 .user = this,
                 .tokens = parts_.tokens,
                 .token_user = this,
                 .accounts = parts_.accounts,
                 .claims = parts_.claims},
                {},
                capabilities),
      forget_(*parts_.timers, [this] { parts_.objects->drop_expired(); }) {}

NodeMaterial::~NodeMaterial() { listen(nullptr); }

Result<std::string> NodeMaterial::material(const kube::PodRecord& pod,
                                           std::optional<std::uint64_t> changed,
                                           const CancelToken& cancel) {
  if (changed) {
    const MutexLock lock(mutex_);
    updating_.insert(pod.uid);
  }
  auto material = resolver_.material(pod, scope_of(changed), cancel);
  if (changed) {
    const MutexLock lock(mutex_);
    updating_.erase(pod.uid);
  }
  forget_.set(parts_.clock->steady_now() + kRemembered);
  return material;
}

void NodeMaterial::forget(const std::string& uid) {
  resolver_.forget(uid);
  const MutexLock lock(mutex_);
  told_.erase(uid);
}

void NodeMaterial::listen(pods::MaterialListener* listener) {
  listener_ = listener;
  if (listener == nullptr) {
    parts_.objects->store().leave(*this);
    if (parts_.tokens != nullptr) {
      parts_.tokens->leave(*this);
    }
  }
}

void NodeMaterial::token_renewed(const std::string& pod_uid) {
  object_changed(pod_uid, plugin::kChangedTokens);
}

void NodeMaterial::object_changed(const std::string& pod_uid, std::uint64_t changes) {
  if (pods::MaterialListener* listener = listener_) {
    listener->material_changed(pod_uid, changes);
  }
}

// Whoever waits for a pod sees at each try what is missing; of one that runs it is told once.
void NodeMaterial::warning(const kube::PodRecord& pod,
                           std::string_view reason,
                           std::string_view message) {
  {
    const std::size_t what = std::hash<std::string>()(std::string(reason).append(message));
    const MutexLock lock(mutex_);
    if (!told_[pod.uid].insert(what).second && updating_.contains(pod.uid)) {
      return;
    }
  }
  parts_.events->pod_event(pod, {pods::EventType::Warning, reason, message});
}

std::vector<std::string> NodeMaterial::host_ips() const {
  return parts_.host_ip.empty() ? std::vector<std::string>() : std::vector{parts_.host_ip};
}

std::optional<std::string> NodeMaterial::allocatable(std::string_view resource) const {
  return parts_.allocatable(resource);
}

}  // namespace vkhost::daemon
