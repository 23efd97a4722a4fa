#include "resolve/objects.hpp"

#include <utility>

namespace vkhost::resolve {

Result<Services> Objects::services_for(const std::string& pod_namespace,
                                       bool links,
                                       const CancelToken& cancel) {
  Services services;
  if (links) {
    VKHOST_TRY_ASSIGN(const std::string list, source_.list_services(pod_namespace, cancel));
    VKHOST_TRY_ASSIGN(services, parse_service_list(list));
  }
  if (links &&
      (pod_namespace == kMasterServiceNamespace || services.contains(kMasterServiceName))) {
    return services;
  }
  auto master = source_.get_service(kMasterServiceNamespace, kMasterServiceName, cancel);
  if (!master) {
    return master.status().code() == StatusCode::NotFound ? Result<Services>(std::move(services))
                                                          : master.status();
  }
  VKHOST_TRY_ASSIGN(Services one, parse_service(*master));
  services.merge(one);
  return services;
}

// Those of a pod without links are the same in every namespace.
Result<ServiceVariablesPtr> Objects::service_variables(const std::string& pod_namespace,
                                                       bool links,
                                                       const CancelToken& cancel) {
  const std::string key = links ? pod_namespace : std::string();
  if (ServiceVariablesPtr known = services_.find(key)) {
    return known;
  }
  return reads_.run(key, clock_.steady_now() - max_age_, cancel,
                    [&] { return read_services(pod_namespace, links, cancel); });
}

Result<ServiceVariablesPtr> Objects::read_services(const std::string& pod_namespace,
                                                   bool links,
                                                   const CancelToken& cancel) {
  const std::string key = links ? pod_namespace : std::string();
  if (ServiceVariablesPtr known = services_.find(key)) {
    return known;  // the read before has just ended
  }
  const SteadyTime began = clock_.steady_now();
  VKHOST_TRY_ASSIGN(const Services services, services_for(pod_namespace, links, cancel));
  ServiceVariablesPtr result =
      std::make_shared<const ServiceVariables>(make_service_variables(services));
  // Names stand in it three times and values twice.
  services_.put(key, result, 3 * result->env_json.size() + kEntryBytes, began);
  return result;
}

void Objects::drop_expired() {
  store_.drop_expired();
  services_.drop_expired();
}

}  // namespace vkhost::resolve
