// Base64 of RFC 4648 §4: with padding, without line breaks. [any-thread] [no-block]
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vkhost {

[[nodiscard]] std::string base64_encode(std::string_view bytes);

// Line breaks, blanks and tabs between the characters are passed over, as files are often wrapped.
// Nothing when any other character, a wrong length or wrong padding is met.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace vkhost
