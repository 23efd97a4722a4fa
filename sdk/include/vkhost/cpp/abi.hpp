// Reading and writing the C structs of the ABI from C++. Plugin authors hardly need it: the other
// headers of this folder do. Nothing here throws or allocates. [any-thread] [no-block]
#pragma once

#include <vkhost/provider.h>

#include <cstddef>
#include <string_view>

namespace vkhost::sdk {

[[nodiscard]] inline std::string_view view(const vkp_str& text) noexcept {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

[[nodiscard]] inline std::string_view view(const char* data, std::size_t size) noexcept {
  return size == 0 ? std::string_view() : std::string_view(data, size);
}

[[nodiscard]] inline vkp_str str(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

// A member of a struct that came from the other side: zero when that side is older than the member.
// (Each struct tells its own size; what lies beyond must not be read.)
template <class Struct, class Member>
[[nodiscard]] Member read(const Struct& from, Member Struct::* member) noexcept {
  const auto* begin = reinterpret_cast<const char*>(&from);
  const auto* at = reinterpret_cast<const char*>(&(from.*member));
  const auto end = static_cast<std::size_t>(at - begin) + sizeof(Member);
  return from.size >= end ? from.*member : Member{};
}

// A struct of ours with its size filled in and all else zero.
template <class Struct>
[[nodiscard]] Struct sized() noexcept {
  Struct result{};
  result.size = sizeof(Struct);
  return result;
}

}  // namespace vkhost::sdk
