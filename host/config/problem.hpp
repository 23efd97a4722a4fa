// Problem: one thing that is wrong with the configuration; Problems collects all of them, since a
// user wants to mend them in one go. Not shared between threads. [no-block]
#pragma once

#include "config/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::config {

enum class Severity { Error, Warning };

struct Problem {
  Place at;
  std::string key;   // "kubelet.listen", or empty
  std::string text;  // what was expected, what was found
  Severity severity = Severity::Error;

  // "vkhost.toml:3:7: kubelet.listen: expected …"; warnings say so.
  [[nodiscard]] std::string to_string() const;
};

class Problems {
 public:
  void error(const Place& at, std::string_view key, std::string text);
  void warning(const Place& at, std::string_view key, std::string text);
  void add(Problem problem) { list_.push_back(std::move(problem)); }

  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Problem>& list() const { return list_; }
  // By source and line, without repetitions; one problem a line.
  void sort();
  [[nodiscard]] std::string to_string() const;

 private:
  std::vector<Problem> list_;
};

}  // namespace vkhost::config
