#include "base/json_text.hpp"

#include <array>
#include <cstddef>
#include <cstdio>

namespace vkhost {
namespace {

void append_control(std::string& out, unsigned char byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default: {
      std::array<char, 8> escaped{};
      static_cast<void>(std::snprintf(escaped.data(), escaped.size(), "\\u%04x", byte));
      out += escaped.data();
    }
  }
}

// Whether `byte` may stand as itself in a string without a closer look.
bool is_plain(unsigned char byte) {
  return byte >= 0x20U && byte < 0x80U && byte != '"' && byte != '\\';
}

class JsonScanner {
 public:
  JsonScanner(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

  Status scan() {
    while (value() && rest()) {
    }
    return fault_ == nullptr ? Status::ok()
                             : invalid_argument("at byte " + std::to_string(at_) + ": " + fault_);
  }

 private:
  bool fail(const char* fault) {
    fault_ = fault;
    return false;
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  char next() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
    return peek();
  }

  bool take(char wanted, const char* fault) {
    if (next() != wanted) {
      return fail(fault);
    }
    ++at_;
    return true;
  }

  // Consumes a scalar or an empty container, or enters containers up to their first scalar.
  bool value() {
    while (true) {
      const char first = next();
      if (first != '{' && first != '[') {
        return scalar(first);
      }
      if (open_.size() >= max_depth_) {
        return fail("nested too deeply");
      }
      const char close = first == '{' ? '}' : ']';
      ++at_;
      open_ += close;
      if (next() == close) {
        return true;  // rest() closes it
      }
      if (first == '{' && !key()) {
        return false;
      }
    }
  }

  // After a value: closes containers and moves to the next value. False at the end or at a fault.
  bool rest() {
    while (!open_.empty()) {
      const char found = next();
      if (found == open_.back()) {
        open_.pop_back();
      } else if (found == ',') {
        ++at_;
        return open_.back() == ']' || key();
      } else {
        return fail(open_.back() == '}' ? "a comma or } is missing" : "a comma or ] is missing");
      }
      ++at_;
    }
    next();
    return at_ < text_.size() ? fail("text after the end of the document") : false;
  }

  bool key() {
    return take('"', "a member name is missing") && string() &&
           take(':', "the colon after a member name is missing");
  }

  bool scalar(char first) {
    switch (first) {
      case '"':
        ++at_;
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) {
      return fail("neither true, false nor null");
    }
    at_ += expected.size();
    return true;
  }

  bool digits() {
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') {
      ++at_;
    }
    return at_ > begin || fail(at_ < text_.size() ? "not a value" : "the document ends too early");
  }

  bool number() {
    if (peek() == '-') {
      ++at_;
    }
    if (peek() == '0') {
      ++at_;  // a further digit is then neither comma nor end
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) {
        return false;
      }
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') {
        ++at_;
      }
      return digits();
    }
    return true;
  }

  // The opening quote is behind us.
  bool string() {
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (is_plain(byte)) {
        ++at_;
      } else if (byte == '"') {
        ++at_;
        return true;
      } else if (byte == '\\') {
        if (!escape()) {
          return false;
        }
      } else if (byte < 0x20U) {
        return fail("a control character in a string");
      } else if (const std::size_t length = utf8_length(text_.substr(at_)); length != 0) {
        at_ += length;
      } else {
        return fail("not UTF-8");
      }
    }
    return fail("a string does not end");
  }

  bool escape() {
    ++at_;
    const char kind = peek();
    if (kind != 'u') {
      if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
        return fail("an unknown escape in a string");
      }
      ++at_;
      return true;
    }
    unsigned unit = 0;
    if (!code_unit(unit)) {
      return false;
    }
    if (unit >= 0xDC00U && unit <= 0xDFFFU) {
      return fail("half of a surrogate pair in a string");
    }
    if (unit >= 0xD800U && unit <= 0xDBFFU) {
      unsigned low = 0;
      if (peek() != '\\') {
        return fail("half of a surrogate pair in a string");
      }
      ++at_;
      if (peek() != 'u' || !code_unit(low) || low < 0xDC00U || low > 0xDFFFU) {
        return fail("half of a surrogate pair in a string");
      }
    }
    return true;
  }

  // The four digits after the u under the cursor.
  bool code_unit(unsigned& unit) {
    ++at_;
    for (int digit = 0; digit < 4; ++digit, ++at_) {
      const char found = peek();
      if (found >= '0' && found <= '9') {
        unit = unit * 16 + static_cast<unsigned>(found - '0');
      } else if (found >= 'a' && found <= 'f') {
        unit = unit * 16 + static_cast<unsigned>(found - 'a' + 10);
      } else if (found >= 'A' && found <= 'F') {
        unit = unit * 16 + static_cast<unsigned>(found - 'A' + 10);
      } else {
        return fail("an unknown escape in a string");
      }
    }
    return true;
  }

  std::string_view text_;
  std::size_t max_depth_;
  std::size_t at_ = 0;
  std::string open_;  // what closes each container that is open, innermost last
  const char* fault_ = nullptr;
};

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const auto continues = [&](std::size_t index) {
    return index < text.size() && (byte(index) & 0xC0U) == 0x80U;
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80U) {
    return 1;
  }
  if (lead >= 0xC2U && lead <= 0xDFU) {
    return continues(1) ? 2 : 0;
  }
  if (lead >= 0xE0U && lead <= 0xEFU) {
    if (!continues(1) || !continues(2)) {
      return 0;
    }
    const bool overlong = lead == 0xE0U && byte(1) < 0xA0U;
    const bool surrogate = lead == 0xEDU && byte(1) > 0x9FU;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0U && lead <= 0xF4U) {
    if (!continues(1) || !continues(2) || !continues(3)) {
      return 0;
    }
    const bool overlong = lead == 0xF0U && byte(1) < 0x90U;
    const bool beyond = lead == 0xF4U && byte(1) > 0x8FU;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += static_cast<char>(byte);
    } else if (byte < 0x20U || byte == 0x7FU) {
      append_control(out, byte);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

Status validate_json(std::string_view text, std::size_t max_depth) {
  return JsonScanner(text, max_depth).scan();
}

Status validate_json_object(std::string_view text, std::size_t max_depth) {
  VKHOST_TRY(validate_json(text, max_depth));
  const std::size_t first = text.find_first_not_of(" \n\t\r");
  return text[first] == '{' ? Status::ok() : invalid_argument("at byte 0: not an object");
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

}  // namespace vkhost
