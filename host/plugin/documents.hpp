// What host and plugin tell each other about a library and its settings, and the small JSON
// documents that a plugin gives, read into values. All of them are hostile: what is not as promised
// is INVALID_ARGUMENT, with a sentence for the plugin's author.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "plugin/provider.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::plugin {

// Answer of `describe`.
struct PluginDescription {
  std::string name;
  std::string version;
  std::string vendor;
  std::string license;
  std::string settings_schema;  // JSON Schema; empty: the plugin has no settings
  std::map<std::string, std::string> settings_aliases;  // former path or --flag to path
  std::map<std::string, std::string> settings_env;      // environment variable to path
  std::vector<std::string> annotation_prefixes;         // "ec2.vkhost.io/"
  std::vector<std::string> metric_prefixes;             // "vkhost_ec2_"
};

// One finding of `check_config`.
struct ConfigProblem {
  bool is_warning = false;
  std::string pointer;  // RFC 6901, into the settings
  std::string text;
};

// What `create` is told about the new instance.
struct InstanceRequest {
  std::string config_json;    // the settings, checked, with defaults
  std::string info_json;      // cluster_uid, node_name, address, kubelet_port, …: see provider.h
  std::string provider = {};  // its name in the configuration, for metrics; empty: the plugin's own
};

Result<PluginDescription> parse_description(std::string_view json);
Result<Capabilities> parse_capabilities(std::string_view json);

using Annotations = std::map<std::string, std::optional<std::string>>;
// Keys must lie under one of the prefixes; null removes.
Result<Annotations> parse_annotations(std::string_view json,
                                      const std::vector<std::string>& prefixes);

// A flat object of strings, numbers and booleans, for the fields of a log entry.
Result<std::vector<std::pair<std::string, std::string>>> parse_log_fields(std::string_view json);

}  // namespace vkhost::plugin
