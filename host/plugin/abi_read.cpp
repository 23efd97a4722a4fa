#include "plugin/abi_read.hpp"

#include "base/json_text.hpp"

#include <limits>

namespace vkhost::plugin {
namespace {

bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

Retry read_retry(std::int32_t value) {
  switch (value) {
    case VKP_RETRY_AFTER:
      return Retry::After;
    case VKP_RETRY_NEVER:
      return Retry::Never;
    default:
      return Retry::Backoff;
  }
}

Effect read_effect(std::int32_t value) {
  switch (value) {
    case VKP_EFFECT_NONE:
      return Effect::None;
    case VKP_EFFECT_HAPPENED:
      return Effect::Happened;
    default:
      return Effect::Unknown;
  }
}

std::chrono::milliseconds read_delay(std::int64_t milliseconds) {
  // A day is longer than any advice; more would only overflow somewhere later.
  constexpr std::int64_t kLongest = std::int64_t{24} * 3600 * 1000;
  return std::chrono::milliseconds(std::clamp<std::int64_t>(milliseconds, 0, kLongest));
}

}  // namespace

Result<std::string_view> read_text(const char* data, std::size_t size, std::size_t max_bytes) {
  if (size == 0) {
    return std::string_view();
  }
  if (data == nullptr) {
    return invalid_argument("a null pointer with a length");
  }
  if (size > max_bytes) {
    return invalid_argument(std::to_string(size) + " bytes, the limit is " +
                            std::to_string(max_bytes));
  }
  const std::string_view text(data, size);
  if (!is_utf8(text)) {
    return invalid_argument("not UTF-8");
  }
  return text;
}

Result<std::string_view> read_text(vkp_str text, std::size_t max_bytes) {
  return read_text(text.data, text.size, max_bytes);
}

std::string shown_text(vkp_str text, std::size_t max_bytes) {
  std::string shown;
  if (text.data == nullptr) {
    return shown;
  }
  // What lies beyond the limit is never touched, a sequence that it cuts is dropped.
  std::string_view rest(text.data, std::min(text.size, max_bytes));
  while (!rest.empty()) {
    const std::size_t length = utf8_length(rest);
    const bool is_cut = length == 0 && text.size > max_bytes && rest.size() < 4;
    if (is_cut) {
      break;
    }
    if (length == 0) {
      shown += "\xEF\xBF\xBD";
    } else {
      shown += rest.substr(0, length);
    }
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

std::string read_reason(vkp_str text) {
  std::string reason;
  const std::size_t size = text.data == nullptr ? 0 : text.size;
  for (std::size_t at = 0; at < size && at < VKP_MAX_REASON_BYTES; ++at) {
    const char letter = text.data[at];
    if (is_letter(letter) || (!reason.empty() && letter >= '0' && letter <= '9')) {
      reason += letter;
    }
  }
  return reason;
}

Status read_failure(vkp_code code, const vkp_error* details, std::string_view fallback) {
  if (code == VKP_OK) {
    return Status::ok();
  }
  const StatusCode canonical = status_code_from_int(code);
  const vkp_error error = read_struct(details);
  std::string message = shown_text(error.message, VKP_MAX_MESSAGE_BYTES);
  if (message.empty()) {
    message = fallback;
  }
  Status status(canonical, std::move(message));
  if (details == nullptr) {
    return status;
  }
  return std::move(status)
      .with_reason(read_reason(error.reason))
      .with_retry(read_retry(error.retry), read_delay(error.retry_after_ms))
      .with_effect(read_effect(error.effect))
      .with_scope(error.scope == VKP_SCOPE_PROVIDER ? Scope::Provider : Scope::Pod);
}

}  // namespace vkhost::plugin
