// Reading arguments by a table of flags.
//
// Not Poco::Util: the flags of virtual-kubelet come with the habits of their parser ("--flag=false",
// the last of several counts, no abbreviations), help and shell completion are made from the same
// table, and a mistyped flag gets a suggestion. [startup] [no-block]
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::cli {

struct Flag {
  std::string_view name;        // "--config"
  std::string_view value;       // "FILE"; empty: a switch, "--standalone" or "--standalone=false"
  std::string_view text;        // for the help; empty: not shown there
  char letter = '\0';           // "-c"
  std::string_view words = {};  // what a value may be, for completion: "wide|json|name"
};

struct GivenFlag {
  const Flag* flag = nullptr;
  std::string value;  // of a switch "true" or "false"
};

struct CommandLine {
  std::vector<GivenFlag> flags;  // in their order
  std::vector<std::string> words;
  // Flags that are not in the table, when they are allowed: a plugin may know them.
  std::map<std::string, std::string> unknown;
  std::vector<std::string> errors;  // a sentence each
  bool wants_help = false;          // -h or --help

  [[nodiscard]] const std::string* find(std::string_view name) const;  // the last one given
  [[nodiscard]] bool is_set(std::string_view name) const;              // a switch that is on
};

enum class UnknownFlags { Refused, Kept };

// `arguments` without the names of program and command. A flag that resembles one of the table is
// refused in any case. What begins with one of `ignored_prefixes` ("--klog.") is kept in any case.
[[nodiscard]] CommandLine read_command_line(std::span<const std::string> arguments,
                                            std::span<const Flag> table,
                                            UnknownFlags unknown,
                                            std::string_view ignored_prefix = {});

}  // namespace vkhost::cli
