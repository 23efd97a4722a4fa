#include "config/environment.hpp"

#include "config/settings_tree.hpp"

#include <cstdlib>
#include <memory>
#include <utility>

namespace vkhost::config {
namespace {

constexpr std::string_view kNoOldExporters = "traces are not exported";

// KUBELET_PORT is a number only; whatever it holds is checked as part of the address.
std::string setting_text(const EnvironmentVariable& variable, const std::string& value) {
  return variable.name == "KUBELET_PORT" ? ':' + value : value;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    // Nothing in this process changes the environment once threads run.
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
  };
}

const std::vector<EnvironmentVariable>& environment_variables() {
  static const std::vector<EnvironmentVariable> variables = {
      {"KUBECONFIG", "kubernetes.kubeconfig", "Credentials of the API server."},
      {"MASTER_URI", "kubernetes.server", "Address of the API server."},
      {"DEFAULTNODE_NAME", "node.name", "Name of the node (older spelling)."},
      {"DEFAULT_NODE_NAME", "node.name", "Name of the node."},
      {"SALAD_VK_NODE_NAME", "node.name", "Name of the node."},
      {"KUBELET_PORT", "kubelet.listen", "Port of the kubelet API, on every address."},
      {"VKUBELET_POD_IP", "kubelet.advertised_address", "Address of this daemon."},
      {"VKUBELET_TAINT_KEY", "default_taint.key", "Taint of the node: key."},
      {"VKUBELET_TAINT_VALUE", "default_taint.value", "Taint of the node: value."},
      {"VKUBELET_TAINT_EFFECT", "default_taint.effect", "Taint of the node: effect."},
      {"APISERVER_CERT_LOCATION", "kubelet.certificate_file", "Serving certificate."},
      {"APISERVER_KEY_LOCATION", "kubelet.key_file", "Its private key."},
      {"APISERVER_CA_CERT_LOCATION", "kubelet.client_ca_file", "CA of client certificates."},
      {"SALAD_VK_LOG_LEVEL", "log.level", "Least serious entries that are written."},
      {"JAEGER_COLLECTOR_ENDPOINT", "", kNoOldExporters},
      {"JAEGER_AGENT_ENDPOINT", "", kNoOldExporters},
      {"OCAGENT_ENDPOINT", "", kNoOldExporters},
      {"ZPAGES_PORT", "", kNoOldExporters},
      {"ZPAGES_ADDR", "", kNoOldExporters},
  };
  return variables;
}

Value environment_settings(const Environment& environment, Problems& problems) {
  Value root(Table{}, Place{});
  for (const EnvironmentVariable& variable : environment_variables()) {
    auto value = environment(std::string(variable.name));
    if (!value) {
      continue;
    }
    const Place at = place_of_setting("environment variable " + std::string(variable.name));
    if (variable.key.empty()) {
      problems.warning(at, "", "has no effect: " + std::string(variable.text));
    } else {
      put_setting(root, variable.key, Value(setting_text(variable, *value), at));
    }
  }
  return root;
}

}  // namespace vkhost::config
