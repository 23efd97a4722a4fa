// The settings of the mock: their schema for the host, and the values read from them. [any-thread]
#pragma once

#include "addresses.hpp"
#include "material_files.hpp"
#include "rules.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::mock {

// What a node offers; Kubernetes quantities.
struct Offer {
  std::string cpu = "20";
  std::string memory = "100Gi";
  std::string pods = "20";
  std::map<std::string, std::string> others;
  std::string provider_id;
};

struct Settings {
  Offer offer;
  std::map<std::string, Offer> nodes;  // by node name, instead of `offer`
  std::map<std::string, std::string> labels;
  std::string api_key;
  std::string pod_cidr = "198.18.0.0/15";
  Ipv4Range pod_range;
  std::string state_dir;
  std::uint64_t seed = 1;
  std::int64_t max_parallel_calls = 64;
  bool save_handle = false;
  std::vector<std::string> material;
  KeepMaterial keep_material = KeepMaterial::None;
  std::vector<std::string> updates{"image", "resources", "ephemeral_containers"};
  bool late_env = false;
  std::optional<PingFault> ping;
  std::vector<Rule> rules;
};

// What is wrong with a value, and where (RFC 6901).
struct SettingProblem {
  std::string pointer;
  std::string text;
};

// The JSON Schema of the settings.
[[nodiscard]] std::string_view settings_schema();

// Reads what the schema has let pass. What is wrong nonetheless goes to `problems`, and its place in
// the result has its default.
[[nodiscard]] Settings parse_settings(std::string_view json, std::vector<SettingProblem>& problems);

// A setting that differs and that an instance has for its life; empty: none.
[[nodiscard]] std::string_view fixed_difference(const Settings& running, const Settings& wanted);

}  // namespace vkhost::mock
