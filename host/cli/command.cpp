#include "cli/command.hpp"

#include "cli/completion.hpp"
#include "cli/run_flags.hpp"
#include "config/reference.hpp"

#include <algorithm>
#include <array>
#include <ostream>

namespace vkhost::cli {
namespace {

constexpr Flag kConfig{"--config", "FILE", "Configuration file.", 'c'};
constexpr Flag kOutput{"--output", "FORM", "Form of the answer.", 'o', "wide|json|name"};

constexpr std::array kCheckConfigFlags = {
    kConfig, Flag{"--without-plugins", "", "Leave out what only the plugins can judge."}};

constexpr std::array kDoctorFlags = {
    kConfig,
    Flag{"--admin-kubeconfig", "FILE",
         "Asks the API server, with these, whether it reaches the nodes."},
    Flag{"--output", "FORM", "Form of the answer.", 'o', "json"},
};

constexpr std::array kExplainFlags = {
    kConfig,
    Flag{"--node", "NAME", "The node that it is to run on; default: the first one."},
    Flag{"--output", "FORM", "Form of the answer.", 'o', "json"},
};

constexpr std::array kPluginsFlags = {kConfig, kOutput};

constexpr std::array kGetFlags = {
    kOutput,
    Flag{"--namespace", "NAME", "Pods of this namespace only.", 'n'},
    Flag{"--all-namespaces", "", "Show the namespace of each pod.", 'A'},
    Flag{"--node", "NAME", "This node only."},
    Flag{"--runtime", "FOLDER", "The running daemon's paths.runtime."},
    kConfig,
};

constexpr std::array kVersionFlags = {
    Flag{"--output", "FORM", "Form of the answer.", 'o', "json"},
    // The originals take it on every sub-command.
    Flag{"--log-level", "LEVEL", ""},
};

constexpr std::array kCommands = {
    Command{
        "run",
        "",
        "",
        "Run the daemon in the foreground.",
        "Also meant when there are flags and no command, and when the program is called\n"
        "virtual-kubelet. Without --config: $VKHOST_CONFIG, else ~/.config/vkhost/vkhost.toml or\n"
        "/etc/vkhost/vkhost.toml, unless --provider says that there is none. Flags that a plugin\n"
        "describes as its own are handed to it.",
        {},
        UnknownFlags::Kept,
        run_command},
    Command{
        "check-config", "", "FILE",
        "Check a configuration, with the plugins' settings in it, and change nothing.",
        "Names every problem with file, line and key. Plugins are loaded and asked about their\n"
        "settings; nothing is started and nothing is dialled.",
        kCheckConfigFlags, UnknownFlags::Refused, check_config_command},
    Command{
        "doctor", "", "", "Look for what keeps the daemon from working, and say what to do.",
        "Checks configuration, folders, certificates, plugins and their back ends, addresses and\n"
        "ports, the API server and its clock, each right that is needed, and the way from the API\n"
        "server to the nodes of a daemon that runs. Changes nothing in the cluster, and shows no\n"
        "secret. Exits with 0 when there is no problem (warnings are none), else with the code of\n"
        "the first one: 3 configuration, 4 plugin, 5 back end, address, API server or "
        "reachability,\n"
        "1 all else. Run it as the daemon's user, in its place.",
        kDoctorFlags, UnknownFlags::Refused, doctor_command},
    Command{
        "explain", "", "FILE",
        "Say which fields of a pod the provider would not honour, and whether the pod would run.",
        "FILE holds YAML or JSON documents of kind Pod; - is standard input. Needs neither a "
        "running\n"
        "daemon nor a cluster: the plugin is loaded and asked, nothing is started and nothing is\n"
        "dialled, so that of the node only what the configuration says is known. Exits with 1 when "
        "a\n"
        "pod would be rejected.",
        kExplainFlags, UnknownFlags::Refused, explain_command},
    Command{
        "plugins", "providers", "[NAME]",
        "List the plugins that would be found, with version, ABI and extensions.",
        "A plugin that would be refused is shown with the reason. With a name: that plugin only.",
        kPluginsFlags, UnknownFlags::Refused, plugins_command},
    Command{
        "get", "", "pods|nodes", "Show pods or nodes of the daemon that runs on this machine.",
        "Asks the running daemon over its kubelet API, with the credential in its runtime folder,\n"
        "so it works for the same user, in a cluster or standalone, also while the API server is\n"
        "away. A pod in trouble shows its last error and when the next try is due.",
        kGetFlags, UnknownFlags::Refused, get_command},
    Command{"version", "", "", "Show the versions of daemon, provider ABI and configuration.", "",
            kVersionFlags, UnknownFlags::Refused, version_command},
    Command{"completion",
            "",
            "bash|zsh|fish",
            "Write a completion script for a shell.",
            "bash: source <(vkhost completion bash)\n"
            "zsh:  source <(vkhost completion zsh)\n"
            "fish: vkhost completion fish | source",
            {},
            UnknownFlags::Refused,
            completion_command},
    Command{"help",
            "",
            "COMMAND",
            "Show help, of a command if one is named.",
            "",
            {},
            UnknownFlags::Refused,
            help_command},
    // For tools/update-configuration-docs.
    Command{"reference",
            "",
            "configuration|command-line",
            "",
            "",
            {},
            UnknownFlags::Refused,
            reference_command},
};

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

std::string usage_line(const Command& command) {
  std::string line = "vkhost " + std::string(command.name);
  line += command.words.empty() ? "" : ' ' + std::string(command.words);
  return line + " [flags]";
}

std::string flag_line(const Flag& flag) {
  std::string line = flag.letter == '\0' ? "      " : std::string("  -") + flag.letter + ", ";
  line += flag.name;
  line += flag.value.empty() ? "" : ' ' + std::string(flag.value);
  std::string out = padded(std::move(line), 36) + std::string(flag.text);
  if (!flag.words.empty()) {
    out += " (" + std::string(flag.words) + ')';
  }
  return out + '\n';
}

std::string exit_code_lines(std::string_view before, std::string_view between) {
  std::string out;
  for (const ExitCodeMeaning& meaning : exit_code_meanings()) {
    out += before;
    out += std::to_string(static_cast<int>(meaning.code));
    out += between;
    out += meaning.meaning;
    out += before == "| " ? " |\n" : "\n";
  }
  return out;
}

std::string escaped_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return out;
}

void append_flag_rows(std::string& out, const Command& command) {
  out += "\n| flag | meaning |\n|---|---|\n";
  for (const Flag& flag : flags_of(command)) {
    if (flag.text.empty()) {
      continue;
    }
    out += "| `" + std::string(flag.name);
    out += flag.value.empty() ? "`" : ' ' + std::string(flag.value) + '`';
    out += flag.letter == '\0' ? "" : std::string(", `-") + flag.letter + '`';
    out += " | " + std::string(flag.text);
    out += flag.words.empty() ? "" : " `" + escaped_cell(flag.words) + '`';
    out += " |\n";
  }
}

void append_original_flags(std::string& out) {
  out +=
      "\n## Flags of virtual-kubelet and its providers\n\n"
      "Each of them is taken as a key of the [configuration](configuration.md), over what the "
      "file\n"
      "says, or named in a warning.\n\n| flag | key, or why it has no effect |\n|---|---|\n";
  for (const RunFlag& known : run_flags()) {
    std::string effect = '`' + std::string(known.key) + '`';
    if (known.key.empty()) {
      effect = known.flag.name == "--provider-config" ? "`provider.settings`, from a file"
               : known.instead.empty()                ? ""
                                                      : "no effect: " + std::string(known.instead);
    }
    if (!effect.empty()) {
      out += "| `" + std::string(known.flag.name) + "` | " + effect + " |\n";
    }
  }
  out += "| `--klog.*` | no effect: use `--log-level` and `--log-format` |\n";
  out +=
      "| flags of a plugin, such as `--sce-project-name` | the setting that the plugin names; "
      "secrets are refused |\n";
}

}  // namespace

