// SettingsDocument: the settings of one provider as JSON text, with the place of everything in it,
// so that what a schema or a plugin says about a JSON pointer can be shown as file and line.
// The text may hold keys and passwords, hence a Secret. [any-thread] for const access
#pragma once

#include "base/secret.hpp"
#include "config/value.hpp"

#include <map>
#include <string>
#include <string_view>

namespace vkhost::config {

class SettingsDocument {
 public:
  SettingsDocument() : json_(std::string("{}")) {}
  // `settings` is a table. Members that are null are left out.
  explicit SettingsDocument(const Value& settings);

  [[nodiscard]] const Secret& json() const { return json_; }
  // Relative names of files in the settings start here.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  // Where the value of an RFC 6901 pointer ("/regions/0") was written; that of the closest table
  // around it when it was not written itself.
  [[nodiscard]] Place locate(std::string_view pointer) const;
  // Likewise, but of the name of a member, for a member that should not be there.
  [[nodiscard]] Place locate_name(std::string_view pointer) const;
  // "/regions/0" as the configuration spells it: "regions[0]".
  [[nodiscard]] static std::string key(std::string_view pointer);

  friend bool operator==(const SettingsDocument& a, const SettingsDocument& b) {
    return a.json_ == b.json_;
  }

 private:
  struct Places {
    Place name;
    Place value;
  };
  [[nodiscard]] const Places* closest(std::string_view pointer, bool& exact) const;
  void add(const Value& value, const Place& name, const std::string& pointer, std::string& out);

  Secret json_;
  std::filesystem::path folder_;
  std::map<std::string, Places, std::less<>> places_;
};

}  // namespace vkhost::config
