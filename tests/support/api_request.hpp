// ApiRequest: what an HTTP request asks of a Kubernetes API server, in the words of RBAC, so that
// tests name requests as "patch pods/status" or "watch pods". Pure. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>

namespace vkhost::testing {

struct ApiRequest {
  std::string method = {};
  std::string target = {};
  std::string verb = {};      // get, list, watch, create, update, patch, delete, deletecollection
  std::string resource = {};  // "pods", "pods/status"; empty for paths that name no resource
  std::string namespace_name = {};
  std::string name = {};
  bool streams_list = false;  // a watch that begins with the list; its verb is list

  // "patch pods/status"; for other paths "get /readyz".
  [[nodiscard]] std::string label() const;
  [[nodiscard]] bool is_watch() const { return verb == "watch" || streams_list; }
};

[[nodiscard]] ApiRequest classify_request(std::string_view method, std::string_view target);

}  // namespace vkhost::testing
