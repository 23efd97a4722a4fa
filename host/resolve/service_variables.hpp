// Service variables: NAME_SERVICE_HOST and so on, by which pods find services without DNS.
//
// Made from the services of the pod's namespace (unless enableServiceLinks is false) and from
// `kubernetes` in namespace `default`, which every pod is told of; a service of the same name in
// the pod's own namespace takes its place. Headless services have no address and no variables.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/expand.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

inline constexpr const char* kMasterServiceNamespace = "default";
inline constexpr const char* kMasterServiceName = "kubernetes";

struct ServicePort {
  std::string name;
  std::string protocol;  // TCP when absent
  int port = 0;
};

struct Service {
  std::string name;
  std::string cluster_ip;
  std::vector<ServicePort> ports;
};

// Services with a cluster IP, by name. `json` is one service, or a list of them.
using Services = std::map<std::string, Service, std::less<>>;
Result<Services> parse_service(std::string_view json);
Result<Services> parse_service_list(std::string_view json);

// The variables in a stable order, for lookups and ready for the material document.
struct ServiceVariables {
  std::vector<std::string> names;
  std::map<std::string, Value, std::less<>> values;
  std::string env_json;  // [{"name":…,"value":…,"service":true},…]
};
ServiceVariables make_service_variables(const Services& services);

}  // namespace vkhost::resolve
