// Writing and judging JSON text without a document model: for the small fixed shapes that are
// produced often, and for documents of others that are passed on as they are. Reading them is left
// to a library. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace vkhost {

// Appends `text` as a JSON string with its quotes (RFC 8259 §7). Bytes that are not UTF-8 become
// U+FFFD, so that the result is always a valid document.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);
// Length of the well-formed UTF-8 sequence at the start of `text` (not empty); 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// OK when `text` is one value of RFC 8259 in UTF-8 and nothing else, nested at most `max_depth`
// deep; else INVALID_ARGUMENT with the byte and the fault. Takes what every reader behind it takes
// alike: a lone surrogate in an escape is refused. Does not recurse.
Status validate_json(std::string_view text, std::size_t max_depth);
// The same, and the value is an object.
Status validate_json_object(std::string_view text, std::size_t max_depth);

}  // namespace vkhost
