// CliRun: one run of the command line inside the test, with streams and an environment of its own.
#pragma once

#include "cli/main_cli.hpp"
#include "support/places.hpp"
#include "support/test_folder.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::cli {

class CliRun {
 public:
  CliRun() { variables["HOME"] = folder.path().string(); }

  ExitCode run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), called_as);
    out.str("");
    err.str("");
    const Terminal terminal{out, err,
                            [this](const std::string& name) {
                              const auto found = variables.find(name);
                              return found == variables.end() ? std::nullopt
                                                              : std::optional(found->second);
                            },
                            testing::daemon_path(), false};
    return run_cli(arguments, terminal);
  }

  std::string called_as = "vkhost";
  testing::TestFolder folder;
  std::map<std::string, std::string> variables;
  std::ostringstream out;
  std::ostringstream err;
};

}  // namespace vkhost::cli
