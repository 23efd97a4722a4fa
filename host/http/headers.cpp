#include "http/headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace vkhost::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const auto& [field, value] : headers) {
    if (equals_ignoring_case(field, name)) {
      return value;
    }
  }
  return {};
}

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& field) { return equals_ignoring_case(field.first, name); });
}

bool has_token(const Headers& headers, std::string_view name, std::string_view token) {
  for (const auto& [field, value] : headers) {
    if (!equals_ignoring_case(field, name)) {
      continue;
    }
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (equals_ignoring_case(trim_blanks(rest.substr(0, comma)), token)) {
        return true;
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

std::optional<BodyFraming> framing_of(const Headers& headers, std::string& problem) {
  std::optional<BodyFraming> found;
  for (const auto& [name, value] : headers) {
    const bool is_coding = equals_ignoring_case(name, "Transfer-Encoding");
    if (!is_coding && !equals_ignoring_case(name, "Content-Length")) {
      continue;
    }
    if (found) {
      problem = "more than one of Content-Length and Transfer-Encoding";
      return std::nullopt;
    }
    if (is_coding) {
      if (!equals_ignoring_case(value, "chunked")) {
        problem = "a Transfer-Encoding other than chunked";
        return std::nullopt;
      }
      found = BodyFraming{Framing::Chunked, 0};
      continue;
    }
    unsigned long long length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    const bool in_range =
        length <= static_cast<unsigned long long>(std::numeric_limits<long long>::max());
    if (value.empty() || error != std::errc() || end != value.data() + value.size() || !in_range) {
      problem = "a Content-Length that is no number";
      return std::nullopt;
    }
    found = BodyFraming{Framing::Length, length};
  }
  return found.value_or(BodyFraming{});
}

}  // namespace vkhost::http
