// "Did you mean": the known word that a mistyped one probably stands for. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vkhost {

// The closest of `known` within a distance that grows with the length of `word` (one edit for short
// words, a third of the letters for long ones; a swap of neighbours is one edit), ignoring case and
// taking '-' for '_'. Empty when none is close.
[[nodiscard]] std::string_view closest_word(std::string_view word,
                                            const std::vector<std::string_view>& known);

// "; did you mean \"workers\"?", or nothing when none is close.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string_view>& known);

}  // namespace vkhost
