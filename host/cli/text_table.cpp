#include "cli/text_table.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <cstddef>

namespace vkhost::cli {
namespace {

// Characters rather than bytes, so that columns stay aligned.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string printable(std::string_view text) {
  const std::string quoted = json_string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    const bool escaped_mark = quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\');
    i += escaped_mark ? 1 : 0;
    // C1 control characters: C2 80 to C2 9F in UTF-8.
    if (static_cast<unsigned char>(quoted[i]) == 0xC2U &&
        static_cast<unsigned char>(quoted[i + 1]) < 0xA0U) {
      ++i;
      out += '?';
    } else {
      out += quoted[i];
    }
  }
  return out;
}

std::string TextTable::render(std::size_t kept) const {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> widths(rows_.front().size());
  std::vector<bool> used(widths.size());
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    std::vector<std::string>& cells = rows.emplace_back();
    for (std::size_t column = 0; column < widths.size(); ++column) {
      cells.push_back(column < rows_[row].size() ? printable(rows_[row][column]) : std::string());
      widths[column] = std::max(widths[column], width_of(cells.back()));
      used[column] = used[column] || column < kept || (row > 0 && !cells.back().empty());
    }
  }
  std::string out;
  for (const std::vector<std::string>& cells : rows) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (used[column]) {
        line += cells[column];
        line.append(widths[column] + 3 - width_of(cells[column]), ' ');
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string short_duration(long long seconds) {
  seconds = std::max(seconds, 0LL);
  const auto part = [](long long count, char unit) {
    return count > 0 ? std::to_string(count) + unit : std::string();
  };
  if (seconds < 120) {
    return std::to_string(seconds) + 's';
  }
  if (seconds < 600) {
    return part(seconds / 60, 'm') + part(seconds % 60, 's');
  }
  if (seconds < 3 * 3600) {
    return part(seconds / 60, 'm');
  }
  if (seconds < 8 * 3600) {
    return part(seconds / 3600, 'h') + part(seconds % 3600 / 60, 'm');
  }
  if (seconds < 48 * 3600) {
    return part(seconds / 3600, 'h');
  }
  return part(seconds / 86'400, 'd');
}

}  // namespace vkhost::cli
