#include "observe/log_entry.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <ctime>

namespace vkhost::observe {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kFaint = "\x1b[2m";

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::Error:
      return "\x1b[31m";
    case Level::Warn:
      return "\x1b[33m";
    case Level::Info:
      return "\x1b[32m";
    default:
      return kFaint;
  }
}

// The control characters of Unicode: C0, DEL, and C1, which in UTF-8 is C2 80 to C2 9F.
bool is_c1(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) == 0xC2U && at + 1 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) < 0xA0U;
}

bool is_c0(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20U || byte == 0x7FU;
}

// Invalid UTF-8 is replaced first, by the rules of the JSON writer.
void append_printable(std::string& out, std::string_view text) {
  std::string valid;
  if (!is_utf8(text)) {
    valid = json_string(text);
    text = std::string_view(valid).substr(1, valid.size() - 2);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      out += "\\n";
    } else if (text[i] == '\t') {
      out += "\\t";
    } else if (is_c0(text[i]) || is_c1(text, i)) {
      const auto code = static_cast<unsigned char>(is_c0(text[i]) ? text[i] : text[++i]);
      std::array<char, 8> escaped{};
      static_cast<void>(std::snprintf(escaped.data(), escaped.size(), "\\u%04x", code));
      out += escaped.data();
    } else {
      out += text[i];
    }
  }
}

void append_key(std::string& out, std::string_view key) {
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    out += plain ? c : '_';
  }
}

void append_value(std::string& out, std::string_view value) {
  if (!value.empty() && value.find_first_of(" \"=") == std::string_view::npos) {
    append_printable(out, value);
    return;
  }
  std::string quoted;
  append_json_string(quoted, value);
  append_printable(out, quoted);
}

bool is_overridden(const Fields& fields, std::size_t index) {
  return std::any_of(fields.begin() + static_cast<std::ptrdiff_t>(index) + 1, fields.end(),
                     [&](const Field& later) { return later.key == fields[index].key; });
}

std::string local_time(WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds);
  const std::time_t instant = seconds.count();
  std::tm parts{};
  static_cast<void>(::localtime_r(&instant, &parts));  // fails only beyond the years of an int
  std::array<char, 16> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d",
                                  parts.tm_hour % 100, parts.tm_min % 100, parts.tm_sec % 100,
                                  static_cast<int>(millis.count())));
  return text.data();
}

}  // namespace

std::string_view level_name(Level level) {
  static constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info",
                                                             "warn",  "error", "off"};
  const auto index = static_cast<std::size_t>(level);
  return index < kNames.size() ? kNames[index] : "info";
}

std::string text_line(const LogEntry& entry, bool colour) {
  static constexpr std::array<std::string_view, 6> kNames = {"TRACE", "DEBUG", "INFO ",
                                                             "WARN ", "ERROR", "OFF  "};
  std::string out;
  const auto paint = [&](std::string_view code) { out += colour ? code : std::string_view(); };
  paint(kFaint);
  out += local_time(entry.time);
  paint(kReset);
  out += ' ';
  paint(colour_of(entry.level));
  out += kNames.at(static_cast<std::size_t>(entry.level));
  paint(kReset);
  out += ' ';
  append_printable(out, entry.message);
  bool first = true;
  for (std::size_t i = 0; i < entry.fields.size(); ++i) {
    if (is_overridden(entry.fields, i)) {
      continue;
    }
    out += first ? "  " : " ";
    first = false;
    paint(kFaint);
    append_key(out, entry.fields[i].key);
    out += '=';
    paint(kReset);
    append_value(out, entry.fields[i].value);
  }
  return out;
}

std::string json_line(const LogEntry& entry) {
  std::string out = R"({"time":")";
  out += format_micro_time(entry.time);
  out += R"(","level":")";
  out += level_name(entry.level);
  out += R"(","message":)";
  append_json_string(out, entry.message);
  for (std::size_t i = 0; i < entry.fields.size(); ++i) {
    if (is_overridden(entry.fields, i)) {
      continue;
    }
    const std::string& key = entry.fields[i].key;
    out += ',';
    // A field must not pass for one of the three above.
    append_json_string(out, key == "time" || key == "level" || key == "message" ? key + '_' : key);
    out += ':';
    append_json_string(out, entry.fields[i].value);
  }
  return out += '}';
}

}  // namespace vkhost::observe
