#include "config/toml_reader.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>

namespace vkhost::config {
namespace {

constexpr int kMaxDepth = 64;
// The library bounds the depth of arrays and inline tables but not of dotted keys, and frees nested
// tables by recursion: a line of 100,000 dots ends the process. No honest line has this many.
constexpr std::ptrdiff_t kMaxDotsInLine = 5000;

class Converter {
 public:
  Converter(std::shared_ptr<const Source> source, Problems& problems)
      : source_(std::move(source)), problems_(problems) {}

  Value table(const toml::table& table, int depth) {
    Table out;
    out.reserve(table.size());
    for (auto&& [key, node] : table) {
      out.push_back({std::string(key.str()), place(key.source()), value(node, depth + 1)});
    }
    // The library sorts by name; people read from top to bottom.
    std::stable_sort(out.begin(), out.end(), [](const Member& a, const Member& b) {
      return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
    });
    return {std::move(out), place(table.source())};
  }

 private:
  [[nodiscard]] Place place(const toml::source_region& region) const {
    return {source_, region.begin.line, region.begin.column};
  }

  Value value(const toml::node& node, int depth) {
    const Place at = place(node.source());
    if (depth > kMaxDepth) {
      problems_.error(at, "", "nested deeper than " + std::to_string(kMaxDepth) + " levels");
      return {nullptr, at};
    }
    switch (node.type()) {
      case toml::node_type::table:
        return table(*node.as_table(), depth);
      case toml::node_type::array: {
        Array out;
        out.reserve(node.as_array()->size());
        for (const toml::node& element : *node.as_array()) {
          out.push_back(value(element, depth + 1));
        }
        return {std::move(out), at};
      }
      case toml::node_type::string:
        return {node.as_string()->get(), at};
      case toml::node_type::integer:
        return {node.as_integer()->get(), at};
      case toml::node_type::floating_point: {
        const double number = node.as_floating_point()->get();
        if (!std::isfinite(number)) {
          problems_.error(at, "", "expected a finite number, found inf or nan");
        }
        return {number, at};
      }
      case toml::node_type::boolean:
        return {node.as_boolean()->get(), at};
      default: {  // dates and times have no JSON type: their text
        std::ostringstream text;
        node.visit([&](const auto& known) {
          if constexpr (toml::is_date<decltype(known)> || toml::is_time<decltype(known)> ||
                        toml::is_date_time<decltype(known)>) {
            text << known.get();
          }
        });
        return {text.str(), at};
      }
    }
  }

  std::shared_ptr<const Source> source_;
  Problems& problems_;
};

// The line with too many dots, or 0.
std::uint32_t line_of_too_many_dots(std::string_view text) {
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::string_view one = text.substr(0, text.find('\n'));
    if (std::count(one.begin(), one.end(), '.') > kMaxDotsInLine) {
      return line;
    }
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return 0;
}

}  // namespace

std::optional<Value> read_toml(std::string_view text,
                               const std::shared_ptr<const Source>& source,
                               Problems& problems) {
  if (const std::uint32_t line = line_of_too_many_dots(text)) {
    problems.error(
        {source, line, 1}, "",
        "more than " + std::to_string(kMaxDotsInLine) + " dots in one line: nested too deeply");
    return std::nullopt;
  }
  try {
    const toml::table table = toml::parse(text, std::string_view(source->name));
    return Converter(source, problems).table(table, 0);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    problems.error({source, at.line, at.column}, "",
                   "not valid TOML: " + std::string(error.description()));
  }
  return std::nullopt;
}

}  // namespace vkhost::config
