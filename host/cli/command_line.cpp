#include "cli/command_line.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vkhost::cli {
namespace {

class Reader {
 public:
  Reader(std::span<const std::string> arguments,
         std::span<const Flag> table,
         UnknownFlags unknown,
         std::string_view ignored_prefix)
      : arguments_(arguments), table_(table), unknown_(unknown), ignored_prefix_(ignored_prefix) {}

  CommandLine read() {
    bool only_words = false;
    while (next_ < arguments_.size()) {
      const std::string& argument = arguments_[next_++];
      if (only_words || argument.size() < 2 || argument.front() != '-') {
        line_.words.push_back(argument);
      } else if (argument == "--") {
        only_words = true;
      } else if (argument == "-h" || argument == "--help") {
        line_.wants_help = true;
      } else {
        read_flag(argument);
      }
    }
    return std::move(line_);
  }

 private:
  void read_flag(const std::string& argument) {
    const auto equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const Flag* flag = find(name);
    if (flag == nullptr) {
      read_unknown(name, equals == std::string::npos ? nullptr : &argument, equals);
    } else if (flag->value.empty()) {
      read_switch(*flag,
                  equals == std::string::npos ? take_boolean() : argument.substr(equals + 1));
    } else if (equals != std::string::npos) {
      line_.flags.push_back({flag, argument.substr(equals + 1)});
    } else if (next_ < arguments_.size()) {
      line_.flags.push_back({flag, arguments_[next_++]});
    } else {
      line_.errors.push_back(std::string(flag->name) + " wants a value: " +
                             std::string(flag->name) + ' ' + std::string(flag->value));
    }
  }

  [[nodiscard]] const Flag* find(std::string_view name) const {
    const auto found = std::find_if(table_.begin(), table_.end(), [&](const Flag& flag) {
      const bool is_letter = name.size() == 2 && name[1] == flag.letter && flag.letter != '\0';
      return name == flag.name || is_letter;
    });
    return found == table_.end() ? nullptr : &*found;
  }

  // Charts of the originals write "--disable-taint true".
  std::string take_boolean() {
    if (next_ < arguments_.size() &&
        (arguments_[next_] == "true" || arguments_[next_] == "false")) {
      return arguments_[next_++];
    }
    return "true";
  }

  void read_switch(const Flag& flag, std::string value) {
    if (value == "1" || value == "t" || value == "T" || value == "TRUE" || value == "True") {
      value = "true";
    } else if (value == "0" || value == "f" || value == "F" || value == "FALSE" ||
               value == "False") {
      value = "false";
    }
    if (value != "true" && value != "false") {
      line_.errors.push_back(std::string(flag.name) + " is true or false, not \"" + value + "\"");
      return;
    }
    line_.flags.push_back({&flag, std::move(value)});
  }

  void read_unknown(const std::string& name, const std::string* whole, std::size_t equals) {
    std::string value = whole == nullptr ? take_value() : whole->substr(equals + 1);
    if (!ignored_prefix_.empty() && name.starts_with(ignored_prefix_)) {
      line_.unknown[name] = std::move(value);
      return;
    }
    std::vector<std::string_view> names;
    for (const Flag& flag : table_) {
      names.push_back(flag.name);
    }
    const std::string suggestion = did_you_mean(name, names);
    if (unknown_ == UnknownFlags::Kept && name.starts_with("--") && suggestion.empty()) {
      line_.unknown[name] = std::move(value);
    } else {
      line_.errors.push_back("unknown flag " + name + suggestion);
    }
  }

  std::string take_value() {
    if (unknown_ == UnknownFlags::Kept && next_ < arguments_.size() &&
        !arguments_[next_].starts_with('-')) {
      return arguments_[next_++];
    }
    return "true";
  }

  std::span<const std::string> arguments_;
  std::span<const Flag> table_;
  UnknownFlags unknown_;
  std::string_view ignored_prefix_;
  std::size_t next_ = 0;
  CommandLine line_;
};

}  // namespace

const std::string* CommandLine::find(std::string_view name) const {
  const auto found = std::find_if(flags.rbegin(), flags.rend(),
                                  [&](const GivenFlag& given) { return given.flag->name == name; });
  return found == flags.rend() ? nullptr : &found->value;
}

bool CommandLine::is_set(std::string_view name) const {
  const std::string* value = find(name);
  return value != nullptr && *value == "true";
}

CommandLine read_command_line(std::span<const std::string> arguments,
                              std::span<const Flag> table,
                              UnknownFlags unknown,
                              std::string_view ignored_prefix) {
  return Reader(arguments, table, unknown, ignored_prefix).read();
}

}  // namespace vkhost::cli
