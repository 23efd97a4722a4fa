// Writing JSON text without a document model, for the small fixed shapes that are produced often.
// Reading JSON is left to a library. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>

namespace vkhost {

// Appends `text` as a JSON string with its quotes (RFC 8259 §7). Bytes that are not UTF-8 become
// U+FFFD, so that the result is always a valid document.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace vkhost
