#include "flags.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace vkhost::bench {
namespace {

int positive_number(const std::string& flag, std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
    throw std::runtime_error(flag + " takes a number above 0");
  }
  return number;
}

}  // namespace

Flags::Flags(int argc, char** argv, FlagDefaults defaults) : values_(std::move(defaults)) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (const auto found = values_.switches.find(flag); found != values_.switches.end()) {
      found->second = true;
      continue;
    }
    const bool is_number = values_.numbers.contains(flag);
    if (!is_number && !values_.texts.contains(flag)) {
      throw std::runtime_error("unknown flag " + flag);
    }
    if (++i == argc) {
      throw std::runtime_error(flag + " takes a value");
    }
    if (is_number) {
      values_.numbers[flag] = positive_number(flag, argv[i]);
    } else {
      values_.texts[flag] = argv[i];
    }
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values.at(middle)
                                : (values.at(middle - 1) + values.at(middle)) / 2;
}

}  // namespace vkhost::bench
