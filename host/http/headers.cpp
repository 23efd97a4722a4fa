#include "http/client.hpp"

#include <algorithm>

namespace vkhost::http {
namespace {

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                   [](char a, char b) { return ascii_lower(a) == ascii_lower(b); })) {
      return value;
    }
  }
  return {};
}

}  // namespace vkhost::http
