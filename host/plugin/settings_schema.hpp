// The schema by which a plugin describes its settings: a fixed subset of JSON Schema 2020-12, so
// that what validates them later is known to understand all of it. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <string_view>

namespace vkhost::plugin {

// OK when `schema_json` is an object schema that uses only: type, properties, required, items, enum,
// minimum, maximum, pattern (without look-around), default, description, additionalProperties,
// x-secret, x-file, x-duration, x-reloadable. Else INVALID_ARGUMENT with the JSON pointer of the
// keyword.
Status check_settings_schema(std::string_view schema_json);

}  // namespace vkhost::plugin
