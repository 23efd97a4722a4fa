// Configuration of any shape is refused with a place and a sentence, or what the daemon would send
// of it is what the API server takes.
#include "base/json_text.hpp"
#include "config/load.hpp"
#include "fuzz_input.hpp"
#include "kube/quantity.hpp"
#include "memory_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace {

namespace config = vkhost::config;
using vkhost::fuzz::require;

config::Environment environment() {
  return [](const std::string& name) {
    return name == "HOME" ? std::optional<std::string>("/nowhere") : std::nullopt;
  };
}

void check(const config::Config& loaded) {
  require(!loaded.providers.empty() && !loaded.nodes.empty());
  std::set<std::string> providers;
  for (const config::ProviderConfig& provider : loaded.providers) {
    require(!provider.name.empty() && !provider.library.empty());
    require(providers.insert(provider.name).second);
    require(vkhost::validate_json_object(provider.settings.json().reveal(), 128).is_ok());
  }
  std::set<std::string> names;
  for (const config::NodeConfig& node : loaded.nodes) {
    require(!node.name.empty() && node.name.size() <= 253 && names.insert(node.name).second);
    require(providers.contains(node.provider));
    require(node.port.has_value() && *node.port >= 0 && *node.port <= 65535);
    require(node.taints.has_value());
    for (const auto* quantities : {&node.capacity, &node.allocatable}) {
      for (const auto& [name, quantity] : *quantities) {
        require(vkhost::kube::Quantity::parse(quantity).is_ok());
      }
    }
    for (const auto& [key, value] : node.labels) {
      require(!key.empty() && value.size() <= 63);
    }
  }
  require(loaded.pods.backoff_first <= loaded.pods.backoff_cap);
  require(config::difference(loaded, loaded).empty());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const vkhost::fuzz::MemoryFile file(data, size);
  config::Sources sources;
  sources.file = file.path();
  sources.environment = environment();

  const config::Loaded loaded = config::load(sources);
  for (const config::Problem& problem : loaded.problems.list()) {
    require(!problem.text.empty() && problem.at.source != nullptr);
  }
  if (!loaded.problems.has_errors()) {
    check(loaded.config);
  }
  const config::Loaded again = config::load(sources);
  require(again.problems.to_string() == loaded.problems.to_string());
  require(config::difference(loaded.config, again.config).empty());
  return 0;
}
