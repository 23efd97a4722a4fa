// Value: one setting as it was written, with the place where it was written. TOML, JSON, flags and
// environment variables all become this tree, so that there is one reader, one merge and one form
// of error message. Plain values, no locking. [any-thread] [no-block]
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vkhost::config {

// What a value was read from. Shared by the places in it.
struct Source {
  std::string name;              // "vkhost.toml", "--nodename", "environment variable KUBECONFIG"
  std::filesystem::path folder;  // relative paths start here; empty: the working directory
  bool has_lines = false;        // line and column mean something
};

struct Place {
  std::shared_ptr<const Source> source;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  [[nodiscard]] std::string to_string() const;  // "vkhost.toml:3:7"
};

struct Member;
class Value;
using Array = std::vector<Value>;
using Table = std::vector<Member>;  // in the order of the text; names are unique

class Value {
 public:
  using Content =
      std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Table>;
  // Out of line: what builds or destroys a Content needs Member complete, and here it is not.
  Value();
  Value(Content content, Place at);

  [[nodiscard]] const Place& at() const { return at_; }
  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&content_);
  }
  template <typename T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&content_);
  }
  [[nodiscard]] bool is_null() const { return as<std::nullptr_t>() != nullptr; }

  // The member of that name, '-' counting as '_'. Null when this is no table or has none.
  [[nodiscard]] const Value* find(std::string_view name) const;
  [[nodiscard]] Value* find(std::string_view name);
  // The member, made null when it is missing. This must be a table.
  [[nodiscard]] Value& member(std::string_view name, const Place& at);

  // "text", "integer", "table" and so on.
  [[nodiscard]] std::string_view type_name() const;
  // For error messages: type and content, cut and escaped ("integer 70000").
  [[nodiscard]] std::string describe() const;

 private:
  Content content_;
  Place at_;
};

struct Member {
  std::string name;  // as written
  Place at;          // of the name
  Value value;
};

// snake_case: with '_' for every '-'.
[[nodiscard]] std::string snake_case(std::string_view name);

// Puts `over` on top of `base`: tables are merged member by member, anything else is replaced.
void merge(Value& base, Value over);

}  // namespace vkhost::config
