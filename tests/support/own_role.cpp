#include "support/own_role.hpp"

#include "support/json_pointer.hpp"
#include "support/places.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <ostream>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

namespace vkhost::testing {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kRbac = "/apis/rbac.authorization.k8s.io/v1/";

// A missing list stands for "any", which is one of them that is empty.
std::vector<std::string> list_of(const YAML::Node& rule, const char* name) {
  return rule[name] ? rule[name].as<std::vector<std::string>>() : std::vector<std::string>{""};
}

void add_rights(const YAML::Node& rule, OwnRight right, std::vector<OwnRight>& rights) {
  for (const std::string& group : list_of(rule, "apiGroups")) {
    for (const std::string& resource : list_of(rule, "resources")) {
      for (const std::string& name : list_of(rule, "resourceNames")) {
        for (const std::string& verb : list_of(rule, "verbs")) {
          right.api_group = group;
          right.resource = resource;
          right.object_name = name;
          right.verb = verb;
          rights.push_back(right);
        }
      }
    }
  }
}

void add_rights(const fs::path& file, std::vector<OwnRight>& rights) {
  for (const YAML::Node& document : YAML::LoadAllFromFile(file.native())) {
    const auto kind = document["kind"].as<std::string>();
    if (kind != "Role" && kind != "ClusterRole") {
      continue;
    }
    OwnRight right{.feature = file.stem()};
    if (kind == "Role") {
      right.namespace_name = document["metadata"]["namespace"].as<std::string>();
    }
    for (const YAML::Node& rule : document["rules"]) {
      add_rights(rule, right, rights);
    }
  }
}

std::string rule_json(const OwnRight& right) {
  return R"({"apiGroups":[")" + right.api_group + R"("],"resources":[")" + right.resource +
         R"("],"verbs":[")" + right.verb + "\"]" +
         (right.object_name.empty() ? "" : R"(,"resourceNames":[")" + right.object_name + "\"]") +
         "}";
}

std::string collection(const std::string& namespace_name, const std::string& kind) {
  return std::string(kRbac) +
         (namespace_name.empty() ? "cluster" + kind : "namespaces/" + namespace_name + "/" + kind);
}

}  // namespace

bool OwnRight::covers(const OwnRight& other) const {
  return api_group == other.api_group && resource == other.resource && verb == other.verb &&
         (namespace_name.empty() || namespace_name == other.namespace_name) &&
         (object_name.empty() || object_name == other.object_name);
}

std::ostream& operator<<(std::ostream& out, const OwnRight& right) {
  return out << right.feature << ".yaml: " << right.label();
}

std::vector<OwnRight> own_rights() {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(source_dir() / "packaging/rbac")) {
    if (entry.path().extension() == ".yaml") {
      files.insert(entry.path());
    }
  }
  std::vector<OwnRight> rights;
  for (const fs::path& file : files) {
    add_rights(file, rights);
  }
  return rights;
}

GrantedRights::GrantedRights(Cluster& cluster,
                             std::string user,
                             const std::vector<OwnRight>& rights)
    : cluster_(cluster), user_(std::move(user)) {
  std::map<std::string, std::string> rules;  // by namespace
  for (const OwnRight& right : rights) {
    std::string& list = rules[right.namespace_name];
    list += (list.empty() ? "" : ",") + rule_json(right);
  }
  for (const auto& [namespace_name, list] : rules) {
    grant(namespace_name, list);
  }
  // The API server learns of roles by watches of its own.
  const auto until = std::chrono::steady_clock::now() + Cluster::kSoon;
  while (!std::all_of(rights.begin(), rights.end(),
                      [&](const OwnRight& right) { return allow(right); })) {
    if (std::chrono::steady_clock::now() > until) {
      throw std::runtime_error("the rights of " + user_ + " do not come into force");
    }
    std::this_thread::yield();
  }
}

GrantedRights::~GrantedRights() {
  try {
    for (const std::string& path : to_remove_) {
      cluster_.remove(path);
    }
  } catch (const std::exception& error) {
    std::cerr << "cleaning up after a test: " << error.what() << '\n';
  }
}

void GrantedRights::grant(const std::string& namespace_name, const std::string& rules) {
  const std::string roles = collection(namespace_name, "roles");
  const std::string bindings = collection(namespace_name, "rolebindings");
  const std::string metadata = R"({"metadata":{"name":")" + name_ + "\"},";
  cluster_.create(roles, metadata + R"("rules":[)" + rules + "]}");
  to_remove_.push_back(roles + "/" + name_);
  cluster_.create(bindings,
                  metadata + R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":")" +
                      (namespace_name.empty() ? "ClusterRole" : "Role") + R"(","name":")" + name_ +
                      R"("},"subjects":[{"kind":"User","name":")" + user_ + R"("}]})");
  to_remove_.push_back(bindings + "/" + name_);
}

bool GrantedRights::allow(const OwnRight& right) const {
  const std::size_t slash = right.resource.find('/');
  const std::string subresource =
      slash == std::string::npos ? "" : right.resource.substr(slash + 1);
  const std::string answer =
      cluster_.create("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                      R"({"spec":{"user":")" + user_ +
                          R"(","groups":["system:authenticated"],"resourceAttributes":{"group":")" +
                          right.api_group + R"(","resource":")" + right.resource.substr(0, slash) +
                          R"(","subresource":")" + subresource + R"(","verb":")" + right.verb +
                          R"(","namespace":")" + right.namespace_name + R"(","name":")" +
                          right.object_name + R"("}}})");
  return json_at(answer, "/status/allowed") == "true";
}

}  // namespace vkhost::testing
