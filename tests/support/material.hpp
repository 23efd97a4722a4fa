// What a material document (vkhost/provider.h) says, as values that tests compare. A document that is
// not JSON or of another shape throws Poco::Exception. [any-thread] [no-block]
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

struct MaterialText {
  std::string value = {};
  bool secret = false;

  friend bool operator==(const MaterialText&, const MaterialText&) = default;
};

struct MaterialVariable {
  std::string name = {};
  std::string value = {};
  std::string field_ref = {};  // instead of a value: the provider fills it in
  bool secret = false;
  bool service = false;

  friend bool operator==(const MaterialVariable&, const MaterialVariable&) = default;
};

struct ContainerMaterial {
  std::vector<MaterialVariable> env = {};  // in order
  std::vector<MaterialText> command = {};
  std::vector<MaterialText> args = {};
  std::map<std::string, MaterialText> sub_paths = {};  // by mount path

  // Null when there is none of that name.
  [[nodiscard]] const MaterialVariable* find(std::string_view name) const;
  // Names of those that do not stand for services, in order.
  [[nodiscard]] std::vector<std::string> own_names() const;
};

struct MaterialFile {
  std::string data = {};  // decoded
  int mode = -1;          // -1: none is named
  bool secret = false;
  std::string audience = {};
  std::string expires = {};
};

struct PullCredential {
  std::string server = {};
  std::string username = {};
  std::string password = {};
  std::string email = {};
  std::string identity_token = {};
  std::string registry_token = {};
  std::string secret_name = {};

  friend bool operator==(const PullCredential&, const PullCredential&) = default;
};

struct Material {
  std::map<std::string, ContainerMaterial> containers = {};
  std::map<std::string, std::map<std::string, MaterialFile>> volumes = {};  // files by path
  std::map<std::string, std::string> storage = {};    // JSON text of each volume's
  std::vector<PullCredential> pull_credentials = {};  // in order
};

[[nodiscard]] Material parse_material(std::string_view json);

void PrintTo(const MaterialText& text, std::ostream* out);
void PrintTo(const MaterialVariable& variable, std::ostream* out);
void PrintTo(const PullCredential& credential, std::ostream* out);

}  // namespace vkhost::testing
