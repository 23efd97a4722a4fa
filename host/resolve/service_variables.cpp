#include "resolve/service_variables.hpp"

#include "base/json_text.hpp"
#include "resolve/json_members.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Object;

Result<ServicePort> read_port(const Object& object, const Place& place) {
  ServicePort port;
  VKHOST_TRY_ASSIGN(port.name, read_string(object, "name", place));
  VKHOST_TRY_ASSIGN(port.protocol, read_string(object, "protocol", place));
  if (port.protocol.empty()) {
    port.protocol = "TCP";
  }
  const Poco::Dynamic::Var number = object.get("port");
  if (number.isEmpty() || !number.isInteger() || number.isBoolean()) {
    return Place(place, "port").wrong_type("a whole number");
  }
  const auto value = number.convert<std::int64_t>();
  if (value < 1 || value > 65535) {
    return Place(place, "port").wrong_type("between 1 and 65535");
  }
  port.port = static_cast<int>(value);
  return port;
}

Status read_service(const Object& object, const Place& place, Services& services) {
  Service service;
  VKHOST_TRY_ASSIGN(const auto metadata, read_object(object, "metadata", place));
  VKHOST_TRY_ASSIGN(const auto spec, read_object(object, "spec", place));
  if (metadata.isNull() || spec.isNull()) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(service.name, read_string(*metadata, "name", Place(place, "metadata")));
  const Place spec_place(place, "spec");
  VKHOST_TRY_ASSIGN(service.cluster_ip, read_string(*spec, "clusterIP", spec_place));
  if (service.name.empty() || service.cluster_ip.empty() || service.cluster_ip == "None") {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const auto ports, read_array(*spec, "ports", spec_place));
  for (std::size_t i = 0; !ports.isNull() && i < ports->size(); ++i) {
    const Place port_place(spec_place, "ports", i);
    VKHOST_TRY_ASSIGN(const auto item, object_at(*ports, i, port_place));
    VKHOST_TRY_ASSIGN(auto port, read_port(*item, port_place));
    service.ports.push_back(std::move(port));
  }
  services.insert_or_assign(service.name, service);
  return Status::ok();
}

std::string in_case(std::string text, char from, char to) {
  // Not toupper(): its answer depends on the locale.
  const int shift = (from == 'a' ? 'A' : 'a') - from;
  for (char& c : text) {
    if (c >= from && c <= to) {
      c = static_cast<char>(c + shift);
    }
  }
  return text;
}
std::string upper(std::string text) { return in_case(std::move(text), 'a', 'z'); }
std::string lower(std::string text) { return in_case(std::move(text), 'A', 'Z'); }

std::string variable_word(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return upper(std::move(name));
}

void set(ServiceVariables& variables, const std::string& name, const std::string& value) {
  const auto [entry, is_new] = variables.values.insert_or_assign(name, Value{value, false});
  if (is_new) {
    variables.names.push_back(name);
  }
}

void add_service(ServiceVariables& variables, const Service& service) {
  const std::string word = variable_word(service.name);
  set(variables, word + "_SERVICE_HOST", service.cluster_ip);
  if (service.ports.empty()) {
    return;
  }
  set(variables, word + "_SERVICE_PORT", std::to_string(service.ports.front().port));
  for (const ServicePort& port : service.ports) {
    if (!port.name.empty()) {
      set(variables, word + "_SERVICE_PORT_" + variable_word(port.name), std::to_string(port.port));
    }
  }
  const bool is_v6 = service.cluster_ip.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + service.cluster_ip + "]" : service.cluster_ip;
  bool first = true;
  for (const ServicePort& port : service.ports) {
    const std::string number = std::to_string(port.port);
    std::string url = lower(port.protocol);
    url.append("://").append(host).append(":").append(number);
    if (std::exchange(first, false)) {
      set(variables, word + "_PORT", url);
    }
    std::string prefix = word;
    prefix.append("_PORT_").append(number).append("_").append(upper(port.protocol));
    set(variables, prefix, url);
    set(variables, prefix + "_PROTO", lower(port.protocol));
    set(variables, prefix + "_PORT", number);
    set(variables, prefix + "_ADDR", service.cluster_ip);
  }
}

}  // namespace

Result<Services> parse_service(std::string_view json) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(json, "the Service"));
  Services services;
  VKHOST_TRY(read_service(*document, Place("the Service"), services));
  return services;
}

Result<Services> parse_service_list(std::string_view json) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(json, "the list of Services"));
  Services services;
  const Place place("ServiceList");
  VKHOST_TRY_ASSIGN(const auto items, read_array(*document, "items", place));
  for (std::size_t i = 0; !items.isNull() && i < items->size(); ++i) {
    const Place item_place(place, "items", i);
    VKHOST_TRY_ASSIGN(const auto item, object_at(*items, i, item_place));
    VKHOST_TRY(read_service(*item, item_place, services));
  }
  return services;
}

ServiceVariables make_service_variables(const Services& services) {
  ServiceVariables variables;
  for (const auto& [name, service] : services) {
    add_service(variables, service);
  }
  variables.env_json = "[";
  for (const std::string& name : variables.names) {
    variables.env_json += variables.env_json.size() == 1 ? R"({"name":)" : R"(,{"name":)";
    append_json_string(variables.env_json, name);
    variables.env_json += R"(,"value":)";
    append_json_string(variables.env_json, variables.values.find(name)->second.text);
    variables.env_json += R"(,"service":true})";
  }
  variables.env_json += "]";
  return variables;
}

}  // namespace vkhost::resolve
