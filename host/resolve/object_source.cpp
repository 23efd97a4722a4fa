#include "resolve/object_source.hpp"

namespace vkhost::resolve {

Result<std::string> CallbackObjectSource::find(std::string_view kind,
                                               const std::string& object_namespace,
                                               const std::string& name) const {
  std::optional<std::string> document = documents_.find(kind, object_namespace, name);
  if (!document) {
    return not_found("there is no " + std::string(kind) + " " + object_namespace + "/" + name);
  }
  return std::move(*document);
}

Result<std::string> CallbackObjectSource::get_config_map(const std::string& object_namespace,
                                                         const std::string& name,
                                                         const CancelToken& /*cancel*/) {
  return find("ConfigMap", object_namespace, name);
}

Result<std::string> CallbackObjectSource::get_secret(const std::string& object_namespace,
                                                     const std::string& name,
                                                     const CancelToken& /*cancel*/) {
  return find("Secret", object_namespace, name);
}

Result<std::string> CallbackObjectSource::get_service(const std::string& object_namespace,
                                                      const std::string& name,
                                                      const CancelToken& /*cancel*/) {
  return find("Service", object_namespace, name);
}

Result<std::string> CallbackObjectSource::get_service_account(const std::string& object_namespace,
                                                              const std::string& name,
                                                              const CancelToken& /*cancel*/) {
  return find("ServiceAccount", object_namespace, name);
}

Result<std::string> CallbackObjectSource::get_claim(const std::string& object_namespace,
                                                    const std::string& name,
                                                    const CancelToken& /*cancel*/) {
  return find("PersistentVolumeClaim", object_namespace, name);
}

Result<std::string> CallbackObjectSource::get_persistent_volume(const std::string& name,
                                                                const CancelToken& /*cancel*/) {
  return find("PersistentVolume", "", name);
}

Result<std::string> CallbackObjectSource::list_trust_bundles(const std::string& /*selection*/,
                                                             const CancelToken& /*cancel*/) {
  return not_found("there is no API server to have ClusterTrustBundles");
}

Result<std::string> CallbackObjectSource::list_services(const std::string& object_namespace,
                                                        const CancelToken& /*cancel*/) {
  std::string list = R"({"items":[)";
  for (const std::string& service : documents_.list("Service", object_namespace)) {
    list += list.back() == '[' ? "" : ",";
    list += service;
  }
  return list + "]}";
}

}  // namespace vkhost::resolve
