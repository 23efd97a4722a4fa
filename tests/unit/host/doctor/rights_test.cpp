#include "doctor/rights.hpp"

#include "support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace vkhost::doctor {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// "get nodes", with group, namespace and name where there are some.
using Rights = std::set<std::string>;

std::string line(const std::string& group,
                 const std::string& resource,
                 const std::string& verb,
                 const std::string& name_space,
                 const std::string& name) {
  return verb + " " + resource + (group.empty() ? "" : "." + group) +
         (name_space.empty() ? "" : " in " + name_space) + (name.empty() ? "" : " " + name);
}

// A missing list stands for "any", which is one of them that is empty.
std::vector<std::string> list_of(const YAML::Node& rule, const char* name) {
  return rule[name] ? rule[name].as<std::vector<std::string>>() : std::vector<std::string>{""};
}

void add_rule(const YAML::Node& rule, const std::string& name_space, Rights& rights) {
  for (const std::string& group : list_of(rule, "apiGroups")) {
    for (const std::string& resource : list_of(rule, "resources")) {
      for (const std::string& verb : list_of(rule, "verbs")) {
        for (const std::string& name : list_of(rule, "resourceNames")) {
          rights.insert(line(group, resource, verb, name_space, name));
        }
      }
    }
  }
}

// What the files for the daemon's service account give, by the name of the file; those of bootstrap tokens
// are elsewhere.
std::map<std::string, Rights> packaged() {
  std::map<std::string, Rights> rights;
  for (const auto& entry : fs::directory_iterator(testing::source_dir() / "packaging/rbac")) {
    if (entry.path().extension() != ".yaml" || entry.path().stem() == "bootstrap") {
      continue;
    }
    for (const YAML::Node& document : YAML::LoadAllFromFile(entry.path().native())) {
      const auto kind = document["kind"].as<std::string>();
      if (kind == "Role" || kind == "ClusterRole") {
        for (const YAML::Node& rule : document["rules"]) {
          add_rule(rule, kind == "Role" ? document["metadata"]["namespace"].as<std::string>() : "",
                   rights[entry.path().stem()]);
        }
      }
    }
  }
  return rights;
}

std::vector<std::string> names_in_use(const Uses& uses) {
  std::vector<std::string> names;
  for (const Feature* feature : features_in_use(uses)) {
    names.emplace_back(feature->name);
  }
  return names;
}

const Right& find_right(std::string_view label) {
  for (const Feature& feature : features()) {
    for (const Right& right : feature.rights) {
      if (right.label() == label) {
        return right;
      }
    }
  }
  ADD_FAILURE() << "no right " << label;
  return features()[0].rights[0];
}

TEST(Rights, AreThoseOfThePackagedRoles) {
  const std::map<std::string, Rights> files = packaged();

  std::map<std::string, Rights> asked;
  for (const Feature& feature : features()) {
    const std::string own_file(feature.name);
    Rights& rights = asked[files.contains(own_file) ? own_file : "vkhost"];
    for (const Right& right : feature.rights) {
      rights.insert(line(std::string(right.group), std::string(right.resource),
                         std::string(right.verb), std::string(right.name_space),
                         std::string(right.name)));
    }
  }

  EXPECT_EQ(asked, files);
}

TEST(Rights, AreAskedForFeaturesInUseOnly) {
  Uses few;
  few.knows_cluster_uid = true;
  few.client_authority = false;
  few.asks_who_may = false;
  Uses all;
  all.env = true;
  all.storage = true;
  all.tokens = true;
  all.pull_credentials = true;
  all.drains = true;

  EXPECT_THAT(names_in_use(few), ElementsAre("nodes", "pods", "events"));
  EXPECT_THAT(names_in_use(all),
              ElementsAre("nodes", "pods", "events", "references", "live-objects",
                          "service-variables", "tokens", "volumes", "pull-credentials",
                          "cluster-identity", "kubelet-api", "client-authority", "drain"));
}

TEST(Rights, OfANodeHaveTheUidOfTheClusterFromAService) {
  Uses node;
  node.is_node = true;

  EXPECT_THAT(names_in_use(node), Contains("service-variables"));
  EXPECT_THAT(names_in_use(node), Not(Contains("cluster-identity")));
}

TEST(Rights, AreAskedAsTheDaemonsRequestsPutThem) {
  const Asker asker{"web-1", ""};

  const auto pods = question_of(find_right("watch pods"), asker);
  const auto status = question_of(find_right("patch nodes/status"), asker);
  const auto lease = question_of(find_right("update leases in kube-node-lease"), asker);

  EXPECT_EQ(pods.field_selector, "spec.nodeName=web-1");
  EXPECT_EQ(pods.name, "");
  EXPECT_EQ(status.resource, "nodes");
  EXPECT_EQ(status.subresource, "status");
  EXPECT_EQ(status.name, "web-1");
  EXPECT_EQ(lease.group, "coordination.k8s.io");
  EXPECT_EQ(lease.object_namespace, "kube-node-lease");
  EXPECT_EQ(lease.name, "web-1");
}

TEST(Rights, GoForTheNamespaceOfPodsWhereThereIsOnlyOne) {
  const Asker asker{"web-1", "shop"};

  EXPECT_EQ(question_of(find_right("delete pods"), asker).object_namespace, "shop");
  EXPECT_EQ(question_of(find_right("get secrets"), asker).object_namespace, "shop");
  EXPECT_EQ(question_of(find_right("get nodes"), asker).object_namespace, "");
}

}  // namespace
}  // namespace vkhost::doctor
