#include "cli/completion.hpp"

#include "cli/command.hpp"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <string_view>
#include <vector>

namespace vkhost::cli {
namespace {

// "wide|json|name" → "wide json name"; names in capitals stand for anything, brackets for
// what may be left out.
std::string choices(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find('|'));
    if (std::islower(static_cast<unsigned char>(word.front())) != 0) {
      out += (out.empty() ? "" : " ") + std::string(word);
    }
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return out;
}

bool is_shown(const Command& command) { return !command.summary.empty(); }

bool wants_path(const Flag& flag) { return flag.value == "FILE" || flag.value == "FOLDER"; }

std::string names_of_commands() {
  std::string out;
  for (const Command& command : commands()) {
    if (is_shown(command)) {
      out += (out.empty() ? "" : " ") + std::string(command.name);
      out += command.alias.empty() ? "" : ' ' + std::string(command.alias);
    }
  }
  return out;
}

std::string pattern_of(const Command& command) {
  return std::string(command.name) +
         (command.alias.empty() ? "" : '|' + std::string(command.alias));
}

// Words and flags after a command, separated by blanks.
std::string words_of(const Command& command) {
  std::string out = choices(command.words);
  if (command.name == "help") {
    out = names_of_commands();
  }
  for (const Flag& flag : flags_of(command)) {
    if (!flag.text.empty()) {
      out += (out.empty() ? "" : " ") + std::string(flag.name);
    }
  }
  return out + (out.empty() ? "" : " ") + "--help";
}

// In single quotes, as every shell reads them.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

// What follows a flag: cases of a shell's `case` by flag.
std::string flag_cases(std::string_view path_action, std::string_view word_action) {
  std::string out;
  std::vector<std::string_view> seen;
  for (const Command& command : commands()) {
    for (const Flag& flag : flags_of(command)) {
      if (!is_shown(command) || flag.text.empty() ||
          std::find(seen.begin(), seen.end(), flag.name) != seen.end() ||
          (!wants_path(flag) && flag.words.empty())) {
        continue;
      }
      seen.push_back(flag.name);
      out += "    " + std::string(flag.name);
      out += flag.letter == '\0' ? "" : std::string("|-") + flag.letter;
      out += ") ";
      if (wants_path(flag)) {
        out += path_action;
      } else {
        std::string action(word_action);
        action.replace(action.find('@'), 1, in_quotes(choices(flag.words)));
        out += action;
      }
      out += " ;;\n";
    }
  }
  return out;
}

std::string command_cases(std::string_view action) {
  std::string out;
  for (const Command& command : commands()) {
    if (is_shown(command)) {
      std::string line(action);
      line.replace(line.find('@'), 1, in_quotes(words_of(command)));
      out += "    " + pattern_of(command) + ") " + line + " ;;\n";
    }
  }
  return out;
}

}  // namespace

std::string bash_completion() {
  return R"(# vkhost completion for bash: source <(vkhost completion bash)
_vkhost() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  case $previous in
)" +
         flag_cases("mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return",
                    "mapfile -t COMPREPLY < <(compgen -W @ -- \"$current\"); return") +
         R"(  esac
  case ${COMP_WORDS[1]} in
)" + command_cases("[ \"$COMP_CWORD\" -gt 1 ] && words=@") +
         R"(  esac
  [ "$COMP_CWORD" -gt 1 ] || words=)" +
         in_quotes(names_of_commands()) + R"(
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [ "${#COMPREPLY[@]}" -eq 0 ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _vkhost vkhost
)";
}

std::string zsh_completion() {
  return R"(#compdef vkhost
# vkhost completion for zsh: source <(vkhost completion zsh)
_vkhost() {
  local -a choices
  case $words[CURRENT-1] in
)" + flag_cases("_files; return", "choices=(${=:-@}); compadd -a choices; return") +
         R"(  esac
  if (( CURRENT == 2 )); then
    choices=(${=:-)" +
         in_quotes(names_of_commands()) + R"(})
    compadd -a choices
    return
  fi
  case $words[2] in
)" + command_cases("choices=(${=:-@})") +
         R"(  esac
  compadd -a choices
  _files
}
if [ "$funcstack[1]" = _vkhost ]; then
  _vkhost
else
  compdef _vkhost vkhost
fi
)";
}

std::string fish_completion() {
  std::string out = "# vkhost completion for fish: vkhost completion fish | source\n";
  for (const Command& command : commands()) {
    if (!is_shown(command)) {
      continue;
    }
    const std::string names = command.alias.empty()
                                  ? std::string(command.name)
                                  : std::string(command.name) + ' ' + std::string(command.alias);
    out += "complete -c vkhost -n __fish_use_subcommand -x -a " + in_quotes(names) + " -d " +
           in_quotes(command.summary) + '\n';
    const std::string after = "complete -c vkhost -n '__fish_seen_subcommand_from " + names + "'";
    const std::string words = command.name == "help" ? names_of_commands() : choices(command.words);
    if (!words.empty()) {
      out += after + " -x -a " + in_quotes(words) + '\n';
    }
    for (const Flag& flag : flags_of(command)) {
      if (flag.text.empty()) {
        continue;
      }
      out += after + " -l " + std::string(flag.name.substr(2));
      out += flag.letter == '\0' ? "" : std::string(" -s ") + flag.letter;
      out += wants_path(flag) ? " -r -F" : flag.value.empty() ? "" : " -x";
      out += flag.words.empty() ? "" : " -a " + in_quotes(choices(flag.words));
      out += " -d " + in_quotes(flag.text) + '\n';
    }
  }
  return out;
}

ExitCode completion_command(const CommandLine& line, const Terminal& terminal) {
  const std::string shell = line.words.size() == 1 ? line.words.front() : std::string();
  if (shell == "bash") {
    terminal.out << bash_completion();
  } else if (shell == "zsh") {
    terminal.out << zsh_completion();
  } else if (shell == "fish") {
    terminal.out << fish_completion();
  } else {
    return usage_error(terminal, "completion", "expected bash, zsh or fish");
  }
  return ExitCode::Ok;
}

}  // namespace vkhost::cli
