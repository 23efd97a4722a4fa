#include "resolve/expand.hpp"

namespace vkhost::resolve {

Result<Value> expand(std::string_view text, const VariableLookup& lookup, std::size_t max_bytes) {
  Value result;
  // Found once, so that many "$(" without an end do not each search the rest of the text.
  const std::size_t last_close = text.rfind(')');
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find('$', at);
    if (dollar == std::string_view::npos || dollar + 1 == text.size()) {
      result.text.append(text, at);
      break;
    }
    result.text.append(text, at, dollar - at);
    const char next = text[dollar + 1];
    at = dollar + 2;
    if (next == '$') {
      result.text += '$';
    } else if (next == '(' && last_close != std::string_view::npos && last_close >= at) {
      const std::size_t close = text.find(')', at);
      const Value* variable = lookup(text.substr(at, close - at));
      at = close + 1;
      if (variable != nullptr) {
        result.text += variable->text;
        result.secret = result.secret || variable->secret;
      } else {
        result.text.append(text, dollar, at - dollar);
      }
    } else {
      result.text.append(text, dollar, 2);
    }
    if (result.text.size() > max_bytes) {
      break;
    }
  }
  if (result.text.size() > max_bytes) {
    return failed_precondition("with its $(NAME) expanded, the text is longer than " +
                               std::to_string(max_bytes) + " bytes");
  }
  return result;
}

}  // namespace vkhost::resolve
