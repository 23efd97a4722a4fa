// Flags: the command line of a benchmark. The constructor throws std::runtime_error with a sentence
// for what it does not know; a name that was never declared is std::out_of_range.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::bench {

// Every flag that there is, with its value when it is not given.
struct FlagDefaults {
  std::map<std::string, int, std::less<>> numbers = {};  // what is given has to be above 0
  std::map<std::string, std::string, std::less<>> texts = {};
  std::map<std::string, bool, std::less<>> switches = {};
};

class Flags {
 public:
  Flags(int argc, char** argv, FlagDefaults defaults);

  [[nodiscard]] int number(const std::string& name) const { return values_.numbers.at(name); }
  [[nodiscard]] const std::string& text(const std::string& name) const {
    return values_.texts.at(name);
  }
  [[nodiscard]] bool is_on(const std::string& name) const { return values_.switches.at(name); }

 private:
  FlagDefaults values_;
};

// Of at least one value.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace vkhost::bench
