#include "pods/material_marks.hpp"

#include "kube/json_cut.hpp"

#include <functional>

namespace vkhost::pods {
namespace {

constexpr std::uint64_t kNothing = 1;  // nor does the hash of any content stand for "not known"

std::uint64_t mark_of(std::string_view member, std::string_view empty) {
  if (member.empty() || member == empty) {
    return kNothing;
  }
  const std::uint64_t hash = std::hash<std::string_view>()(member);
  return hash <= kNothing ? hash + 2 : hash;
}

bool is_needless(std::uint64_t present, std::uint64_t told) {
  return present == told || (told == 0 && present == kNothing);
}

}  // namespace

void MaterialMarks::take(const MaterialMarks& other, std::uint64_t parts) {
  if ((parts & plugin::kChangedFiles) != 0) {
    files = other.files;
  }
  if ((parts & plugin::kChangedPullCredentials) != 0) {
    pull_credentials = other.pull_credentials;
  }
}

MaterialMarks marks_of(std::string_view document) {
  const std::string_view volumes = kube::find_member(document, "volumes");
  // As the member of a file: a volume of that name has an object there, and in paths quotes are escaped.
  const bool has_tokens = volumes.find(R"("audience":")") != std::string_view::npos;
  return {mark_of(volumes, "{}"), mark_of(kube::find_member(document, "pull_credentials"), "[]"),
          has_tokens};
}

std::uint64_t needless_parts(std::uint64_t parts,
                             const MaterialMarks& present,
                             const MaterialMarks& told) {
  std::uint64_t needless = 0;
  if (is_needless(present.files, told.files)) {
    needless |= plugin::kChangedFiles;
  }
  if (is_needless(present.pull_credentials, told.pull_credentials)) {
    needless |= plugin::kChangedPullCredentials;
  }
  if (!present.has_tokens) {
    needless |= plugin::kChangedTokens;
  }
  return needless & parts;
}

}  // namespace vkhost::pods
