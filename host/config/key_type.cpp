#include "config/key_type.hpp"

#include "base/duration.hpp"
#include "base/json_text.hpp"
#include "base/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <system_error>

namespace vkhost::config {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

bool read_ports(std::string_view text, Listen& listen, bool allow_range) {
  const auto dash = text.find('-');
  const auto first = read_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : read_port(text.substr(dash + 1));
  if (!first || !last || (dash != std::string_view::npos && !allow_range)) {
    return false;
  }
  listen.first_port = *first;
  listen.last_port = *last;
  return *first <= *last && (*first != 0 || *last == 0);
}

bool read_address(std::string_view text, Listen& listen) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']') || text.size() < 4) {
      return false;
    }
    text = text.substr(1, text.size() - 2);
    if (text.find_first_not_of("0123456789abcdefABCDEF:.%") != std::string_view::npos) {
      return false;
    }
  } else if (text.find_first_of(":[] \t/") != std::string_view::npos) {
    return false;
  }
  listen.address = text == "*" ? std::string() : std::string(text);
  return listen.address.size() <= 255;
}

std::optional<Listen> read_listen(std::string_view text, bool allow_range) {
  Listen listen;
  const auto colon = text.rfind(':');
  const bool port_only = colon == std::string_view::npos;
  const std::string_view ports = port_only ? text : text.substr(colon + 1);
  if (!read_ports(ports, listen, allow_range) ||
      (!port_only && !read_address(text.substr(0, colon), listen))) {
    return std::nullopt;
  }
  return listen;
}

std::string show_listen(const Listen& listen) {
  if (listen.off) {
    return "\"off\"";
  }
  const bool is_v6 = listen.address.find(':') != std::string::npos;
  std::string out = is_v6 ? '[' + listen.address + ']' : listen.address;
  out += ':' + std::to_string(listen.first_port);
  if (listen.last_port != listen.first_port) {
    out += '-' + std::to_string(listen.last_port);
  }
  return json_string(out);
}

}  // namespace

void expected(const Value& value,
              const std::string& key,
              std::string_view what,
              Problems& problems) {
  problems.error(value.at(), key, "expected " + std::string(what) + ", found " + value.describe());
}

KeyType<bool> boolean() {
  return {
      "boolean", "",
      [](const Value& value, const std::string& key, Problems& problems) -> std::optional<bool> {
        if (const auto* flag = value.as<bool>()) {
          return *flag;
        }
        expected(value, key, "true or false", problems);
        return std::nullopt;
      },
      [](const bool& value) { return std::string(value ? "true" : "false"); }};
}

KeyType<std::int64_t> integer(std::int64_t min, std::int64_t max) {
  std::string range = std::to_string(min);
  if (max == std::numeric_limits<std::int64_t>::max()) {
    range += " or more";
  } else if (max != min) {
    range += " to " + std::to_string(max);
  }
  return {"integer", range,
          [min, max, range](const Value& value, const std::string& key,
                            Problems& problems) -> std::optional<std::int64_t> {
            const auto* number = value.as<std::int64_t>();
            if (number != nullptr && *number >= min && *number <= max) {
              return *number;
            }
            expected(value, key, "an integer, " + range, problems);
            return std::nullopt;
          },
          [](const std::int64_t& value) { return std::to_string(value); }};
}

KeyType<std::chrono::milliseconds> duration(std::chrono::milliseconds min,
                                            std::chrono::milliseconds max) {
  const std::string range = format_duration(min) + " to " + format_duration(max);
  return {
      "duration", range,
      [min, max, range](const Value& value, const std::string& key,
                        Problems& problems) -> std::optional<std::chrono::milliseconds> {
        const auto* text = value.as<std::string>();
        const auto read = text == nullptr ? std::nullopt : parse_duration(*text);
        if (read && *read >= min && *read <= max) {
          return read;
        }
        expected(value, key, "a duration such as \"1m30s\", " + range, problems);
        return std::nullopt;
      },
      [](const std::chrono::milliseconds& value) { return '"' + format_duration(value) + '"'; }};
}

KeyType<std::string> text(std::string name, const TextCheck& check) {
  return {std::move(name), "",
          [check](const Value& value, const std::string& key,
                  Problems& problems) -> std::optional<std::string> {
            const auto* read = value.as<std::string>();
            if (read == nullptr) {
              expected(value, key, "text", problems);
              return std::nullopt;
            }
            if (const auto wanted = check ? check(*read) : std::nullopt) {
              expected(value, key, *wanted, problems);
              return std::nullopt;
            }
            return *read;
          },
          [](const std::string& value) { return json_string(value); }};
}

KeyType<std::string> path() {
  KeyType<std::string> type = text("path");
  type.read = [](const Value& value, const std::string& key,
                 Problems& problems) -> std::optional<std::string> {
    const auto* read = value.as<std::string>();
    if (read == nullptr || read->find('\0') != std::string::npos) {
      expected(value, key, "a path", problems);
      return std::nullopt;
    }
    const auto& source = value.at().source;
    if (read->empty() || !source || source->folder.empty()) {
      return *read;
    }
    return (source->folder / *read).lexically_normal().string();
  };
  return type;
}

KeyType<std::string> quantity() {
  KeyType<std::string> type = text("quantity", check_quantity);
  type.read = [as_text = type.read](const Value& value, const std::string& key,
                                    Problems& problems) -> std::optional<std::string> {
    if (const auto* number = value.as<std::int64_t>(); number != nullptr && *number >= 0) {
      return std::to_string(*number);
    }
    if (value.as<std::string>() == nullptr) {
      expected(value, key, *check_quantity(""), problems);
      return std::nullopt;
    }
    return as_text(value, key, problems);
  };
  return type;
}

KeyType<Listen> listen(bool allow_off, bool allow_range) {
  std::string what = "address and port such as \"127.0.0.1:10250\"";
  what += allow_range ? ", or a range of ports (\":10250-10299\")" : "";
  what += allow_off ? ", or \"off\"" : "";
  return {
      "address", allow_off ? "\"off\" for none" : "",
      [=](const Value& value, const std::string& key, Problems& problems) -> std::optional<Listen> {
        const auto* text = value.as<std::string>();
        if (text != nullptr && allow_off && *text == "off") {
          Listen none;
          none.off = true;
          return none;
        }
        const auto read = text == nullptr ? std::nullopt : read_listen(*text, allow_range);
        if (!read) {
          expected(value, key, what, problems);
        }
        return read;
      },
      show_listen};
}

std::optional<std::size_t> read_choice(const Value& value,
                                       const std::string& key,
                                       const std::vector<std::string_view>& words,
                                       Problems& problems) {
  if (const auto* text = value.as<std::string>()) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (same_word(words[i], *text)) {
        return i;
      }
    }
  }
  std::string what = "one of";
  for (std::size_t i = 0; i < words.size(); ++i) {
    what += (i == 0 ? " \"" : ", \"") + std::string(words[i]) + '"';
  }
  const auto* text = value.as<std::string>();
  problems.error(value.at(), key,
                 "expected " + what + ", found " + value.describe() +
                     (text == nullptr ? std::string() : did_you_mean(*text, words)));
  return std::nullopt;
}

std::string show_table_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
  return bare ? std::string(key) : json_string(key);
}

}  // namespace vkhost::config
