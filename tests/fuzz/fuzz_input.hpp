// What several fuzzers make of their input: sections, lines, and memory whose end the address
// sanitizer watches. Inputs are text, so that a corpus can be read and written by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::fuzz {

// Ends the program; the place is in the stack that the sanitizer prints.
inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// Lines that say "---" separate sections.
inline std::vector<std::string> sections_of(std::string_view text) {
  constexpr std::string_view kSeparator = "\n---\n";
  std::vector<std::string> sections;
  for (;;) {
    const std::size_t end = text.find(kSeparator);
    sections.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return sections;
    }
    text.remove_prefix(end + kSeparator.size());
  }
}

// One field after the other, a line each.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool is_over() const { return rest_.empty(); }
  std::string_view text() {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(line.size() + (line.size() < rest_.size() ? 1 : 0));
    return line;
  }
  // Wraps around; 0 where there are no digits.
  std::uint64_t number() {
    std::uint64_t value = 0;
    const std::string_view line = text();
    const bool is_negative = line.starts_with('-');
    for (const char digit : line.substr(is_negative ? 1 : 0)) {
      if (digit < '0' || digit > '9') {
        break;
      }
      value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return is_negative ? ~value + 1 : value;
  }
  std::int32_t code() { return static_cast<std::int32_t>(number()); }

 private:
  std::string_view rest_;
};

// A copy that ends where its last byte does.
class Block {
 public:
  Block(const void* from, std::size_t size) : bytes_(new char[size]), size_(size) {
    if (size > 0) {
      std::memcpy(bytes_.get(), from, size);
    }
  }
  explicit Block(std::string_view text) : Block(text.data(), text.size()) {}

  [[nodiscard]] const char* data() const { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

}  // namespace vkhost::fuzz
