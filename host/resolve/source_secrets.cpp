#include "resolve/source_secrets.hpp"

#include <array>
#include <string_view>

namespace vkhost::resolve {
namespace {

struct Member {
  std::string_view kind;
  const char* name;
};

// What a node reads; PersistentVolumes have all of the csi ones, volumes of pods the first.
constexpr std::array kReferences = {
    Member{"csi", "nodePublishSecretRef"}, Member{"csi", "nodeStageSecretRef"},
    Member{"csi", "nodeExpandSecretRef"},  Member{"cephfs", "secretRef"},
    Member{"cinder", "secretRef"},         Member{"flexVolume", "secretRef"},
    Member{"iscsi", "secretRef"},          Member{"rbd", "secretRef"},
    Member{"scaleIO", "secretRef"},        Member{"storageos", "secretRef"},
};

}  // namespace

Result<std::vector<SourceSecret>> read_source_secrets(const Poco::JSON::Object& source,
                                                      const std::string& kind,
                                                      const Place& place) {
  std::vector<SourceSecret> secrets;
  for (const Member& member : kReferences) {
    if (member.kind != kind) {
      continue;
    }
    VKHOST_TRY_ASSIGN(const auto reference, read_object(source, member.name, place));
    if (!reference.isNull()) {
      const Place reference_place(place, member.name);
      SourceSecret secret;
      secret.member = member.name;
      VKHOST_TRY_ASSIGN(secret.name, read_string(*reference, "name", reference_place));
      VKHOST_TRY_ASSIGN(secret.secret_namespace,
                        read_string(*reference, "namespace", reference_place));
      secrets.push_back(std::move(secret));
    }
  }
  if (kind == "azureFile") {
    SourceSecret secret{"secretName", {}, {}};
    VKHOST_TRY_ASSIGN(secret.name, read_string(source, "secretName", place));
    VKHOST_TRY_ASSIGN(secret.secret_namespace, read_string(source, "secretNamespace", place));
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

}  // namespace vkhost::resolve
