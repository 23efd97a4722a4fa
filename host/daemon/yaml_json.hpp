// YAML documents as JSON text, typed the way Kubernetes' own tools read YAML. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::daemon {

struct YamlDocument {
  int line = 1;  // where the document begins
  std::string json;
};

// Empty documents are left out. INVALID_ARGUMENT says line, column and what is wrong: syntax, a key
// twice, a merge key, bytes that are not UTF-8, nesting deeper than 64.
Result<std::vector<YamlDocument>> yaml_to_json(std::string_view text);

}  // namespace vkhost::daemon
