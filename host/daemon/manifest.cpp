#include "daemon/manifest.hpp"

#include "daemon/identity.hpp"
#include "daemon/yaml_json.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>

namespace vkhost::daemon {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

std::string manifest_text(const Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

std::string string_member(const Object::Ptr& object, const std::string& name) {
  const Var value = object->get(name);
  return value.isString() ? value.extract<std::string>() : std::string();
}

// RFC 1123 names as Kubernetes takes them for pods (subdomain) and containers (label).
bool is_dns_name(std::string_view name, std::size_t max_size, bool dots_allowed) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > max_size || !is_alphanumeric(name.front()) ||
      !is_alphanumeric(name.back())) {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alphanumeric(c) || c == '-' || (dots_allowed && c == '.');
  });
}

void set_default(const Object::Ptr& object, const std::string& name, const Var& value) {
  if (!object->has(name)) {
    Object::Ptr writable = object;
    writable->set(name, value);
  }
}

Status check_containers(const Object::Ptr& spec,
                        const std::string& member,
                        bool required,
                        std::set<std::string>* names) {
  const Array::Ptr list = spec->getArray(member);
  if (list.isNull() || list->size() == 0) {
    return required || (spec->has(member) && list.isNull())
               ? invalid_argument("spec." + member + " has to be a list of containers")
               : Status::ok();
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = "spec." + member + "[" + std::to_string(i) + "]";
    const Object::Ptr container = list->getObject(static_cast<unsigned>(i));
    if (container.isNull()) {
      return invalid_argument(place + " is not an object");
    }
    const std::string name = string_member(container, "name");
    if (!is_dns_name(name, 63, false)) {
      return invalid_argument(place + ".name is \"" + name +
                              "\"; expected at most 63 of a-z, 0-9 and inner hyphens");
    }
    if (!names->insert(name).second) {
      return invalid_argument(place + ".name \"" + name + "\" is there twice");
    }
    if (string_member(container, "image").empty()) {
      return invalid_argument(place + ".image is missing");
    }
    set_default(container, "imagePullPolicy", "IfNotPresent");
    set_default(container, "terminationMessagePath", "/dev/termination-log");
    set_default(container, "terminationMessagePolicy", "File");
  }
  return Status::ok();
}

Status complete_pod(Object& pod, std::string_view node_name, PodManifest* manifest) {
  Object::Ptr metadata = pod.getObject("metadata");
  Object::Ptr spec = pod.getObject("spec");
  if (spec.isNull()) {
    return invalid_argument("spec is missing");
  }
  std::set<std::string> names;
  VKHOST_TRY(check_containers(spec, "containers", true, &names));
  VKHOST_TRY(check_containers(spec, "initContainers", false, &names));
  set_default(spec, "restartPolicy", "Always");
  const std::string policy = string_member(spec, "restartPolicy");
  if (policy != "Always" && policy != "OnFailure" && policy != "Never") {
    return invalid_argument("spec.restartPolicy is \"" + policy +
                            "\"; expected Always, OnFailure or Never");
  }
  set_default(spec, "terminationGracePeriodSeconds", 30);
  const Var grace = spec->get("terminationGracePeriodSeconds");
  if (!grace.isInteger() || grace.convert<std::int64_t>() < 0) {
    return invalid_argument("spec.terminationGracePeriodSeconds has to be a number, 0 or more");
  }
  manifest->grace_seconds = grace.convert<std::int64_t>();
  set_default(spec, "dnsPolicy", "ClusterFirst");
  set_default(spec, "schedulerName", "default-scheduler");
  // The identity covers what the user wrote and its defaults, not where it runs.
  Object identity;
  identity.set("metadata", metadata);
  identity.set("spec", spec);
  manifest->uid = content_uid(node_name, manifest_text(identity));
  metadata->set("uid", manifest->uid);
  metadata->set("generation", 1);
  spec->set("nodeName", std::string(node_name));
  pod.remove("status");
  manifest->json = manifest_text(pod);
  return Status::ok();
}

Status add_document(const YamlDocument& document,
                    std::string_view node_name,
                    const std::string& file,
                    Manifests* manifests) {
  Poco::JSON::Parser parser;
  const Var parsed = parser.parse(document.json);
  if (parsed.type() != typeid(Object::Ptr)) {
    return invalid_argument("the document is not an object");
  }
  Object::Ptr object = parsed.extract<Object::Ptr>();
  const std::string kind = string_member(object, "kind");
  const std::string api_version = string_member(object, "apiVersion");
  if (api_version != "v1" || (kind != "Pod" && kind != "ConfigMap" && kind != "Secret")) {
    return invalid_argument("apiVersion \"" + api_version + "\", kind \"" + kind +
                            "\"; standalone mode takes Pod, ConfigMap and Secret of v1");
  }
  const Object::Ptr metadata = object->getObject("metadata");
  if (metadata.isNull()) {
    return invalid_argument("metadata is missing");
  }
  const std::string name = string_member(metadata, "name");
  if (!is_dns_name(name, 253, true)) {
    return invalid_argument("metadata.name is \"" + name +
                            "\"; expected at most 253 of a-z, 0-9, dots and inner hyphens");
  }
  set_default(metadata, "namespace", "default");
  const std::string object_namespace = string_member(metadata, "namespace");
  if (!is_dns_name(object_namespace, 63, false)) {
    return invalid_argument("metadata.namespace is \"" + object_namespace +
                            "\"; expected at most 63 of a-z, 0-9 and inner hyphens");
  }
  const std::string key = object_namespace + "/" + name;
  if (kind != "Pod") {
    ObjectDocuments& documents = kind == "Secret" ? manifests->secrets : manifests->config_maps;
    return documents.emplace(key, manifest_text(*object)).second
               ? Status::ok()
               : invalid_argument(kind + " " + key + " is defined twice; the first one counts");
  }
  PodManifest manifest;
  manifest.file = file;
  manifest.pod_namespace = object_namespace;
  manifest.name = name;
  for (const PodManifest& other : manifests->pods) {
    if (other.pod_namespace == object_namespace && other.name == name) {
      return invalid_argument("pod " + key + " is defined in " + other.file +
                              " already; that one counts");
    }
  }
  VKHOST_TRY(complete_pod(*object, node_name, &manifest));
  manifests->pods.push_back(std::move(manifest));
  return Status::ok();
}

}  // namespace

void add_manifest_file(const std::string& file,
                       std::string_view text,
                       std::string_view node_name,
                       Manifests* manifests) {
  auto documents = yaml_to_json(text);
  if (!documents.is_ok()) {
    manifests->problems.push_back(file + ": " + documents.status().message());
    return;
  }
  for (const YamlDocument& document : *documents) {
    Status status;
    try {
      status = add_document(document, node_name, file, manifests);
    } catch (const Poco::Exception& error) {
      status = invalid_argument("the document cannot be used: " + error.displayText());
    }
    if (!status.is_ok()) {
      manifests->problems.push_back(file + ": document at line " + std::to_string(document.line) +
                                    ": " + status.message());
    }
  }
}

}  // namespace vkhost::daemon
