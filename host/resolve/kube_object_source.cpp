#include "resolve/kube_object_source.hpp"

#include "kube/paths.hpp"
#include "resolve/trust_bundles.hpp"

#include <array>

namespace vkhost::resolve {

namespace {

// Of ClusterTrustBundles, the later first.
constexpr std::array<const char*, 2> kBundleVersions = {"v1", "v1beta1"};

}  // namespace

Result<std::string> KubeObjectSource::get(const std::string& path,
                                          const CancelToken& cancel,
                                          const kube::Query& query) {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock_, timeout_);
  options.cancel = cancel;
  return client_.get(path, query, options);
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

// A version that is not served has no collection.
Result<std::string> KubeObjectSource::list_trust_bundles(const std::string& selection,
                                                         const CancelToken& cancel) {
  const kube::Query query = trust_bundle_query(selection);
  const std::size_t first = bundle_version_;
  for (std::size_t i = 0; i < kBundleVersions.size(); ++i) {
    const std::size_t version = (first + i) % kBundleVersions.size();
    auto list = get(kube::trust_bundles_path(kBundleVersions[version]), cancel, query);
    if (list.is_ok()) {
      bundle_version_ = version;
      if (is_empty_list(*list)) {
        return not_found("the API server has none such");
      }
      return list;
    }
    if (list.status().code() != StatusCode::NotFound) {
      return list;
    }
  }
  return not_found("the API server does not serve ClusterTrustBundles");
}

Result<std::string> KubeObjectSource::list_services(const std::string& object_namespace,
                                                    const CancelToken& cancel) {
  return get(kube::services_path(object_namespace), cancel);
}

}  // namespace vkhost::resolve
