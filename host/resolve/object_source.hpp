// ObjectSource: where the objects that pods refer to come from, in this room's words.
//
// KubeObjectSource asks the API server; CallbackObjectSource hands out documents that somebody
// holds: the manifest folder when standalone, tests. Each object is read by its name, and services
// by namespace: nothing here lists a whole cluster.
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::resolve {

// Answers are the JSON text of the object. NOT_FOUND alone says that there is none; any other
// failure says nothing about it. [any-thread] [may-block]
class ObjectSource {
 public:
  ObjectSource() = default;
  ObjectSource(const ObjectSource&) = delete;
  ObjectSource& operator=(const ObjectSource&) = delete;
  virtual ~ObjectSource() = default;

  virtual Result<std::string> get_config_map(const std::string& object_namespace,
                                             const std::string& name,
                                             const CancelToken& cancel) = 0;
  virtual Result<std::string> get_secret(const std::string& object_namespace,
                                         const std::string& name,
                                         const CancelToken& cancel) = 0;
  virtual Result<std::string> get_service(const std::string& object_namespace,
                                          const std::string& name,
                                          const CancelToken& cancel) = 0;
  virtual Result<std::string> get_service_account(const std::string& object_namespace,
                                                  const std::string& name,
                                                  const CancelToken& cancel) = 0;
  // A PersistentVolumeClaim.
  virtual Result<std::string> get_claim(const std::string& object_namespace,
                                        const std::string& name,
                                        const CancelToken& cancel) = 0;
  virtual Result<std::string> get_persistent_volume(const std::string& name,
                                                    const CancelToken& cancel) = 0;
  // A ClusterTrustBundleList of that selection (trust_bundles.hpp), never empty: NOT_FOUND.
  virtual Result<std::string> list_trust_bundles(const std::string& selection,
                                                 const CancelToken& cancel) = 0;
  // A v1.ServiceList, or any object whose member `items` holds the services.
  virtual Result<std::string> list_services(const std::string& object_namespace,
                                            const CancelToken& cancel) = 0;
};

// Documents that are held somewhere; both functions are called from any thread and must not throw.
struct DocumentLookup {
  // `kind` is ConfigMap, Secret, Service, ServiceAccount, PersistentVolumeClaim or PersistentVolume,
  // the namespace of which is empty.
  std::function<std::optional<std::string>(
      std::string_view kind, const std::string& object_namespace, const std::string& name)>
      find;
  std::function<std::vector<std::string>(std::string_view kind,
                                         const std::string& object_namespace)>
      list;
};

class CallbackObjectSource final : public ObjectSource {
 public:
  explicit CallbackObjectSource(DocumentLookup documents) : documents_(std::move(documents)) {}

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
  [[nodiscard]] Result<std::string> find(std::string_view kind,
                                         const std::string& object_namespace,
                                         const std::string& name) const;
  DocumentLookup documents_;
};

}  // namespace vkhost::resolve
