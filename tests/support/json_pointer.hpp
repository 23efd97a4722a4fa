// What tests read from JSON text, by JSON pointer (RFC 6901): "/status/conditions/0/type". Whoever
// reads much parses once with Poco instead. Nothing is found in no text, which is how
// Cluster::wait_for shows an object that isn't there; other text that is no JSON throws. [any-thread]
// [no-block]
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vkhost::testing {

// Scalars as text ("true", "3"), objects and arrays as JSON; empty when there is nothing.
[[nodiscard]] std::string json_at(std::string_view json, std::string_view pointer);
// Elements of the array or members of the object there; 0 when there is neither.
[[nodiscard]] std::size_t json_size(std::string_view json, std::string_view pointer);
// `status` of the condition of that type: "True", "False", "Unknown"; empty when it has none.
[[nodiscard]] std::string condition_of(std::string_view object, std::string_view type);

}  // namespace vkhost::testing
