#include "base/version.hpp"
#include "cli/command.hpp"
#include "config/config.hpp"
#include "plugin/elf_descriptor.hpp"

#include <ostream>
#include <string>

namespace vkhost::cli {

ExitCode version_command(const CommandLine& line, const Terminal& terminal) {
  // The ABI has no patch level: what changes nothing at the boundary is no version of it. Nor has the
  // file format: keys are added without a new version.
  const std::string daemon(daemon_version());
  const std::string abi = plugin::host_abi_version() + ".0";
  const std::string configuration = std::to_string(config::kConfigVersion) + ".0.0";
  const std::string* form = line.find("--output");
  if (form != nullptr && *form == "json") {
    terminal.out << R"({"daemon":")" << daemon << R"(","provider_abi":")" << abi
                 << R"(","configuration":")" << configuration << "\"}\n";
  } else if (form != nullptr) {
    return usage_error(terminal, "version", "-o is json, not \"" + *form + "\"");
  } else {
    terminal.out << "vkhost " << daemon << "\nprovider ABI " << abi << "\nconfiguration "
                 << configuration << '\n';
  }
  return ExitCode::Ok;
}

}  // namespace vkhost::cli
