// Writing JSON text without a document model: what a provider writes (statuses, nodes) has a shape
// known in advance. Reading it is left to a library of the author's choice. [any-thread] [no-block]
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace vkhost::sdk {

namespace detail {

// Length of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`, 0 when there is none.
inline std::size_t utf8_length(std::string_view text) noexcept {
  const auto in = [&](std::size_t index, unsigned low, unsigned high) {
    return index < text.size() && static_cast<unsigned char>(text[index]) >= low &&
           static_cast<unsigned char>(text[index]) <= high;
  };
  const auto tail = [&](std::size_t index) { return in(index, 0x80, 0xBF); };
  if (in(0, 0x00, 0x7F)) {
    return 1;
  }
  if (in(0, 0xC2, 0xDF)) {
    return tail(1) ? 2 : 0;
  }
  if (in(0, 0xE0, 0xEF)) {  // neither overlong forms nor surrogates
    const bool second = in(1, in(0, 0xE0, 0xE0) ? 0xA0 : 0x80, in(0, 0xED, 0xED) ? 0x9F : 0xBF);
    return second && tail(2) ? 3 : 0;
  }
  if (in(0, 0xF0, 0xF4)) {  // neither overlong forms nor anything beyond U+10FFFF
    const bool second = in(1, in(0, 0xF0, 0xF0) ? 0x90 : 0x80, in(0, 0xF4, 0xF4) ? 0x8F : 0xBF);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace detail

// Appends `text` as a JSON string with its quotes (RFC 8259, section 7). Bytes that are not UTF-8
// become U+FFFD, so that the result is valid in any case.
inline void append_json_string(std::string& out, std::string_view text) {
  constexpr std::array<char, 17> kHex{"0123456789abcdef"};
  out += '"';
  while (!text.empty()) {
    const std::size_t length = detail::utf8_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text.front();
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

[[nodiscard]] inline std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

// Builds one document, and sets the commas; that objects and arrays are closed in order is up to the
// caller.
//
//   JsonWriter status;
//   status.begin_object().member("phase", "Running").key("containerStatuses").begin_array();
//   …
//   return status.end_array().end_object().take();
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    first_ = true;  // the value belongs to this key: no comma between them
    return *this;
  }

  JsonWriter& value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  template <class Number, std::enable_if_t<std::is_integral_v<Number>, int> = 0>
  JsonWriter& value(Number number) {
    if constexpr (std::is_same_v<Number, bool>) {
      return raw(number ? "true" : "false");
    } else {
      return raw(std::to_string(number));
    }
  }
  JsonWriter& null() { return raw("null"); }
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }

  template <class Value>
  JsonWriter& member(std::string_view name, const Value& content) {
    return key(name).value(content);
  }

  [[nodiscard]] const std::string& text() const noexcept { return out_; }
  // The text; the writer begins anew.
  [[nodiscard]] std::string take() {
    first_ = true;
    return std::exchange(out_, std::string());
  }

 private:
  JsonWriter& open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  void separate() {
    if (!first_) {
      out_ += ',';
    }
    first_ = false;
  }

  std::string out_;
  bool first_ = true;
};

}  // namespace vkhost::sdk
