#include "config/problem.hpp"

#include <algorithm>
#include <tuple>

namespace vkhost::config {
namespace {

auto sort_key(const Problem& problem) {
  const std::string_view name =
      problem.at.source ? std::string_view(problem.at.source->name) : std::string_view();
  return std::tuple(name, problem.at.line, problem.at.column, std::string_view(problem.key),
                    std::string_view(problem.text));
}

}  // namespace

std::string Problem::to_string() const {
  std::string out = at.to_string();
  out += severity == Severity::Warning ? ": warning: " : ": ";
  if (!key.empty()) {
    out += key;
    out += ": ";
  }
  return out + text;
}

void Problems::error(const Place& at, std::string_view key, std::string text) {
  list_.push_back({at, std::string(key), std::move(text), Severity::Error});
}

void Problems::warning(const Place& at, std::string_view key, std::string text) {
  list_.push_back({at, std::string(key), std::move(text), Severity::Warning});
}

bool Problems::has_errors() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Problem& problem) { return problem.severity == Severity::Error; });
}

void Problems::sort() {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const Problem& a, const Problem& b) { return sort_key(a) < sort_key(b); });
  list_.erase(
      std::unique(list_.begin(), list_.end(),
                  [](const Problem& a, const Problem& b) { return sort_key(a) == sort_key(b); }),
      list_.end());
}

std::string Problems::to_string() const {
  std::string out;
  for (const Problem& problem : list_) {
    out += problem.to_string();
    out += '\n';
  }
  return out;
}

}  // namespace vkhost::config
