#include "pods/material_findings.hpp"

#include "kube/json_cut.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace vkhost::pods {
namespace {

using plugin::Capabilities;
using plugin::Finding;
using plugin::FindingKind;

using Names = std::set<std::string_view>;

constexpr std::size_t kMostFindings = 256;

// What a kind of volume, or of projected source, takes.
struct Need {
  std::string_view kind;
  bool Capabilities::* capability;
  const char* otherwise;
};
constexpr const char* kNoFiles = "the provider takes no files";
constexpr const char* kNoTokens = "the provider takes no tokens";
constexpr const char* kNoStorage = "the provider takes no storage";
constexpr std::array kOfVolumes = {
    Need{"configMap", &Capabilities::uses_files, kNoFiles},
    Need{"downwardAPI", &Capabilities::uses_files, kNoFiles},
    Need{"ephemeral", &Capabilities::uses_storage, kNoStorage},
    Need{"persistentVolumeClaim", &Capabilities::uses_storage, kNoStorage},
    Need{"secret", &Capabilities::uses_files, kNoFiles},
};
constexpr std::array kOfSources = {
    Need{"clusterTrustBundle", &Capabilities::uses_files, kNoFiles},
    Need{"configMap", &Capabilities::uses_files, kNoFiles},
    Need{"downwardAPI", &Capabilities::uses_files, kNoFiles},
    Need{"secret", &Capabilities::uses_files, kNoFiles},
    Need{"serviceAccountToken", &Capabilities::uses_tokens, kNoTokens},
};
// Members of other sources that name a Secret.
constexpr std::array<std::string_view, 3> kSecretMembers = {"nodePublishSecretRef", "secretName",
                                                            "secretRef"};

template <std::size_t Count>
const Need* find_need(const std::array<Need, Count>& needs, std::string_view kind) {
  const auto* const found =
      std::find_if(needs.begin(), needs.end(), [&](const Need& need) { return need.kind == kind; });
  return found == needs.end() ? nullptr : found;
}

void each_element(std::string_view list,
                  const std::function<void(std::size_t index, std::string_view element)>& visit) {
  if (list.empty() || list.front() != '[') {
    return;
  }
  kube::JsonElements elements(list);
  std::string_view element;
  for (std::size_t i = 0; elements.next(element); ++i) {
    visit(i, element);
  }
}

void each_member(std::string_view object,
                 const std::function<void(std::string_view name, std::string_view value)>& visit) {
  if (object.empty() || object.front() != '{') {
    return;
  }
  kube::JsonMembers members(object);
  kube::JsonMember member;
  while (members.next(member)) {
    if (member.value != "null") {
      visit(member.key, member.value);
    }
  }
}

Names used_volumes(std::string_view spec) {
  Names used;
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
    each_element(kube::find_member(spec, list), [&](std::size_t, std::string_view container) {
      for (const char* uses : {"volumeMounts", "volumeDevices"}) {
        each_element(kube::find_member(container, uses), [&](std::size_t, std::string_view use) {
          used.insert(kube::plain_string(kube::find_member(use, "name")));
        });
      }
    });
  }
  return used;
}

class Findings {
 public:
  explicit Findings(const Capabilities& capabilities) : capabilities_(capabilities) {}

  void volume(const std::string& place, std::string_view volume) {
    each_member(volume, [&](std::string_view kind, std::string_view source) {
      if (kind == "projected") {
        each_element(kube::find_member(source, "sources"),
                     [&](std::size_t i, std::string_view projection) {
                       projected(place + "/projected/sources/" + std::to_string(i), projection);
                     });
      } else if (const Need* need = find_need(kOfVolumes, kind)) {
        check(*need, place);
      } else if (!capabilities_.uses_storage) {
        secrets(place + "/" + std::string(kind), source);
      }
    });
  }
  void add(FindingKind kind, std::string place, std::string text) {
    if (found_.size() < kMostFindings) {
      found_.push_back({kind, std::move(place), std::move(text)});
    }
  }
  [[nodiscard]] std::vector<Finding> take() { return std::move(found_); }

 private:
  void projected(const std::string& place, std::string_view projection) {
    each_member(projection, [&](std::string_view kind, std::string_view) {
      if (const Need* need = find_need(kOfSources, kind)) {
        check(*need, place);
      } else if (!capabilities_.uses_files) {
        add(FindingKind::Ignored, place + "/" + std::string(kind), kNoFiles);
      } else {
        // The pod would wait for it for ever.
        add(FindingKind::Refused, place + "/" + std::string(kind),
            "vkhost makes no " + std::string(kind));
      }
    });
  }
  void check(const Need& need, const std::string& place) {
    if (!(capabilities_.*need.capability)) {
      add(FindingKind::Ignored, place + "/" + std::string(need.kind), need.otherwise);
    }
  }
  void secrets(const std::string& place, std::string_view source) {
    for (const std::string_view member : kSecretMembers) {
      const std::string_view value = kube::find_member(source, member);
      if (!value.empty() && value != "null") {
        add(FindingKind::Ignored, place + "/" + std::string(member), kNoStorage);
      }
    }
  }

  const Capabilities& capabilities_;
  std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> material_findings(std::string_view pod_json,
                                       const Capabilities& capabilities) {
  const std::string_view spec = kube::find_member(pod_json, "spec");
  Findings findings(capabilities);
  const Names used = used_volumes(spec);
  each_element(kube::find_member(spec, "volumes"), [&](std::size_t i, std::string_view volume) {
    const std::string_view name = kube::plain_string(kube::find_member(volume, "name"));
    if (used.contains(name) && !name.starts_with("kube-api-access-")) {
      findings.volume("/spec/volumes/" + std::to_string(i), volume);
    }
  });
  const std::string_view pulls = kube::find_member(spec, "imagePullSecrets");
  if (!capabilities.uses_pull_credentials && pulls.starts_with('[') &&
      !kube::trim_json(pulls.substr(1, pulls.size() - 2)).empty()) {
    findings.add(FindingKind::Ignored, "/spec/imagePullSecrets",
                 "the provider takes no pull credentials");
  }
  return findings.take();
}

}  // namespace vkhost::pods
