// Durations as people write them: "10s", "1m30s", "500ms", "1.5h". One spelling for settings, flags
// and what plugins declare as x-duration. [any-thread] [no-block]
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost {

// Numbers with the units h, m, s and ms, each followed by its unit; "0" alone needs none. Nothing
// when it is anything else, negative, finer than a millisecond, or beyond 10,000 hours.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest spelling that parse_duration reads back: "1m30s", "0s". Not for negative ones.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

}  // namespace vkhost
