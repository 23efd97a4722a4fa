// Secret: text that must not be seen: tokens, passwords, private keys.
//
// It does not convert to text and prints as "[secret]", so that reaching the value takes a visible
// reveal(). The bytes are wiped when the last owner of a copy goes. [any-thread] for const access
#pragma once

#include <string.h>

#include <ostream>
#include <string>
#include <utility>

namespace vkhost {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& reveal() const { return text_; }
  friend bool operator==(const Secret& a, const Secret& b) { return a.text_ == b.text_; }
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "[secret]"; }

 private:
  void wipe() {
    ::explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }
  std::string text_;
};

}  // namespace vkhost
