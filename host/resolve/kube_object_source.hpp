// KubeObjectSource: objects that pods refer to, read from the API server by name, always afresh.
//
// Needs `get` on ConfigMaps, Secrets, Services, ServiceAccounts and PersistentVolumeClaims and `list` on
// Services, in the namespaces of the node's pods, and `get` on PersistentVolumes; the node authoriser
// grants all of it but ServiceAccounts. `list` on ClusterTrustBundles for what projects some.
// [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "kube/client.hpp"
#include "resolve/object_source.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>

namespace vkhost::resolve {

class KubeObjectSource final : public ObjectSource {
 public:
  // Both outlive the source. `timeout` bounds each read, with what the client repeats in it.
  KubeObjectSource(kube::Client& client,
                   const Clock& clock,
                   std::chrono::milliseconds timeout = std::chrono::seconds{10})
      : client_(client), clock_(clock), timeout_(timeout) {}

  Result<std::string> get_config_map(const std::string& object_namespace,
                                     const std::string& name,
                                     const CancelToken& cancel) override;
  Result<std::string> get_secret(const std::string& object_namespace,
                                 const std::string& name,
                                 const CancelToken& cancel) override;
  Result<std::string> get_service(const std::string& object_namespace,
                                  const std::string& name,
                                  const CancelToken& cancel) override;
  Result<std::string> get_service_account(const std::string& object_namespace,
                                          const std::string& name,
                                          const CancelToken& cancel) override;
  Result<std::string> get_claim(const std::string& object_namespace,
                                const std::string& name,
                                const CancelToken& cancel) override;
  Result<std::string> get_persistent_volume(const std::string& name,
                                            const CancelToken& cancel) override;
  Result<std::string> list_trust_bundles(const std::string& selection,
                                         const CancelToken& cancel) override;
  Result<std::string> list_services(const std::string& object_namespace,
                                    const CancelToken& cancel) override;

 private:
  Result<std::string> get(const std::string& path,
                          const CancelToken& cancel,
                          const kube::Query& query = {});

  kube::Client& client_;
  const Clock& clock_;
  const std::chrono::milliseconds timeout_;
  std::atomic<std::size_t> bundle_version_ = 0;  // which of the API's versions answered last
};

}  // namespace vkhost::resolve
