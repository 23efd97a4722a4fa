// Header fields of HTTP messages in the order in which they travel, and the rules of RFC 9110 §5 for
// their names and values. [any-thread] [no-block]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// First value of that name, ignoring case; empty when there is none.
[[nodiscard]] std::string_view find_header(const Headers& headers, std::string_view name);
[[nodiscard]] bool has_header(const Headers& headers, std::string_view name);
// True when one of the comma-separated elements of any field of that name is `token`, ignoring case.
[[nodiscard]] bool has_token(const Headers& headers, std::string_view name, std::string_view token);

[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);
[[nodiscard]] bool is_token(std::string_view text);        // a method or the name of a field
[[nodiscard]] bool is_field_value(std::string_view text);  // nothing that could end the line
[[nodiscard]] std::string_view trim_blanks(std::string_view text);  // spaces and tabs

// How the body behind a head is delimited (RFC 9112 §6).
enum class Framing { None, Length, Chunked, UntilClose };
struct BodyFraming {
  Framing framing = Framing::None;
  unsigned long long length = 0;
};
// Nothing when the fields contradict each other or name a coding other than chunked; `problem` then
// says what is wrong. Without any field the framing is None.
[[nodiscard]] std::optional<BodyFraming> framing_of(const Headers& headers, std::string& problem);

}  // namespace vkhost::http
