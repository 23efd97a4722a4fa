// KeyType<T>: how a key of one type is read from a Value, how its value is shown, and the words for
// error messages and the reference page. The functions below make the types that keys.cpp uses.
// Immutable. [any-thread] [no-block]
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::config {

template <typename T>
struct KeyType {
  std::string name;   // "duration"
  std::string range;  // "1s to 1h", or empty
  // Reports what is wrong and yields nothing, or the value.
  std::function<std::optional<T>(const Value&, const std::string& key, Problems&)> read;
  // As it would stand in the TOML file.
  std::function<std::string(const T&)> show;
};

// "expected <what>, found <value>".
void expected(const Value& value,
              const std::string& key,
              std::string_view what,
              Problems& problems);

KeyType<bool> boolean();
KeyType<std::int64_t> integer(std::int64_t min, std::int64_t max);
KeyType<std::chrono::milliseconds> duration(std::chrono::milliseconds min,
                                            std::chrono::milliseconds max);

// Says what is wrong with a text ("a name of lower-case letters …" is what was expected), or
// nothing.
using TextCheck = std::function<std::optional<std::string>(std::string_view)>;
KeyType<std::string> text(std::string name = "text", const TextCheck& check = nullptr);
// Relative paths start at the folder of the file that the value stands in.
KeyType<std::string> path();
// Text, or an integer for short.
KeyType<std::string> quantity();
KeyType<Listen> listen(bool allow_off, bool allow_range);

// Checks of names and amounts, after the rules of the Kubernetes API.
std::optional<std::string> check_node_name(std::string_view text);
std::optional<std::string> check_label_key(std::string_view text);
std::optional<std::string> check_label_value(std::string_view text);
std::optional<std::string> check_quantity(std::string_view text);
// Plainly so: no fraction, no negative power. The API server wants that of what is counted: pods, and
// resources of other domains than its own.
bool is_whole_quantity(std::string_view text);
bool is_counted_resource(std::string_view name);
// Nothing, one IP address or host name, or an IP address of each family.
std::optional<std::string> check_advertised_address(std::string_view text);
std::optional<std::string> check_taint_effect(std::string_view text);
std::optional<std::string> check_domain(std::string_view text);
std::optional<std::string> check_sha256(std::string_view text);
std::optional<std::string> check_http_url(std::string_view text);

template <typename Enum>
struct Choice {
  std::string_view word;
  Enum value;
};

// One of a few words; letter case does not count.
std::optional<std::size_t> read_choice(const Value& value,
                                       const std::string& key,
                                       const std::vector<std::string_view>& words,
                                       Problems& problems);

// The first word of a value is its name, further ones with the same value are aliases.
template <typename Enum>
KeyType<Enum> choice(std::vector<Choice<Enum>> choices) {
  std::vector<std::string_view> words;
  std::string range;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    words.push_back(choices[i].word);
    if (i == 0 || choices[i].value != choices[i - 1].value) {
      range += (i == 0 ? "\"" : ", \"") + std::string(choices[i].word) + '"';
    }
  }
  KeyType<Enum> type;
  type.name = "choice";
  type.range = std::move(range);
  type.read = [choices, words](const Value& value, const std::string& key,
                               Problems& problems) -> std::optional<Enum> {
    const auto index = read_choice(value, key, words, problems);
    return index ? std::optional(choices[*index].value) : std::nullopt;
  };
  type.show = [choices](const Enum& value) {
    for (const auto& choice : choices) {
      if (choice.value == value) {
        return '"' + std::string(choice.word) + '"';
      }
    }
    return std::string();
  };
  return type;
}

template <typename T>
KeyType<std::vector<T>> list_of(std::string plural, const KeyType<T>& element) {
  KeyType<std::vector<T>> type;
  type.name = "list of " + std::move(plural);
  type.range = element.range;
  type.show = [element](const std::vector<T>& values) {
    std::string out = "[";
    for (const T& value : values) {
      out += (out.size() == 1 ? "" : ", ") + element.show(value);
    }
    return out + "]";
  };
  type.read = [element, name = type.name](const Value& value, const std::string& key,
                                          Problems& problems) -> std::optional<std::vector<T>> {
    const auto* array = value.as<Array>();
    if (array == nullptr) {
      expected(value, key, "a " + name, problems);
      return std::nullopt;
    }
    std::vector<T> values;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const std::string element_key = key + '[' + std::to_string(i) + ']';
      if (auto read = element.read((*array)[i], element_key, problems)) {
        values.push_back(std::move(*read));
      }
    }
    return values;
  };
  return type;
}

// Keys of a table are shown bare where TOML allows it.
std::string show_table_key(std::string_view key);

// A table with names of the user's choice.
template <typename T>
KeyType<std::map<std::string, T>> table_of(std::string plural,
                                           const KeyType<T>& element,
                                           const TextCheck& check_name) {
  KeyType<std::map<std::string, T>> type;
  type.name = "table of " + std::move(plural);
  type.range = element.range;
  type.show = [element](const std::map<std::string, T>& values) {
    std::string out = "{";
    for (const auto& [name, value] : values) {
      out += (out.size() == 1 ? " " : ", ") + show_table_key(name) + " = " + element.show(value);
    }
    return out + (values.empty() ? "}" : " }");
  };
  type.read = [element, check_name, name = type.name](
                  const Value& value, const std::string& key,
                  Problems& problems) -> std::optional<std::map<std::string, T>> {
    const auto* table = value.as<Table>();
    if (table == nullptr) {
      expected(value, key, "a " + name, problems);
      return std::nullopt;
    }
    std::map<std::string, T> values;
    for (const Member& member : *table) {
      const std::string member_key = key + '.' + show_table_key(member.name);
      if (const auto wrong = check_name(member.name)) {
        problems.error(member.at, member_key, "expected a name that is " + *wrong);
      }
      if (auto read = element.read(member.value, member_key, problems)) {
        values.insert_or_assign(member.name, std::move(*read));
      }
    }
    return values;
  };
  return type;
}

template <typename T>
KeyType<std::optional<T>> maybe(const KeyType<T>& inner) {
  KeyType<std::optional<T>> type;
  type.name = inner.name;
  type.range = inner.range;
  type.show = [inner](const std::optional<T>& value) {
    return value ? inner.show(*value) : std::string();
  };
  type.read = [inner](const Value& value, const std::string& key,
                      Problems& problems) -> std::optional<std::optional<T>> {
    if (auto read = inner.read(value, key, problems)) {
      return std::make_optional<std::optional<T>>(std::move(read));
    }
    return std::nullopt;
  };
  return type;
}

}  // namespace vkhost::config
