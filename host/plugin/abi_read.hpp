// Reading what a plugin hands over: structs that may be older or newer than ours, texts that may be
// anything. Nothing here trusts more than that a pointer points at what its `size` says.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <vkhost/provider.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace vkhost::plugin {

// A copy of the members that both sides know; what is missing is zero. A null pointer reads as all
// zero, `size` included.
template <typename Struct>
Struct read_struct(const Struct* from) {
  static_assert(std::is_trivially_copyable_v<Struct> && std::is_standard_layout_v<Struct>);
  static_assert(offsetof(Struct, size) == 0);
  Struct copy{};
  if (from == nullptr) {
    return copy;
  }
  std::uint64_t size = 0;
  std::memcpy(&size, from, sizeof(size));
  // Members do not straddle eight bytes: a half one at the end counts as missing.
  const std::size_t known = std::min<std::uint64_t>(size, sizeof(Struct)) & ~std::uint64_t{7};
  if (known > 0) {
    std::memcpy(&copy, from, known);
  }
  return copy;
}

// Whether a struct with this `size` has the member.
#define VKHOST_ABI_HAS(structure, member) \
  ((structure).size >=                    \
   offsetof(std::decay_t<decltype(structure)>, member) + sizeof((structure).member))

// A bool of a plugin may hold any byte; reading it as a bool would be undefined.
inline bool read_flag(const bool& flag) {
  unsigned char byte = 0;
  std::memcpy(&byte, &flag, 1);
  return byte != 0;
}

// The text as it is: INVALID_ARGUMENT when it is longer than `max_bytes`, not UTF-8, or a null
// pointer with a length. The view is valid as long as the plugin's own text.
Result<std::string_view> read_text(vkp_str text, std::size_t max_bytes);
Result<std::string_view> read_text(const char* data, std::size_t size, std::size_t max_bytes);

// For what is only shown: at most `max_bytes`, wrong bytes replaced, never refused.
std::string shown_text(vkp_str text, std::size_t max_bytes);

// A reason as conditions take it: the letters and digits of what the plugin gave, cut at
// VKP_MAX_REASON_BYTES; empty when nothing usable is left.
std::string read_reason(vkp_str text);

// The status that a code and its details mean. `fallback` is the message when there is none.
Status read_failure(vkp_code code, const vkp_error* details, std::string_view fallback);

// An enumerator, or `otherwise` when a newer or lying plugin sends a number that we do not know.
template <typename Enum>
Enum read_enum(std::int32_t value, Enum last, Enum otherwise) {
  return value >= 0 && value <= static_cast<std::int32_t>(last) ? static_cast<Enum>(value)
                                                                : otherwise;
}

// How strings go out.
inline vkp_str as_text(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace vkhost::plugin
