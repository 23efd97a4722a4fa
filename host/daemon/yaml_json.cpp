// yaml-cpp tells quoted from plain scalars by their tag ("!" and "?"); only plain ones may become
// numbers, booleans or null, by the rules of YAML 1.1 that kubectl follows.
#include "daemon/yaml_json.hpp"

#include "base/json_text.hpp"

#include <yaml-cpp/yaml.h>

#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace vkhost::daemon {
namespace {

constexpr int kMaxDepth = 64;

std::string at(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) {
      return true;
    }
  }
  return false;
}

bool parse_integer(std::string_view text, std::string* json) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with("0o")) {
    base = 8;
    text.remove_prefix(2);
  } else if (text.starts_with("0b")) {
    base = 2;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return false;
  }
  *json = (negative ? "-" : "") + std::to_string(value);
  return true;
}

bool parse_float(std::string_view text, std::string* json) {
  // from_chars also takes "inf" and "nan", which JSON cannot say: they stay strings.
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos ||
      text.find_first_of("0123456789") == std::string_view::npos) {
    return false;
  }
  if (text.front() == '+') {
    text.remove_prefix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return false;
  }
  std::array<char, 32> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  json->assign(buffer.data(), written.ptr);
  return true;
}

std::string scalar_json(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const std::string& tag = node.Tag();
  if (tag == "?") {
    if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) {
      return "null";
    }
    if (is_one_of(text,
                  {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})) {
      return "true";
    }
    if (is_one_of(text,
                  {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"})) {
      return "false";
    }
    std::string number;
    if (parse_integer(text, &number) || parse_float(text, &number)) {
      return number;
    }
  }
  return json_string(text);
}

Status append_json(const YAML::Node& node, int depth, std::string* out);

Status append_map(const YAML::Node& node, int depth, std::string* out) {
  std::set<std::string> keys;
  *out += '{';
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      return invalid_argument(at(entry.first.Mark()) + ": a key has to be a plain word");
    }
    const std::string& key = entry.first.Scalar();
    if (key == "<<" && entry.first.Tag() == "?") {
      return invalid_argument(at(entry.first.Mark()) +
                              ": merge keys (<<) are not supported; write the members out");
    }
    if (!keys.insert(key).second) {
      return invalid_argument(at(entry.first.Mark()) + ": key \"" + key + "\" is there twice");
    }
    if (keys.size() > 1) {
      *out += ',';
    }
    append_json_string(*out, key);
    *out += ':';
    VKHOST_TRY(append_json(entry.second, depth + 1, out));
  }
  *out += '}';
  return Status::ok();
}

Status append_json(const YAML::Node& node, int depth, std::string* out) {
  constexpr std::size_t kMaxBytes = std::size_t{2} * 1024 * 1024;
  if (depth > kMaxDepth) {
    return invalid_argument(at(node.Mark()) + ": nested deeper than 64 levels");
  }
  if (out->size() > kMaxBytes) {
    // Aliases are cheap in YAML and are written out in JSON.
    return invalid_argument(at(node.Mark()) + ": the document has more than 2 MiB as JSON");
  }
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      *out += scalar_json(node);
      return Status::ok();
    case YAML::NodeType::Sequence: {
      *out += '[';
      bool first = true;
      for (const auto& item : node) {
        if (!std::exchange(first, false)) {
          *out += ',';
        }
        VKHOST_TRY(append_json(item, depth + 1, out));
      }
      *out += ']';
      return Status::ok();
    }
    case YAML::NodeType::Map:
      return append_map(node, depth, out);
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  *out += "null";
  return Status::ok();
}

}  // namespace

Result<std::vector<YamlDocument>> yaml_to_json(std::string_view text) {
  if (!is_utf8(text)) {
    return invalid_argument("the file is not UTF-8");
  }
  std::vector<YamlDocument> documents;
  try {
    for (const YAML::Node& node : YAML::LoadAll(std::string(text))) {
      if (node.IsNull() || !node.IsDefined()) {
        continue;
      }
      YamlDocument document;
      document.line = node.Mark().line + 1;
      VKHOST_TRY(append_json(node, 0, &document.json));
      documents.push_back(std::move(document));
    }
  } catch (const YAML::Exception& error) {
    return invalid_argument(at(error.mark) + ": " + error.msg);
  }
  return documents;
}

}  // namespace vkhost::daemon
