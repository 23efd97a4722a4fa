#include "config/settings_document.hpp"

#include "base/json_text.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace vkhost::config {
namespace {

// RFC 6901: '~' and '/' inside a name are escaped.
std::string pointer_segment(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescaped_segment(std::string_view segment) {
  std::string out;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const bool escape = segment[i] == '~' && i + 1 < segment.size();
    out += escape ? (segment[++i] == '1' ? '/' : '~') : segment[i];
  }
  return out;
}

bool is_index(std::string_view segment) {
  return !segment.empty() && segment.find_first_not_of("0123456789") == std::string_view::npos;
}

void append_number(std::string& out, double number) {
  std::array<char, 40> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
  // Stays a number with a fraction for readers that tell 1.0 from 1.
  if (error == std::errc() &&
      out.find_first_of(".e", out.size() - static_cast<std::size_t>(end - text.data())) ==
          std::string::npos) {
    out += ".0";
  }
}

}  // namespace

SettingsDocument::SettingsDocument(const Value& settings) {
  if (settings.at().source) {
    folder_ = settings.at().source->folder;
  }
  std::string json;
  add(settings, settings.at(), "", json);
  json_ = Secret(std::move(json));
}

void SettingsDocument::add(const Value& value,
                           const Place& name,
                           const std::string& pointer,
                           std::string& out) {
  places_.insert_or_assign(pointer, Places{name, value.at()});
  if (const auto* table = value.as<Table>()) {
    out += '{';
    bool first = true;
    for (const Member& member : *table) {
      if (member.value.is_null()) {
        continue;
      }
      out += first ? "" : ",";
      first = false;
      append_json_string(out, member.name);
      out += ':';
      add(member.value, member.at, pointer + '/' + pointer_segment(member.name), out);
    }
    out += '}';
  } else if (const auto* array = value.as<Array>()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      out += i == 0 ? "" : ",";
      add((*array)[i], (*array)[i].at(), pointer + '/' + std::to_string(i), out);
    }
    out += ']';
  } else if (const auto* text = value.as<std::string>()) {
    append_json_string(out, *text);
  } else if (const auto* flag = value.as<bool>()) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = value.as<std::int64_t>()) {
    out += std::to_string(*integer);
  } else if (const auto* number = value.as<double>()) {
    append_number(out, *number);
  } else {
    out += "null";
  }
}

const SettingsDocument::Places* SettingsDocument::closest(std::string_view pointer,
                                                          bool& exact) const {
  exact = true;
  while (true) {
    if (const auto found = places_.find(pointer); found != places_.end()) {
      return &found->second;
    }
    exact = false;
    const auto slash = pointer.rfind('/');
    if (slash == std::string_view::npos) {
      return nullptr;
    }
    pointer = pointer.substr(0, slash);
  }
}

Place SettingsDocument::locate(std::string_view pointer) const {
  bool exact = false;
  const Places* places = closest(pointer, exact);
  return places == nullptr ? Place{} : places->value;
}

Place SettingsDocument::locate_name(std::string_view pointer) const {
  bool exact = false;
  const Places* places = closest(pointer, exact);
  if (places == nullptr) {
    return {};
  }
  return exact ? places->name : places->value;
}

std::string SettingsDocument::key(std::string_view pointer) {
  std::string out;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string_view segment = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(segment.size());
    if (is_index(segment)) {
      out += '[' + std::string(segment) + ']';
    } else {
      out += (out.empty() ? "" : ".") + unescaped_segment(segment);
    }
  }
  return out;
}

}  // namespace vkhost::config
