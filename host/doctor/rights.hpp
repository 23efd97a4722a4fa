// What the daemon has to be allowed, feature by feature: the same as the files of packaging/rbac, which a
// test holds against this table. Pure. [any-thread] [no-block]
#pragma once

#include "kube/reviews.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::doctor {

// Of which objects a right is meant.
enum class Reach {
  All,        // whatever its name, in all namespaces
  OfPods,     // in the namespaces of pods: all, or kubernetes.namespace
  OwnNode,    // the node's own object, which bears its name
  FixedName,  // the one named, in its namespace
};

// How the Node authoriser is asked: it knows nodes by name and looks at what their pods refer to.
enum class ForNodes {
  Same,
  NotAsked,  // depends on pods that need not be there yet
};

struct Right {
  std::string_view group;
  std::string_view resource;  // "pods", "pods/status"
  std::string_view verb;
  Reach reach = Reach::All;
  ForNodes for_nodes = ForNodes::Same;
  std::string_view name_space = {};  // of a FixedName, or of OwnNode's leases
  std::string_view name = {};

  // "patch pods/status", "get leases in kube-node-lease".
  [[nodiscard]] std::string label() const;
};

// What decides which features are in use.
struct Uses {
  bool env = false;         // a provider wants the environment of containers
  bool references = false;  // ... or anything else out of ConfigMaps and Secrets
  bool storage = false;
  bool tokens = false;
  bool pull_credentials = false;
  bool knows_cluster_uid = false;
  bool asks_who_may = true;  // of the kubelet API's clients, at the API server
  bool client_authority = true;
  bool drains = false;
  bool is_node = false;  // the credentials are those of a node
};

struct Feature {
  std::string_view name;     // of its file in packaging/rbac: "pods"
  std::string_view without;  // what doesn't work without it, a sentence
  std::span<const Right> rights;
  bool (*is_in_use)(const Uses&);
  bool is_spared = false;  // without it things come later or are fewer, and work: a warning
};

// All of them, in the order of the table in packaging/rbac.
[[nodiscard]] std::span<const Feature> features();

[[nodiscard]] std::vector<const Feature*> features_in_use(const Uses& uses);

// Whom the rights are asked for.
struct Asker {
  std::string node;            // its (first) node
  std::string only_namespace;  // kubernetes.namespace, or empty
};
// The question for the API server, as the daemon's own requests would put it.
[[nodiscard]] kube::AccessQuestion question_of(const Right& right, const Asker& asker);

}  // namespace vkhost::doctor
