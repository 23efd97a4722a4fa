#include "kube/spec_parts.hpp"

#include "kube/json_cut.hpp"

namespace vkhost::kube {
namespace {

constexpr std::uint64_t kHashBits = (std::uint64_t{1} << 48U) - 1;

std::uint64_t mix(std::uint64_t hash, char c) {
  return (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
}

bool is_white_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// White space outside of strings says nothing.
std::uint64_t hash_json(std::string_view json, std::uint64_t hash) {
  bool in_string = false;
  bool escaped = false;
  for (const char c : json) {
    if (in_string) {
      in_string = escaped || c != '"';
      escaped = !escaped && c == '\\';
    } else if (is_white_space(c)) {
      continue;
    } else {
      in_string = c == '"';
    }
    hash = mix(hash, c);
  }
  return mix(hash, '\0');
}

bool is_nothing(std::string_view json) {
  return json.empty() || json == "null" || json == "{}" || json == "[]";
}

// Never 0: that is a part that is not there.
std::uint64_t never_zero(std::uint64_t hash) {
  return (hash & kHashBits) == 0 ? 1 : hash & kHashBits;
}

class Containers {
 public:
  void read(std::string_view list) {
    image_ = mix(image_, '[');
    JsonElements elements(list);
    std::string_view element;
    while (elements.next(element)) {
      JsonMembers members(element);
      JsonMember member;
      std::string_view name;
      std::string_view image;
      std::string_view resources;
      while (members.next(member)) {
        if (member.key == "name") {
          name = member.value;
        } else if (member.key == "image") {
          image = member.value;
        } else if (member.key == "resources") {
          resources = member.value;
        }
      }
      image_ = hash_json(image, hash_json(name, image_));
      add_resources(name, resources);
    }
  }
  void add_resources(std::string_view name, std::string_view resources) {
    if (!is_nothing(resources)) {
      resources_ = hash_json(resources, hash_json(name, resources_));
    }
  }
  [[nodiscard]] std::uint64_t image() const { return never_zero(image_); }
  [[nodiscard]] std::uint64_t resources() const {
    return resources_ == kHashSeed ? 0 : never_zero(resources_);
  }

 private:
  std::uint64_t image_ = kHashSeed;
  std::uint64_t resources_ = kHashSeed;
};

std::uint64_t hash_or_none(std::string_view json) {
  return is_nothing(json) ? 0 : never_zero(hash_json(json, kHashSeed));
}

}  // namespace

std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) {
  for (const char c : text) {
    seed = mix(seed, c);
  }
  return seed;
}

SpecParts hash_spec_parts(std::string_view spec) {
  SpecParts parts;
  std::string_view containers;
  std::string_view init_containers;
  std::string_view resources;
  JsonMembers members(spec);
  JsonMember member;
  while (members.next(member)) {
    if (member.key == "containers") {
      containers = member.value;
    } else if (member.key == "initContainers") {
      init_containers = member.value;
    } else if (member.key == "resources") {
      resources = member.value;
    } else if (member.key == "ephemeralContainers") {
      parts.ephemeral = hash_or_none(member.value);
    } else if (member.key == "activeDeadlineSeconds") {
      parts.deadline = hash_or_none(member.value);
    }
  }
  Containers all;
  all.read(containers);
  all.read(init_containers);
  all.add_resources("", resources);
  parts.image = all.image();
  parts.resources = all.resources();
  return parts;
}

}  // namespace vkhost::kube