std::span<const Flag> flags_of(const Command& command) {
  return command.name == "run" ? run_flag_table() : command.flags;
}

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& command) {
    return name == command.name || (!command.alias.empty() && name == command.alias);
  });
  return found == kCommands.end() ? nullptr : &*found;
}

std::string help_text() {
  std::string out =
      "vkhost joins a Kubernetes cluster as virtual nodes, whose pods a provider plugin runs.\n\n"
      "Usage: vkhost COMMAND [flags]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    if (!command.summary.empty()) {
      out += padded("  " + std::string(command.name), 18) + std::string(command.summary) + '\n';
    }
  }
  out += "\nvkhost COMMAND --help shows the flags of a command.\n\nExit codes:\n";
  return out + exit_code_lines("  ", "  ");
}

std::string help_text(const Command& command) {
  std::string out(command.summary);
  out += "\n\nUsage: " + usage_line(command) + '\n';
  if (!command.alias.empty()) {
    out += "Also:  vkhost " + std::string(command.alias) + '\n';
  }
  if (!command.text.empty()) {
    out += '\n' + std::string(command.text) + '\n';
  }
  std::string flags;
  for (const Flag& flag : flags_of(command)) {
    flags += flag.text.empty() ? "" : flag_line(flag);
  }
  return flags.empty() ? out : out + "\nFlags:\n" + flags;
}

std::string command_reference() {
  std::string out =
      "<!-- Written by tools/update-configuration-docs from the daemon's own table of commands. "
      "-->\n"
      "# Command line\n";
  for (const Command& command : kCommands) {
    if (command.summary.empty()) {
      continue;
    }
    out += "\n## `vkhost " + std::string(command.name) + "`\n\n" + std::string(command.summary);
    out += command.alias.empty() ? "" : " Also as `vkhost " + std::string(command.alias) + "`.";
    out += "\n\n```\n" + usage_line(command) + "\n```\n";
    if (!command.text.empty()) {
      out += command.name == "completion" ? "\n```\n" + std::string(command.text) + "\n```\n"
                                          : '\n' + std::string(command.text) + '\n';
    }
    if (!flags_of(command).empty()) {
      append_flag_rows(out, command);
    }
  }
  append_original_flags(out);
  out += "\n## Exit codes\n\n| code | meaning |\n|---|---|\n" + exit_code_lines("| ", " | ");
  return out;
}

ExitCode usage_error(const Terminal& terminal, std::string_view command, std::string_view text) {
  terminal.err << "vkhost: " << text << "\nTry: vkhost " << command << (command.empty() ? "" : " ")
               << "--help\n";
  return ExitCode::Usage;
}

ExitCode help_command(const CommandLine& line, const Terminal& terminal) {
  if (line.words.empty()) {
    terminal.out << help_text();
    return ExitCode::Ok;
  }
  const Command* command = find_command(line.words.front());
  if (command == nullptr) {
    return usage_error(terminal, "", "there is no command \"" + line.words.front() + "\"");
  }
  terminal.out << help_text(*command);
  return ExitCode::Ok;
}

ExitCode reference_command(const CommandLine& line, const Terminal& terminal) {
  if (line.words.size() == 1 && line.words.front() == "configuration") {
    terminal.out << config::reference_page();
  } else if (line.words.size() == 1 && line.words.front() == "command-line") {
    terminal.out << command_reference();
  } else {
    return usage_error(terminal, "reference", "expected configuration or command-line");
  }
  return ExitCode::Ok;
}

}  // namespace vkhost::cli
