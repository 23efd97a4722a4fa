#include "resolve/pull_references.hpp"

#include "kube/json_cut.hpp"
#include "resolve/json_members.hpp"

#include <set>
#include <utility>

namespace vkhost::resolve {

Result<std::vector<std::string>> read_pull_secrets(std::string_view holder, std::string_view what) {
  const std::string member = "imagePullSecrets";
  std::vector<std::string> names;
  const std::string_view text = kube::find_member(holder, member);
  if (text.empty()) {
    return names;
  }
  VKHOST_TRY_ASSIGN(const auto document,
                    parse_json_object("{\"" + member + "\":" + std::string(text) + "}", what));
  const Place place(what);
  VKHOST_TRY_ASSIGN(const auto list, read_array(*document, member, place));
  std::set<std::string> known;
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place item_place(place, member, i);
    VKHOST_TRY_ASSIGN(const auto item, object_at(*list, i, item_place));
    VKHOST_TRY_ASSIGN(std::string name, read_string(*item, "name", item_place));
    // An API server lets names be empty, and a kubelet passes over them.
    if (!name.empty() && known.insert(name).second) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

Result<PullReferences> read_pull_references(std::string_view spec) {
  PullReferences references;
  VKHOST_TRY_ASSIGN(references.secrets, read_pull_secrets(spec, "spec"));
  for (const char* member : {"serviceAccountName", "serviceAccount"}) {
    if (references.service_account.empty()) {
      references.service_account = kube::plain_string(kube::find_member(spec, member));
    }
  }
  return references;
}

}  // namespace vkhost::resolve
