#include "documents.hpp"

#include "rules.hpp"

#include <vkhost/cpp/json.hpp>

#include <array>
#include <utility>

namespace vkhost::mock {
namespace {

// What a user would miss first of all that does not happen to pods that run nowhere.
constexpr std::array kIgnoredFields = {
    "spec.containers[].livenessProbe",
    "spec.containers[].readinessProbe",
    "spec.containers[].startupProbe",
    "spec.containers[].lifecycle",
    "spec.hostNetwork",
    "spec.hostPID",
    "spec.hostIPC",
    "spec.volumes[].hostPath",
};

}  // namespace

std::string describe_mock() {
  sdk::JsonWriter json;
  json.begin_object()
      .member("name", "mock")
      .member("version", "0.1.0")
      .member("vendor", "vkhost")
      .member("license", "Apache-2.0")
      .key("settings_schema")
      .raw(settings_schema());
  json.key("settings_aliases").begin_object().member("providerID", "provider_id").end_object();
  json.key("annotation_prefixes").begin_array().value(kAnnotationPrefix).end_array();
  json.key("metric_prefixes").begin_array().value("vkhost_mock_").end_array();
  return json.end_object().take();
}

std::string render_capabilities(const Settings& settings) {
  sdk::JsonWriter json;
  json.begin_object()
      .member("status_updates", "push")
      .member("max_parallel_calls", settings.max_parallel_calls);
  for (const auto& [name, words] :
       {std::pair("updates", &settings.updates), std::pair("material", &settings.material)}) {
    json.key(name).begin_array();
    for (const std::string& word : *words) {
      json.value(word);
    }
    json.end_array();
  }
  json.member("late_env", settings.late_env).key("fields").begin_object();
  for (const char* path : kIgnoredFields) {
    json.member(path, "ignored");
  }
  return json.end_object().end_object().take();
}

std::string render_node(const Settings& settings, std::string_view node_name) {
  const auto named = settings.nodes.find(std::string(node_name));
  const Offer& offer = named == settings.nodes.end() ? settings.offer : named->second;
  sdk::JsonWriter json;
  json.begin_object().key("metadata").begin_object().key("labels").begin_object();
  // No load balancer shall send traffic to a node behind which there is nothing.
  json.member("alpha.service-controller.kubernetes.io/exclude-balancer", "true");
  json.member("node.kubernetes.io/exclude-from-external-load-balancers", "true");
  for (const auto& [key, value] : settings.labels) {
    json.member(key, value);
  }
  json.end_object().end_object().key("spec").begin_object();
  if (!offer.provider_id.empty()) {
    json.member("providerID", offer.provider_id);
  }
  json.end_object().key("status").begin_object();
  for (const char* list : {"capacity", "allocatable"}) {
    json.key(list).begin_object();
    json.member("cpu", offer.cpu).member("memory", offer.memory).member("pods", offer.pods);
    for (const auto& [resource, quantity] : offer.others) {
      json.member(resource, quantity);
    }
    json.end_object();
  }
  json.key("nodeInfo").begin_object();
  json.member("operatingSystem", "linux").member("architecture", "amd64");
  return json.end_object().end_object().end_object().take();
}

}  // namespace vkhost::mock
