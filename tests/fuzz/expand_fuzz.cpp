// expand() says the same as a slow reading of its rules, character by character, and stays within
// its limit.
#include "resolve/expand.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using vkhost::resolve::Value;

const Value* lookup(std::string_view name) {
  static const Value kShort{"a", false};
  static const Value kSecret{"$(A)$$)", true};
  static const Value kEmpty;
  return name == "A" ? &kShort : name == "S" ? &kSecret : name.empty() ? &kEmpty : nullptr;
}

Value read_slowly(std::string_view text) {
  Value result;
  while (!text.empty()) {
    const std::size_t close = text.find(')');
    if (text.starts_with("$$")) {
      result.text += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("$(") && close != std::string_view::npos) {
      const Value* value = lookup(text.substr(2, close - 2));
      result.text += value != nullptr ? std::string_view(value->text) : text.substr(0, close + 1);
      result.secret = result.secret || (value != nullptr && value->secret);
      text.remove_prefix(close + 1);
    } else {
      // Of "$x" both stay, and x begins nothing: "$" before it was its own.
      const std::size_t taken = text[0] == '$' && text.size() > 1 ? 2 : 1;
      result.text += text.substr(0, taken);
      text.remove_prefix(taken);
    }
  }
  return result;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 4096;
  const std::string text(data, data + size);

  const auto value = vkhost::resolve::expand(text, lookup, kLimit);
  if (value.is_ok() && (value->text.size() > kLimit || *value != read_slowly(text))) {
    std::abort();
  }
  if (!value.is_ok() && read_slowly(text).text.size() <= kLimit) {
    std::abort();
  }
  return 0;
}
