#include "kube/json_cut.hpp"

#include <array>

namespace vkhost::kube {
namespace {

constexpr std::size_t kBroken = std::string_view::npos;

bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_json_space(text[at])) {
    ++at;
  }
  return at;
}

// `at` is the opening quote; the result is the offset behind the closing one.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') {
      return at + 1;
    }
    if (text[at] == '\\') {
      ++at;
    }
  }
  return kBroken;
}

// What the bracket scan has to look at; everything else is passed over by table look-up.
constexpr std::array<bool, 256> make_marks() {
  std::array<bool, 256> marks{};
  for (const char c : {'"', '{', '}', '[', ']'}) {
    marks.at(static_cast<unsigned char>(c)) = true;
  }
  return marks;
}
constexpr std::array<bool, 256> kMarks = make_marks();

std::size_t skip_nested(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (!kMarks[static_cast<unsigned char>(c)]) {
      ++at;
    } else if (c == '"') {
      at = skip_string(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else {
      ++at;
      if (--depth == 0) {
        return at;
      }
    }
  }
  return kBroken;
}

std::size_t skip_scalar(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size() && !is_json_space(text[at]) && text[at] != ',' && text[at] != '}' &&
         text[at] != ']') {
    ++at;
  }
  return at == begin ? kBroken : at;
}

std::size_t skip_value(std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    return kBroken;
  }
  switch (text[at]) {
    case '"':
      return skip_string(text, at);
    case '{':
    case '[':
      return skip_nested(text, at);
    default:
      return skip_scalar(text, at);
  }
}

bool only_space_from(std::string_view text, std::size_t at) {
  return skip_space(text, at) == text.size();
}

enum class Step { Member, End, Broken };

// Common to objects and arrays: from behind the last member to the next one.
Step step_to_member(std::string_view text, std::size_t& at, bool first, char open, char close) {
  at = skip_space(text, at);
  if (first) {
    if (at >= text.size() || text[at] != open) {
      return Step::Broken;
    }
    at = skip_space(text, at + 1);
    if (at < text.size() && text[at] == close) {
      return only_space_from(text, at + 1) ? Step::End : Step::Broken;
    }
    return Step::Member;
  }
  if (at < text.size() && text[at] == ',') {
    at = skip_space(text, at + 1);
    return Step::Member;
  }
  if (at < text.size() && text[at] == close && only_space_from(text, at + 1)) {
    return Step::End;
  }
  return Step::Broken;
}

}  // namespace

std::string_view trim_json(std::string_view text) {
  const std::size_t begin = skip_space(text, 0);
  std::size_t end = text.size();
  while (end > begin && is_json_space(text[end - 1])) {
    --end;
  }
  return text.substr(begin, end - begin);
}

JsonMembers::JsonMembers(std::string_view object) : text_(object) {}

bool JsonMembers::next(JsonMember& member) {
  if (over_) {
    return false;
  }
  over_ = true;  // until a whole member was seen
  const Step step = step_to_member(text_, position_, first_, '{', '}');
  first_ = false;
  if (step != Step::Member) {
    complete_ = step == Step::End;
    return false;
  }
  if (position_ >= text_.size() || text_[position_] != '"') {
    return false;
  }
  const std::size_t key_end = skip_string(text_, position_);
  if (key_end == kBroken) {
    return false;
  }
  const std::size_t colon = skip_space(text_, key_end);
  if (colon >= text_.size() || text_[colon] != ':') {
    return false;
  }
  const std::size_t value = skip_space(text_, colon + 1);
  const std::size_t end = skip_value(text_, value);
  if (end == kBroken) {
    return false;
  }
  member.key = text_.substr(position_ + 1, key_end - position_ - 2);
  member.value = text_.substr(value, end - value);
  member.begin = position_;
  member.end = end;
  position_ = end;
  over_ = false;
  return true;
}

JsonElements::JsonElements(std::string_view array) : text_(array) {}

bool JsonElements::next(std::string_view& element) {
  if (over_) {
    return false;
  }
  over_ = true;
  const Step step = step_to_member(text_, position_, first_, '[', ']');
  first_ = false;
  if (step != Step::Member) {
    complete_ = step == Step::End;
    return false;
  }
  const std::size_t end = skip_value(text_, position_);
  if (end == kBroken) {
    return false;
  }
  element = text_.substr(position_, end - position_);
  position_ = end;
  over_ = false;
  return true;
}

std::string_view find_member(std::string_view object, std::string_view key) {
  JsonMembers members(object);
  JsonMember member;
  while (members.next(member)) {
    if (member.key == key) {
      return member.value;
    }
  }
  return {};
}

std::string_view plain_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') {
    return {};
  }
  const std::string_view text = value.substr(1, value.size() - 2);
  return text.find('\\') == std::string_view::npos ? text : std::string_view{};
}

}  // namespace vkhost::kube
