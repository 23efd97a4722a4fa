#include "doctor/rights.hpp"

#include "kube/paths.hpp"

#include <array>
#include <cstddef>

namespace vkhost::doctor {
namespace {

constexpr std::string_view kLeases = "coordination.k8s.io";
constexpr std::string_view kAuthority = "extension-apiserver-authentication";
constexpr std::string_view kSystem = "kube-system";

constexpr std::array<Right, 9> kNodes = {{
    {"", "nodes", "get", Reach::OwnNode},
    {"", "nodes", "list", Reach::OwnNode},
    {"", "nodes", "watch", Reach::OwnNode},
    {"", "nodes", "create"},
    {"", "nodes", "patch", Reach::OwnNode},
    {"", "nodes/status", "patch", Reach::OwnNode},
    {kLeases, "leases", "get", Reach::OwnNode, ForNodes::Same, kube::kNodeLeaseNamespace},
    {kLeases, "leases", "create", Reach::All, ForNodes::Same, kube::kNodeLeaseNamespace},
    {kLeases, "leases", "update", Reach::OwnNode, ForNodes::Same, kube::kNodeLeaseNamespace},
}};

constexpr std::array<Right, 4> kPods = {{
    {"", "pods", "list", Reach::OfPods},
    {"", "pods", "watch", Reach::OfPods},
    {"", "pods", "delete", Reach::OfPods},
    {"", "pods/status", "patch", Reach::OfPods},
}};

constexpr std::array<Right, 2> kEvents = {{
    {"", "events", "create"},
    {"", "events", "patch"},
}};

constexpr std::array<Right, 2> kReferences = {{
    {"", "configmaps", "get", Reach::OfPods, ForNodes::NotAsked},
    {"", "secrets", "get", Reach::OfPods, ForNodes::NotAsked},
}};

constexpr std::array<Right, 2> kLiveObjects = {{
    {"", "configmaps", "watch", Reach::OfPods, ForNodes::NotAsked},
    {"", "secrets", "watch", Reach::OfPods, ForNodes::NotAsked},
}};

constexpr std::array<Right, 1> kTokens = {{
    {"", "serviceaccounts/token", "create", Reach::OfPods, ForNodes::NotAsked},
}};

constexpr std::array<Right, 2> kVolumes = {{
    {"", "persistentvolumeclaims", "get", Reach::OfPods, ForNodes::NotAsked},
    {"", "persistentvolumes", "get", Reach::All, ForNodes::NotAsked},
}};

constexpr std::array<Right, 1> kPullCredentials = {{
    {"", "serviceaccounts", "get", Reach::OfPods, ForNodes::NotAsked},
}};

constexpr std::array<Right, 2> kServiceVariables = {{
    {"", "services", "get", Reach::OfPods},
    {"", "services", "list", Reach::OfPods},
}};

constexpr std::array<Right, 1> kClusterIdentity = {{
    {"", "namespaces", "get", Reach::FixedName, ForNodes::NotAsked, "", kSystem},
}};

constexpr std::array<Right, 2> kKubeletApi = {{
    {"authentication.k8s.io", "tokenreviews", "create"},
    {"authorization.k8s.io", "subjectaccessreviews", "create"},
}};

constexpr std::array<Right, 2> kClientAuthority = {{
    {"", "configmaps", "list", Reach::FixedName, ForNodes::Same, kSystem, kAuthority},
    {"", "configmaps", "watch", Reach::FixedName, ForNodes::Same, kSystem, kAuthority},
}};

constexpr std::array<Right, 1> kDrain = {{
    {"", "pods/eviction", "create", Reach::OfPods},
}};

bool always(const Uses& /*uses*/) { return true; }

bool for_references(const Uses& uses) { return uses.env || uses.references; }

// By the UID of a service nodes know the cluster.
bool for_services(const Uses& uses) {
  return uses.env || (uses.is_node && !uses.knows_cluster_uid);
}

bool for_tokens(const Uses& uses) { return uses.tokens; }

bool for_volumes(const Uses& uses) { return uses.storage; }

bool for_pull_credentials(const Uses& uses) { return uses.pull_credentials; }

bool for_cluster_uid(const Uses& uses) { return !uses.knows_cluster_uid && !uses.is_node; }

bool for_reviews(const Uses& uses) { return uses.asks_who_may; }

bool for_client_authority(const Uses& uses) { return uses.client_authority; }

bool for_drain(const Uses& uses) { return uses.drains; }

constexpr std::array<Feature, 13> kFeatures = {{
    {"nodes", "No node comes up.", kNodes, always},
    {"pods", "No pod runs.", kPods, always},
    {"events", "kubectl describe tells nothing of pods and nodes.", kEvents, always},
    {"references",
     "Pods that refer to ConfigMaps and Secrets wait with CreateContainerConfigError.", kReferences,
     for_references},
    {"live-objects",
     "What pods mount or wait for comes later, as ConfigMaps and Secrets are read every 45 "
     "seconds.",
     kLiveObjects, for_references, true},
    {"service-variables", "No pod starts, since the variables of services belong to each.",
     kServiceVariables, for_services},
    {"tokens", "Pods with a service-account token, which nearly all have, do not start.", kTokens,
     for_tokens},
    {"volumes", "Pods with a PersistentVolumeClaim do not start.", kVolumes, for_volumes},
    {"pull-credentials",
     "Pods have the pull secrets that they name themselves, and not those of their service "
     "account.",
     kPullCredentials, for_pull_credentials},
    {"cluster-identity",
     "The daemon waits at its start, since the UID of the cluster names its workloads.",
     kClusterIdentity, for_cluster_uid},
    {"kubelet-api", "Whoever asks the kubelet API is refused: no kubectl logs, exec or metrics.",
     kKubeletApi, for_reviews},
    {"client-authority",
     "The API server is a stranger to the kubelet API: no kubectl logs or exec.", kClientAuthority,
     for_client_authority},
    {"drain", "No pod is evicted when the daemon stops, in spite of policies.on_stop.", kDrain,
     for_drain},
}};

}  // namespace

std::string Right::label() const {
  std::string text = std::string(verb) + " " + std::string(resource);
  text += name.empty() ? "" : " " + std::string(name);
  text += name_space.empty() ? "" : " in " + std::string(name_space);
  return text;
}

std::span<const Feature> features() { return kFeatures; }

std::vector<const Feature*> features_in_use(const Uses& uses) {
  std::vector<const Feature*> used;
  for (const Feature& feature : kFeatures) {
    if (feature.is_in_use(uses)) {
      used.push_back(&feature);
    }
  }
  return used;
}

kube::AccessQuestion question_of(const Right& right, const Asker& asker) {
  kube::AccessQuestion question;
  const std::size_t slash = right.resource.find('/');
  question.verb = right.verb;
  question.group = right.group;
  question.resource = right.resource.substr(0, slash);
  question.subresource =
      slash == std::string_view::npos ? std::string_view() : right.resource.substr(slash + 1);
  question.object_namespace = right.name_space;
  question.name = right.name;
  if (right.reach == Reach::OwnNode) {
    question.name = asker.node;
  }
  if (right.reach == Reach::OfPods) {
    question.object_namespace = asker.only_namespace;
    if (right.resource == "pods" && (right.verb == "list" || right.verb == "watch")) {
      question.field_selector = "spec.nodeName=" + asker.node;
    }
  }
  return question;
}

}  // namespace vkhost::doctor
