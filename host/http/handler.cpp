#include "http/handler.hpp"

#include <Poco/Net/HTTPResponse.h>

#include <array>
#include <cstdio>
#include <ctime>

namespace vkhost::http {

std::string_view ServerRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

Reply text_reply(int status, std::string text) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(text)};
}

Reply json_reply(int status, std::string json) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}, {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(json)};
}

std::string render_reply_head(int status, const Headers& headers) {
  using Poco::Net::HTTPResponse;
  std::string head =
      "HTTP/1.1 " + std::to_string(status) + " " +
      HTTPResponse::getReasonForStatus(static_cast<HTTPResponse::HTTPStatus>(status)) + "\r\n";
  for (const auto& [name, value] : headers) {
    if (is_token(name) && is_field_value(value)) {
      head += name;
      head += ": ";
      head += value;
      head += "\r\n";
    }
  }
  return head + "\r\n";
}

std::string http_date(WallTime time) {
  // Not strftime, whose names follow a locale that a plugin may have set.
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  static_cast<void>(::gmtime_r(&seconds, &utc));  // fails only beyond the years of an int
  std::array<char, 64> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                  kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                                  kMonths.at(static_cast<std::size_t>(utc.tm_mon)),
                                  utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec));
  return text.data();
}

}  // namespace vkhost::http
