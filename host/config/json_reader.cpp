#include "config/json_reader.hpp"

#include "base/json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace vkhost::config {
namespace {

constexpr int kMaxJsonDepth = 64;

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80U) {
    put(code);
  } else if (code < 0x800U) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

// A recursive descent; `failed_` stops it at the first problem.
class Parser {
 public:
  Parser(std::string_view text, std::shared_ptr<const Source> source, Problems& problems)
      : text_(text), source_(std::move(source)), problems_(problems) {}

  std::optional<Value> document() {
    Value root = value(0);
    skip_space();
    if (!failed_ && position_ < text_.size()) {
      fail("expected the end of the document");
    }
    return failed_ ? std::nullopt : std::optional(std::move(root));
  }

 private:
  [[nodiscard]] char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  void advance() {
    if (text_[position_] == '\n') {
      ++line_;
      line_start_ = position_ + 1;
    }
    ++position_;
  }

  void skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      advance();
    }
  }

  [[nodiscard]] Place here() const {
    return {source_, line_, static_cast<std::uint32_t>(position_ - line_start_ + 1)};
  }

  Value fail(std::string text) {
    if (!failed_) {
      failed_ = true;
      problems_.error(here(), "", "not valid JSON: " + std::move(text));
    }
    return {};
  }

  bool take(char wanted) {
    if (peek() != wanted || position_ >= text_.size()) {
      return false;
    }
    advance();
    return true;
  }

  Value value(int depth) {
    skip_space();
    const Place at = here();
    if (depth > kMaxJsonDepth) {
      return fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    switch (peek()) {
      case '{':
        return object(depth, at);
      case '[':
        return array(depth, at);
      case '"':
        return {string(), at};
      case 't':
        return word("true", {true, at});
      case 'f':
        return word("false", {false, at});
      case 'n':
        return word("null", {nullptr, at});
      default:
        return number(at);
    }
  }

  Value word(std::string_view wanted, Value meaning) {
    if (!text_.substr(position_).starts_with(wanted)) {
      return fail("expected a value");
    }
    position_ += wanted.size();
    return meaning;
  }

  Value object(int depth, const Place& at) {
    advance();
    Table table;
    std::unordered_set<std::string> seen;
    skip_space();
    if (take('}')) {
      return {std::move(table), at};
    }
    while (!failed_) {
      skip_space();
      const Place name_at = here();
      if (peek() != '"') {
        return fail("expected a name in quotes");
      }
      std::string name = string();
      if (!seen.insert(name).second) {
        return fail("the name " + json_string(name) + " occurs twice");
      }
      skip_space();
      if (!take(':')) {
        return fail("expected ':' after the name");
      }
      Value member = value(depth + 1);
      table.push_back({std::move(name), name_at, std::move(member)});
      skip_space();
      if (take('}')) {
        break;
      }
      if (!take(',')) {
        return fail("expected ',' or '}'");
      }
    }
    return {std::move(table), at};
  }

  Value array(int depth, const Place& at) {
    advance();
    Array elements;
    skip_space();
    if (take(']')) {
      return {std::move(elements), at};
    }
    while (!failed_) {
      elements.push_back(value(depth + 1));
      skip_space();
      if (take(']')) {
        break;
      }
      if (!take(',')) {
        return fail("expected ',' or ']'");
      }
    }
    return {std::move(elements), at};
  }

  std::optional<std::uint32_t> hex4() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(position_, 4);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
      return std::nullopt;
    }
    position_ += 4;
    return code;
  }

  void escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (const auto index = kNames.find(peek()); index != std::string_view::npos) {
      out += kMeanings[index];
      advance();
      return;
    }
    if (!take('u')) {
      fail("unknown escape in a string");
      return;
    }
    auto code = hex4();
    if (code && *code >= 0xD800U && *code <= 0xDBFFU && take('\\') && take('u')) {
      const auto low = hex4();
      const bool paired = low && *low >= 0xDC00U && *low <= 0xDFFFU;
      code = paired ? std::optional(0x10000U + ((*code - 0xD800U) << 10U) + (*low - 0xDC00U))
                    : std::nullopt;
    }
    if (!code || (*code >= 0xD800U && *code <= 0xDFFFU)) {
      fail("expected four hexadecimal digits of a character after \\u");
      return;
    }
    append_utf8(out, *code);
  }

  std::string string() {
    advance();
    std::string out;
    while (!failed_) {
      if (position_ >= text_.size()) {
        fail("the string has no end");
      } else if (take('"')) {
        break;
      } else if (take('\\')) {
        escape(out);
      } else if (static_cast<unsigned char>(peek()) < 0x20U) {
        fail("control character in a string");
      } else {
        out += text_[position_];
        ++position_;
      }
    }
    return out;
  }

  [[nodiscard]] std::size_t digits(std::size_t from) const {
    std::size_t end = from;
    while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') {
      ++end;
    }
    return end;
  }

  Value number(const Place& at) {
    const std::size_t start = position_;
    std::size_t end = start + (peek() == '-' ? 1 : 0);
    const std::size_t whole = end;
    end = digits(whole);
    if (end == whole || (text_[whole] == '0' && end > whole + 1)) {
      return fail("expected a value");
    }
    bool is_integer = true;
    if (end < text_.size() && text_[end] == '.') {
      is_integer = false;
      const std::size_t fraction = end + 1;
      end = digits(fraction);
      if (end == fraction) {
        return fail("expected digits after the decimal point");
      }
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      is_integer = false;
      std::size_t exponent = end + 1;
      exponent += exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-');
      end = digits(exponent);
      if (end == exponent) {
        return fail("expected digits in the exponent");
      }
    }
    const char* const first = text_.data() + start;
    const char* const last = text_.data() + end;
    if (is_integer) {
      std::int64_t integer = 0;
      if (std::from_chars(first, last, integer).ec != std::errc()) {
        return fail("the integer does not fit into 64 bits");
      }
      position_ = end;
      return {integer, at};
    }
    double real = 0;
    if (std::from_chars(first, last, real).ec != std::errc() || !std::isfinite(real)) {
      return fail("the number is out of range");
    }
    position_ = end;
    return {real, at};
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  Problems& problems_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
  bool failed_ = false;
};

}  // namespace

std::optional<Value> read_json(std::string_view text,
                               std::shared_ptr<const Source> source,
                               Problems& problems) {
  if (!is_utf8(text)) {
    problems.error({source, 0, 0}, "", "not valid JSON: the text is not UTF-8");
    return std::nullopt;
  }
  return Parser(text, std::move(source), problems).document();
}

}  // namespace vkhost::config
