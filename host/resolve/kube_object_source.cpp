#include "resolve/kube_object_source.hpp"

#include "kube/paths.hpp"

namespace vkhost::resolve {

Result<std::string> KubeObjectSource::get(const std::string& path, const CancelToken& cancel) {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock_, timeout_);
  options.cancel = cancel;
  return client_.get(path, {}, options);
}

Result<std::string> KubeObjectSource::get_config_map(const std::string& object_namespace,
                                                     const std::string& name,
                                                     const CancelToken& cancel) {
  return get(kube::config_map_path(object_namespace, name), cancel);
}

Result<std::string> KubeObjectSource::get_secret(const std::string& object_namespace,
                                                 const std::string& name,
                                                 const CancelToken& cancel) {
  return get(kube::secret_path(object_namespace, name), cancel);
}

Result<std::string> KubeObjectSource::get_service(const std::string& object_namespace,
                                                  const std::string& name,
                                                  const CancelToken& cancel) {
  return get(kube::services_path(object_namespace) + "/" + kube::path_segment(name), cancel);
}

Result<std::string> KubeObjectSource::get_service_account(const std::string& object_namespace,
                                                          const std::string& name,
                                                          const CancelToken& cancel) {
  return get(kube::service_account_path(object_namespace, name), cancel);
}

Result<std::string> KubeObjectSource::get_claim(const std::string& object_namespace,
                                                const std::string& name,
                                                const CancelToken& cancel) {
  return get(kube::claim_path(object_namespace, name), cancel);
}

Result<std::string> KubeObjectSource::get_persistent_volume(const std::string& name,
                                                            const CancelToken& cancel) {
  return get(kube::persistent_volume_path(name), cancel);
}

Result<std::string> KubeObjectSource::list_services(const std::string& object_namespace,
                                                    const CancelToken& cancel) {
  return get(kube::services_path(object_namespace), cancel);
}

}  // namespace vkhost::resolve
