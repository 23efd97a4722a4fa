#include "config/reference.hpp"

#include "config/environment.hpp"
#include "config/keys.hpp"

#include <string_view>
#include <vector>

namespace vkhost::config {
namespace {

constexpr std::string_view kHead =
    R"(<!-- Written by tools/update-configuration-docs from the daemon's own table of keys. -->
# Configuration

One TOML file, read by `vkhost run --config FILE`; `vkhost check-config FILE` checks it and changes
nothing. Unknown keys, wrong types and bad values are errors that name file, line, key and what was
expected, all of them at once.

- A flag wins over the file, the file over an environment variable, that over the default.
- Names may be written with `-` instead of `_`.
- A duration is text with units: `"500ms"`, `"10s"`, `"1m30s"`, `"2h"`.
- A relative path in the file starts at the file's own folder.
- Secrets come from files or from the environment, never from arguments.
- On SIGHUP the daemon reads its configuration again. A change of a key marked *live* takes effect;
  every other change takes a restart, and the log names it with file and line. A file with errors
  changes nothing. [More](reload.md).

A plugin's settings stand in `[provider.settings]`. The plugin carries a schema of them, and the
daemon checks the table before anything starts. Where the schema marks a setting as a secret or as
the content of a file, the value may be a table: `{ file = "/run/secrets/key" }` or
`{ env = "API_KEY" }`.
)";

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return out;
}

std::string default_cell(const KeyDescription& key) {
  if (key.required) {
    return "**required**";
  }
  if (key.default_text.empty() || key.default_text == "\"\"") {
    return "";
  }
  return key.default_is_prose ? cell(key.default_text) : '`' + cell(key.default_text) + '`';
}

void append_rows(std::string& out, const std::vector<KeyDescription>& keys) {
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const KeyDescription& key : keys) {
    if (!key.members.empty()) {
      continue;
    }
    out += "| `" + key.name + "` | " + cell(key.type);
    if (!key.range.empty()) {
      out += ": " + cell(key.range);
    }
    out += " | " + default_cell(key) + " | " + cell(key.text);
    out += key.reload == Reload::Live         ? " *live*"
           : key.reload == Reload::ByProvider ? " *live where the plugin says so*"
                                              : "";
    out += " |\n";
  }
}

void append_variables(std::string& out) {
  out += "\n## Environment variables\n\n";
  out +=
      "Those of virtual-kubelet and its providers, each the default of a key. Empty ones count "
      "as unset.\n\n| variable | key | meaning |\n|---|---|---|\n";
  for (const EnvironmentVariable& variable : environment_variables()) {
    out += "| `" + std::string(variable.name) + "` | ";
    out += variable.key.empty() ? "no effect" : '`' + std::string(variable.key) + '`';
    out += " | " + std::string(variable.text) + " |\n";
  }
}

}  // namespace

std::string reference_page() {
  std::string out(kHead);
  const std::vector<KeyDescription> keys = all_keys().describe();
  out += "\n## Top level\n\n";
  append_rows(out, keys);
  for (const KeyDescription& key : keys) {
    if (key.members.empty()) {
      continue;
    }
    out += "\n## `[" + key.name + "]`";
    out += key.is_list ? " or `[[" + key.name + "]]`" : "";
    out += "\n\n" + key.text + "\n\n";
    append_rows(out, key.members);
  }
  append_variables(out);
  return out;
}

}  // namespace vkhost::config
