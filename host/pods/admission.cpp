#include "pods/admission.hpp"

#include "kube/json_cut.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace vkhost::pods {
namespace {

// In this order a kubelet looks at them; everything else comes after.
constexpr std::array<std::string_view, 3> kFirst = {"cpu", "memory", "ephemeral-storage"};

Rejection out_of(std::string_view resource,
                 std::int64_t requested,
                 std::int64_t used,
                 std::int64_t capacity) {
  const std::string name(resource);
  return {"OutOf" + name, "Node didn't have enough resource: " + name + ", requested: " +
                              std::to_string(requested) + ", used: " + std::to_string(used) +
                              ", capacity: " + std::to_string(capacity)};
}

// Resources of vendors may be counted for the cluster as a whole, and no node lists them then.
bool is_extended(std::string_view resource) {
  return resource.find('/') != std::string_view::npos &&
         resource.find("kubernetes.io/") == std::string_view::npos;
}

}  // namespace

std::optional<Rejection> check_place(const kube::PodDemand& pod, const kube::NodeFacts& node) {
  if (!pod.os_label.empty() && pod.os_label != node.operating_system) {
    return Rejection{
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"};
  }
  if (!pod.os_name.empty() && pod.os_name != node.operating_system) {
    return Rejection{"PodOSNotSupported",
                     "Failed to admit pod as the OS field doesn't match node OS"};
  }
  if (!kube::selects(pod, node)) {
    return Rejection{
        "NodeAffinity",
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"};
  }
  for (const kube::NodeTaint& taint : node.taints) {
    if (taint.effect == "NoExecute" && !kube::tolerates(pod, taint)) {
      return Rejection{
          "TaintToleration",
          "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"};
    }
  }
  return std::nullopt;
}

// ---- Seats

Seats::Seat::Seat(Seats& seats, kube::ResourceAmounts requests)
    : seats_(seats), requests_(std::move(requests)) {}

Seats::Seat::~Seat() { seats_.release(requests_); }

Seats::Outcome Seats::ask(const kube::PodDemand& pod,
                          const kube::NodeFacts& node,
                          std::optional<Rejection> otherwise) {
  {
    const MutexLock lock(mutex_);
    const bool is_foreign = otherwise && otherwise->reason.starts_with("PodOS");
    if (auto rejection = is_foreign ? std::nullopt : lack(pod, node)) {
      return {nullptr, std::move(rejection)};
    }
    if (otherwise) {
      return {nullptr, std::move(otherwise)};
    }
    count(pod.requests);
  }
  return {std::make_unique<Seat>(*this, pod.requests), std::nullopt};
}

std::unique_ptr<Seats::Seat> Seats::take(kube::ResourceAmounts requests) {
  {
    const MutexLock lock(mutex_);
    count(requests);
  }
  return std::make_unique<Seat>(*this, std::move(requests));
}

std::optional<Rejection> Seats::lack(const kube::PodDemand& pod,
                                     const kube::NodeFacts& node) const {
  if (const auto limit = node.allocatable.find("pods");
      limit != node.allocatable.end() && pods_ >= limit->second) {
    return out_of("pods", 1, pods_, limit->second);
  }
  if (node.allocatable.empty()) {
    return std::nullopt;
  }
  const auto check = [&](std::string_view resource, std::int64_t requested)
                         VKHOST_REQUIRES(mutex_) -> std::optional<Rejection> {
    const auto limit = node.allocatable.find(resource);
    if (limit == node.allocatable.end() && is_extended(resource)) {
      return std::nullopt;
    }
    const std::int64_t capacity = limit == node.allocatable.end() ? 0 : limit->second;
    const std::int64_t used = kube::amount_of(used_, resource);
    return requested > 0 && kube::saturating_sum(used, requested) > capacity
               ? std::optional(out_of(resource, requested, used, capacity))
               : std::nullopt;
  };
  for (const std::string_view resource : kFirst) {
    if (auto found = check(resource, kube::amount_of(pod.requests, resource))) {
      return found;
    }
  }
  for (const auto& [resource, requested] : pod.requests) {
    if (auto found = check(resource, requested)) {
      return found;
    }
  }
  return std::nullopt;
}

void Seats::count(const kube::ResourceAmounts& requests) {
  ++pods_;
  kube::add_amounts(used_, requests);
}

void Seats::release(const kube::ResourceAmounts& requests) {
  const MutexLock lock(mutex_);
  --pods_;
  for (const auto& [resource, amount] : requests) {
    const auto found = used_.find(resource);
    // Sums that ended at the largest number do not come back to what they were: never below zero.
    if (found != used_.end() && (found->second -= std::min(found->second, amount)) == 0) {
      used_.erase(found);
    }
  }
}

std::int64_t Seats::pods() const {
  const MutexLock lock(mutex_);
  return pods_;
}

kube::ResourceAmounts Seats::used() const {
  const MutexLock lock(mutex_);
  return used_;
}

void sort_oldest_first(std::vector<kube::PodPtr>& pods) {
  std::vector<std::pair<std::string_view, kube::PodPtr>> aged;
  aged.reserve(pods.size());
  for (kube::PodPtr& pod : pods) {
    // Times of the API have one form, so that their texts are in order.
    const std::string_view created = kube::plain_string(
        kube::find_member(kube::find_member(pod->raw, "metadata"), "creationTimestamp"));
    aged.emplace_back(created, std::move(pod));
  }
  std::stable_sort(aged.begin(), aged.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  std::transform(aged.begin(), aged.end(), pods.begin(),
                 [](auto& entry) { return std::move(entry.second); });
}

}  // namespace vkhost::pods
