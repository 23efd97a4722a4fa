// JsonMembers and JsonElements: cut a JSON object or array into the raw text of its members, in one
// pass and without a copy.
//
// For lists and watch events, whose objects are kept as the bytes that the API server sent. They
// check the level that they walk (commas, colons, closing bracket) and skip over what lies deeper by
// counting brackets outside of strings, whatever its depth; that deeper text is NOT validated: give
// each slice to read_json() before trusting it. Any input is safe. [any-thread] [no-block]
#pragma once

#include <cstddef>
#include <string_view>

namespace vkhost::kube {

// `text` without white space (RFC 8259) around it.
[[nodiscard]] std::string_view trim_json(std::string_view text);

struct JsonMember {
  std::string_view key;    // between the quotes, escapes not decoded
  std::string_view value;  // raw
  std::size_t begin = 0;   // offset of the key's opening quote in the object's text
  std::size_t end = 0;     // offset behind the value
};

class JsonMembers {
 public:
  // `object` starts with '{' after white space; a slice of a member's value is such a text.
  explicit JsonMembers(std::string_view object);
  // False when there is no further member, or the text is broken: ask is_complete() then.
  bool next(JsonMember& member);
  // The closing brace was reached and nothing but white space follows.
  [[nodiscard]] bool is_complete() const { return complete_; }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
  bool first_ = true;
  bool complete_ = false;
  bool over_ = false;
};

class JsonElements {
 public:
  explicit JsonElements(std::string_view array);
  bool next(std::string_view& element);
  [[nodiscard]] bool is_complete() const { return complete_; }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
  bool first_ = true;
  bool complete_ = false;
  bool over_ = false;
};

// The raw value of the first member called `key`; empty when there is none or `object` is broken
// before it.
[[nodiscard]] std::string_view find_member(std::string_view object, std::string_view key);
// The text between the quotes of a raw string value; empty for anything else and for a string with
// escapes, which the fields read this way (resourceVersion, uid) never have.
[[nodiscard]] std::string_view plain_string(std::string_view value);

}  // namespace vkhost::kube
