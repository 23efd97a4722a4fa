// Json: a read-only view on a parsed document, so that the rest of the plugin does not deal with
// missing members and types of the JSON library. A value that is missing or null is `null` and has
// nothing in it; one of another type than asked for is Error(InvalidArgument). [any-thread]
#pragma once

#include <Poco/Dynamic/Var.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::mock {

class Json {
 public:
  Json() = default;
  // Throws Error(InvalidArgument) when `text` is not JSON; `what` names it in the message.
  static Json parse(std::string_view text, std::string_view what);

  [[nodiscard]] Json operator[](const std::string& key) const;
  [[nodiscard]] bool is_null() const { return value_.isEmpty(); }
  [[nodiscard]] std::string text(std::string_view fallback = {}) const;
  [[nodiscard]] std::int64_t number(std::int64_t fallback = 0) const;
  [[nodiscard]] bool boolean(bool fallback = false) const;
  [[nodiscard]] std::vector<Json> elements() const;
  [[nodiscard]] std::vector<std::pair<std::string, Json>> members() const;
  // An object of strings.
  [[nodiscard]] std::map<std::string, std::string> texts() const;

 private:
  explicit Json(const Poco::Dynamic::Var& value) : value_(value) {}

  Poco::Dynamic::Var value_;
};

}  // namespace vkhost::mock
