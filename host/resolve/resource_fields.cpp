#include "resolve/resource_fields.hpp"

#include "kube/quantity.hpp"
#include "resolve/config_error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vkhost::resolve {
namespace {

using kube::Quantity;

constexpr std::string_view kLimits = "limits.";
constexpr std::string_view kRequests = "requests.";

bool is_bounded_by_node(std::string_view resource) {
  return resource == "cpu" || resource == "memory" || resource == "ephemeral-storage";
}

bool is_known(std::string_view resource) {
  constexpr std::string_view kHugePages = "hugepages-";
  return is_bounded_by_node(resource) ||
         (resource.starts_with(kHugePages) && resource.size() > kHugePages.size());
}

Result<Quantity> parse_amount(const std::string& text, const std::string& what) {
  auto quantity = Quantity::parse(text);
  if (!quantity) {
    return spec_error(what + ": " + quantity.status().message());
  }
  return quantity;
}

// 0 for what is not there.
Result<Quantity> amount_in(const ResourceTexts& amounts,
                           std::string_view resource,
                           const std::string& what) {
  const auto found = amounts.find(resource);
  return found == amounts.end() ? Quantity() : parse_amount(found->second, what);
}

Result<Quantity> limit_of(std::string_view resource,
                          const PodView& pod,
                          const ContainerView& container,
                          const NodeFacts& node) {
  const std::string name(resource);
  VKHOST_TRY_ASSIGN(const auto own,
                    amount_in(container.limits, resource,
                              "limit of " + name + " of container " + container.name));
  if (!own.is_zero() || !is_bounded_by_node(resource)) {
    return own;
  }
  VKHOST_TRY_ASSIGN(const auto shared,
                    amount_in(pod.pod_limits, resource, "the pod's limit of " + name));
  if (!shared.is_zero()) {
    return shared;
  }
  const std::optional<std::string> allocatable = node.allocatable(resource);
  if (!allocatable) {
    return config_error("container " + container.name + " has no limit of " + name +
                        ", and how much of it the node can allocate is not known: set a limit");
  }
  auto amount = Quantity::parse(*allocatable);
  if (!amount) {
    return config_error("the node's allocatable " + name + ": " + amount.status().message());
  }
  return amount;
}

// As the API server sets it when a request is left out beside a limit.
Result<Quantity> request_of(std::string_view resource, const ContainerView& container) {
  const bool is_set = container.requests.find(resource) != container.requests.end();
  return amount_in(is_set ? container.requests : container.limits, resource,
                   "request of " + std::string(resource) + " of container " + container.name);
}

std::string divided_up(std::int64_t amount, std::int64_t divisor) {
  return std::to_string(amount / divisor + (amount % divisor == 0 ? 0 : 1));
}

const ContainerView* find_container(const PodView& pod, const std::string& name) {
  for (const ContainerView& container : pod.containers) {
    if (container.name == name) {
      return &container;
    }
  }
  return nullptr;
}

}  // namespace

Result<std::string> read_resource_field(const ResourceReference& reference,
                                        const PodView& pod,
                                        const ContainerView& container,
                                        const NodeFacts& node) {
  const ContainerView* subject =
      reference.container.empty() ? &container : find_container(pod, reference.container);
  if (subject == nullptr) {
    return spec_error("the pod has no container " + reference.container + " to take " +
                      reference.resource + " from");
  }
  const std::string_view path = reference.resource;
  const bool is_limit = path.starts_with(kLimits);
  const std::string_view resource = path.substr(path.find('.') + 1);
  if ((!is_limit && !path.starts_with(kRequests)) || !is_known(resource)) {
    return spec_error("\"" + reference.resource + "\" is not a resource that a pod can refer to");
  }
  VKHOST_TRY_ASSIGN(const auto amount, is_limit ? limit_of(resource, pod, *subject, node)
                                                : request_of(resource, *subject));
  Quantity divisor;
  if (!reference.divisor.empty()) {
    VKHOST_TRY_ASSIGN(divisor, parse_amount(reference.divisor, "the divisor"));
  }
  if (resource == "cpu") {
    return divided_up(amount.ceil_milli(), divisor.is_zero() ? 1000 : divisor.ceil_milli());
  }
  return divided_up(amount.ceil(), divisor.is_zero() ? 1 : divisor.ceil());
}

}  // namespace vkhost::resolve
