// HMAC-SHA-256, for keys of caches that must not hold the secret itself. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>

namespace vkhost::http {

// 32 random bytes for `key`. Ends the process when the system has none.
[[nodiscard]] std::string random_key();
// 32 raw bytes.
[[nodiscard]] std::string keyed_hash(std::string_view key, std::string_view text);
// In a time that does not depend on where the texts differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace vkhost::http
