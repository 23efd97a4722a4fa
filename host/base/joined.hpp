// joined: a list of words as one text, for messages. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>

namespace vkhost {

// "a, b, c"; empty when there are none. `words` is any range of strings.
template <typename Words>
[[nodiscard]] std::string joined(const Words& words, std::string_view separator = ", ") {
  std::string text;
  bool is_first = true;
  for (const auto& word : words) {
    text += is_first ? std::string_view() : separator;
    text += word;
    is_first = false;
  }
  return text;
}

}  // namespace vkhost
