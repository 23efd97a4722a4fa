#include "daemon/provider_settings.hpp"

#include "config/settings_tree.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

config::Place place_of(const plugin::SettingOrigin& origin,
                       const config::SettingsDocument& settings) {
  switch (origin.kind) {
    case plugin::SettingOrigin::Kind::Environment:
      return config::place_of_setting("environment variable " + origin.name);
    case plugin::SettingOrigin::Kind::Flag:
      return config::place_of_setting(origin.name);
    case plugin::SettingOrigin::Kind::Document:
      break;
  }
  return settings.locate(origin.name);
}

}  // namespace

config::Problem problem_with_setting(const plugin::CheckedSettings& checked,
                                     const config::SettingsDocument& settings,
                                     const std::string& key,
                                     const plugin::ConfigProblem& problem) {
  const plugin::SettingOrigin origin = checked.origin(problem.pointer);
  const bool in_document = origin.kind == plugin::SettingOrigin::Kind::Document;
  const std::string path =
      config::SettingsDocument::key(in_document ? origin.name : problem.pointer);
  return {place_of(origin, settings), key + (path.empty() || path.front() == '[' ? "" : ".") + path,
          problem.text, problem.is_warning ? config::Severity::Warning : config::Severity::Error};
}

std::optional<ProviderSettings> check_provider_settings(plugin::Library& library,
                                                        const config::SettingsDocument& settings,
                                                        const std::string& key,
                                                        const SettingsOutside& outside,
                                                        config::Problems& problems) {
  plugin::SettingsInput input;
  input.json = settings.json();
  input.folder = settings.folder();
  input.flags = outside.flags;
  input.environment = outside.environment;
  const auto checked = plugin::check_settings(library.description(), input);
  if (!checked) {
    problems.error(settings.locate(""), key, checked.status().message());
    return std::nullopt;
  }
  for (const plugin::ConfigProblem& problem : checked->problems()) {
    problems.add(problem_with_setting(*checked, settings, key, problem));
  }
  if (checked->has_errors()) {
    return std::nullopt;
  }
  const auto found = library.check_config(checked->json().reveal(), {});
  if (!found) {
    problems.error(settings.locate(""), key,
                   "the plugin could not check them: " + found.status().message());
    return std::nullopt;
  }
  bool is_good = true;
  for (const plugin::ConfigProblem& problem : *found) {
    problems.add(problem_with_setting(*checked, settings, key, problem));
    is_good = is_good && problem.is_warning;
  }
  return is_good ? std::optional(ProviderSettings{checked->json(), checked->files(), *checked})
                 : std::nullopt;
}

}  // namespace vkhost::daemon
