#include "cli/provider_config.hpp"

#include "config/json_reader.hpp"
#include "config/load.hpp"
#include "daemon/yaml_json.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::cli {
namespace {

using config::Place;
using config::Problems;
using config::Value;

std::optional<Value> read_yaml(const std::filesystem::path& file, Problems& problems) {
  const auto text = config::read_text_file(file, problems);
  if (!text) {
    return std::nullopt;
  }
  auto source = std::make_shared<config::Source>();
  source->name = file.string();
  source->folder = std::filesystem::absolute(file).parent_path();
  const auto documents = daemon::yaml_to_json(*text);
  if (!documents) {
    problems.error({source, 0, 0}, "", documents.status().message());
    return std::nullopt;
  }
  if (documents->size() > 1) {
    problems.error({source, 0, 0}, "", "expected one YAML document, found several");
    return std::nullopt;
  }
  auto value = documents->empty() ? std::optional(Value(config::Table{}, Place{source, 0, 0}))
                                  : config::read_json(documents->front().json, source, problems);
  if (value && value->as<config::Table>() == nullptr) {
    problems.error({source, 0, 0}, "", "expected a table of settings");
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<Value> read_provider_config(const std::filesystem::path& file, Problems& problems) {
  const auto extension = file.extension();
  if (extension == ".yaml" || extension == ".yml") {
    return read_yaml(file, problems);
  }
  if (extension == ".toml" || extension == ".json") {
    return config::read_settings_file(file, problems);
  }
  Problems of_toml;
  auto value = config::read_settings_file(file, of_toml);
  if (!value) {
    Problems of_yaml;
    value = read_yaml(file, of_yaml);
  }
  if (!value) {
    for (const config::Problem& problem : of_toml.list()) {
      problems.add(problem);
    }
  }
  return value;
}

}  // namespace vkhost::cli
