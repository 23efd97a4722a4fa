// FakeLibrary: a plugin that is only asked about itself and about its settings. One thread.
#pragma once

#include "plugin/library.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

class FakeLibrary final : public plugin::Library {
 public:
  explicit FakeLibrary(std::string settings_schema) {
    description_.name = "test";
    description_.settings_schema = std::move(settings_schema);
  }
  [[nodiscard]] const plugin::PluginDescription& description() const override {
    return description_;
  }
  [[nodiscard]] const std::filesystem::path& path() const override { return path_; }
  [[nodiscard]] const std::string& sha256() const override { return sha256_; }
  [[nodiscard]] bool supports(std::string_view extension) const override {
    return extensions.contains(std::string(extension));
  }
  Result<std::vector<plugin::ConfigProblem>> check_config(
      std::string_view config_json, const plugin::CallOptions& /*options*/) override {
    return judge ? judge(config_json) : std::vector<plugin::ConfigProblem>();
  }
  Result<std::unique_ptr<plugin::Provider>> create(
      const plugin::InstanceRequest& /*request*/,
      plugin::ProviderListener& /*listener*/,
      const plugin::CallOptions& /*options*/) override {
    return unimplemented("it makes no instances");
  }

  std::set<std::string> extensions;
  // What check_config says; empty: nothing.
  std::function<std::vector<plugin::ConfigProblem>(std::string_view config_json)> judge;

 private:
  plugin::PluginDescription description_;
  std::filesystem::path path_;
  std::string sha256_;
};

}  // namespace vkhost::testing
