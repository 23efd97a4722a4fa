// Reading JSON from outside with full validation: what this room does before it believes a byte.
//
// read_json() refuses what is not one complete RFC 8259 document in UTF-8 and what nests deeper than
// kMaxJsonDepth. find_members() takes the wanted members of one object in one pass and refuses
// duplicates of them, since readers differ in which one wins. null counts as absent, as in the
// Kubernetes API. Nothing throws. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <simdjson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

inline constexpr std::size_t kMaxJsonDepth = 64;

// The document lives in a parser of the calling thread, until that thread's next read_json().
// INVALID_ARGUMENT says what is wrong.
Result<simdjson::dom::element> read_json(std::string_view text);
// The same, for text followed by simdjson::SIMDJSON_PADDING readable bytes: saves a copy.
Result<simdjson::dom::element> read_padded_json(std::string_view text);

// "a string", "a number": for messages.
[[nodiscard]] std::string_view json_type_name(simdjson::dom::element element);
[[nodiscard]] Status wrong_json_type(std::string_view field,
                                     simdjson::dom::element found,
                                     std::string_view wanted);

Result<simdjson::dom::object> as_object(simdjson::dom::element element, std::string_view field);
Result<simdjson::dom::array> as_array(simdjson::dom::element element, std::string_view field);
Result<std::string_view> as_string(simdjson::dom::element element, std::string_view field);
Result<std::int64_t> as_int(simdjson::dom::element element, std::string_view field);
Result<bool> as_bool(simdjson::dom::element element, std::string_view field);

using OptionalElement = std::optional<simdjson::dom::element>;

namespace detail {
Status find_members(simdjson::dom::object object,
                    std::string_view path,
                    const std::string_view* keys,
                    OptionalElement* found,
                    std::size_t count);
}  // namespace detail

// found[i] is the member called keys[i]; `path` ("spec.") stands before a key in messages.
template <std::size_t Count>
Status find_members(simdjson::dom::object object,
                    std::string_view path,
                    const std::array<std::string_view, Count>& keys,
                    std::array<OptionalElement, Count>& found) {
  return detail::find_members(object, path, keys.data(), found.data(), Count);
}

// For members that may be absent: `out` keeps its value then.
Status read_string(const OptionalElement& member, std::string_view field, std::string& out);
Status read_int(const OptionalElement& member, std::string_view field, std::int64_t& out);
Status read_bool(const OptionalElement& member, std::string_view field, bool& out);

}  // namespace vkhost::kube
