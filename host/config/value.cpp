#include "config/value.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

namespace vkhost::config {
namespace {

constexpr std::size_t kLongestQuote = 60;

std::string quoted(const std::string& text) {
  if (text.size() <= kLongestQuote) {
    return json_string(text);
  }
  // Cut between characters, not inside one.
  std::size_t end = kLongestQuote;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return json_string(std::string_view(text).substr(0, end)) + "… (" + std::to_string(text.size()) +
         " bytes)";
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return x == y || ((x == '-' || x == '_') && (y == '-' || y == '_'));
  });
}

}  // namespace

std::string Place::to_string() const {
  if (!source) {
    return "configuration";
  }
  if (!source->has_lines || line == 0) {
    return source->name;
  }
  return source->name + ':' + std::to_string(line) + ':' + std::to_string(column);
}

Value::Value() : content_(nullptr) {}
Value::Value(Content content, Place at) : content_(std::move(content)), at_(std::move(at)) {}

const Value* Value::find(std::string_view name) const {
  const auto* table = as<Table>();
  if (table == nullptr) {
    return nullptr;
  }
  const auto found = std::find_if(table->begin(), table->end(), [&](const Member& member) {
    return same_name(member.name, name);
  });
  return found == table->end() ? nullptr : &found->value;
}

Value* Value::find(std::string_view name) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(name));
}

Value& Value::member(std::string_view name, const Place& at) {
  if (Value* found = find(name)) {
    return *found;
  }
  auto& table = std::get<Table>(content_);
  table.push_back({std::string(name), at, Value(nullptr, at)});
  return table.back().value;
}

std::string_view Value::type_name() const {
  static constexpr std::array<std::string_view, 7> kNames = {
      "nothing", "true or false", "integer", "number", "text", "list", "table"};
  return kNames.at(content_.index());
}

std::string Value::describe() const {
  if (const auto* flag = as<bool>()) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = as<std::int64_t>()) {
    return "integer " + std::to_string(*number);
  }
  if (const auto* number = as<double>()) {
    std::array<char, 40> text{};
    return "number " +
           std::string(text.data(), std::to_chars(text.begin(), text.end(), *number).ptr);
  }
  if (const auto* text = as<std::string>()) {
    return quoted(*text);
  }
  return "a " + std::string(type_name());
}

std::string snake_case(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

void merge(Value& base, Value over) {
  auto* members = over.as<Table>();
  if (members == nullptr || base.as<Table>() == nullptr) {
    if (!over.is_null()) {
      base = std::move(over);
    }
    return;
  }
  for (Member& member : *members) {
    if (Value* found = base.find(member.name)) {
      merge(*found, std::move(member.value));
    } else {
      base.as<Table>()->push_back(std::move(member));
    }
  }
}

}  // namespace vkhost::config
