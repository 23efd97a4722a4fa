// Rows of text in aligned columns, as kubectl prints them. Whatever stands in a cell, it cannot steer
// the terminal. Pure. [any-thread]
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::cli {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Columns without a value in any row are left out, unless they are among the first `kept`.
  [[nodiscard]] std::string render(std::size_t kept) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// How long ago or ahead: "5s", "3m12s", "4h", "9d", as kubectl does.
[[nodiscard]] std::string short_duration(long long seconds);

// For showing what others wrote: control characters and broken UTF-8 are escaped.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace vkhost::cli
