#include "resolve/objects.hpp"

#include <utility>

namespace vkhost::resolve {
namespace {

constexpr std::size_t kEntryBytes = 256;  // an entry's own needs, roughly

}  // namespace

Result<ObjectPtr> Objects::read(ObjectKind kind,
                                const std::string& object_namespace,
                                const std::string& name,
                                const CancelToken& cancel) {
  const bool is_secret = kind == ObjectKind::Secret;
  // A line break stands in no namespace, while a reference may name anything.
  const std::string key = (is_secret ? "s" : "c") + object_namespace + "\n" + name;
  if (ObjectPtr known = objects_.find(key)) {
    return known;
  }
  const SteadyTime began = clock_.steady_now();
  VKHOST_TRY_ASSIGN(const std::string text,
                    is_secret ? source_.get_secret(object_namespace, name, cancel)
                              : source_.get_config_map(object_namespace, name, cancel));
  VKHOST_TRY_ASSIGN(ReferencedObject object,
                    is_secret ? parse_secret(text) : parse_config_map(text));
  const std::size_t bytes = object.bytes + kEntryBytes;
  ObjectPtr result = std::make_shared<const ReferencedObject>(std::move(object));
  objects_.put(key, result, bytes, began);
  return result;
}

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

Result<ServiceVariablesPtr> Objects::service_variables(const std::string& pod_namespace,
                                                       bool links,
                                                       const CancelToken& cancel) {
  const std::string key = links ? pod_namespace : std::string();
  if (ServiceVariablesPtr known = services_.find(key)) {
    return known;
  }
  const SteadyTime began = clock_.steady_now();
  VKHOST_TRY_ASSIGN(const Services services, services_for(pod_namespace, links, cancel));
  const ServiceVariablesPtr result =
      std::make_shared<const ServiceVariables>(make_service_variables(services));
  // Names stand in it three times and values twice.
  services_.put(key, result, 3 * result->env_json.size() + kEntryBytes, began);
  return result;
}

void Objects::drop_expired() {
  objects_.drop_expired();
  services_.drop_expired();
}

}  // namespace vkhost::resolve
