#include "base/json_text.hpp"
#include "cli/command.hpp"
#include "cli/load_config.hpp"
#include "cli/text_table.hpp"
#include "daemon/provider_libraries.hpp"
#include "plugin/library.hpp"
#include "plugin/library_search.hpp"

#include <array>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::cli {
namespace {

// Extensions that this daemon asks plugins for.
constexpr std::array<std::string_view, 9> kExtensions = {
    "vkp.logs/1",    "vkp.exec/1",    "vkp.attach/1",      "vkp.port_forward/1", "vkp.stats/1",
    "vkp.reserve/1", "vkp.explain/1", "vkp.reconfigure/1", "vkp.retire/1"};

struct PluginRow {
  std::string name;
  std::string version;
  std::string abi;
  std::string path;
  std::string sha256;
  std::string refused;
  std::vector<std::string> extensions;
};

PluginRow inspect(const plugin::FoundPlugin& found, plugin::Loader& loader) {
  PluginRow row;
  row.name = found.name;
  row.path = found.path.string();
  row.sha256 = found.sha256;
  if (found.head.magic != 0) {
    row.abi = std::to_string(found.head.abi_major) + '.' + std::to_string(found.head.abi_minor);
  }
  if (!found.status.is_ok()) {
    row.refused = found.status.message();
    return row;
  }
  const auto library = loader.load({found.path, "", plugin::Trust::Checked});
  if (!library) {
    row.refused = library.status().message();
    return row;
  }
  row.version = (*library)->description().version;
  for (const std::string_view id : kExtensions) {
    if ((*library)->supports(id)) {
      row.extensions.emplace_back(id);
    }
  }
  return row;
}

// "logs exec stats": what stands between "vkp." and the version.
std::string short_names(const std::vector<std::string>& extensions) {
  std::string out;
  for (const std::string& id : extensions) {
    out += (out.empty() ? "" : " ") + id.substr(4, id.find('/') - 4);
  }
  return out;
}

void show_json(const std::vector<PluginRow>& rows, std::ostream& out) {
  out << "{\"plugins\":[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const PluginRow& row = rows[i];
    out << (i == 0 ? "" : ",") << "{\"name\":" << json_string(row.name)
        << ",\"version\":" << json_string(row.version) << ",\"abi\":" << json_string(row.abi)
        << ",\"path\":" << json_string(row.path) << ",\"sha256\":" << json_string(row.sha256)
        << ",\"extensions\":[";
    for (std::size_t k = 0; k < row.extensions.size(); ++k) {
      out << (k == 0 ? "" : ",") << json_string(row.extensions[k]);
    }
    out << ']';
    if (!row.refused.empty()) {
      out << ",\"refused\":" << json_string(row.refused);
    }
    out << '}';
  }
  out << "]}\n";
}

void show_table(const std::vector<PluginRow>& rows, bool wide, std::ostream& out) {
  TextTable table({"NAME", "VERSION", "ABI", "EXTENSIONS", "REFUSED", "FILE", "SHA256"});
  for (const PluginRow& row : rows) {
    const bool show_file = wide || !row.refused.empty();
    table.add({row.name, row.version, row.abi, short_names(row.extensions), row.refused,
               show_file ? row.path : "", wide ? row.sha256 : ""});
  }
  out << table.render(3);
}

std::vector<PluginRow> find_rows(const std::vector<std::filesystem::path>& folders,
                                 const std::vector<std::string>& wanted) {
  const SystemClock clock;
  plugin::Loader loader({}, clock, observe::Logger());
  std::vector<PluginRow> rows;
  for (const plugin::FoundPlugin& found : plugin::list_plugins(folders, plugin::Trust::Checked)) {
    if (wanted.empty() || wanted.front() == found.name) {
      rows.push_back(inspect(found, loader));
    }
  }
  return rows;
}

}  // namespace

ExitCode plugins_command(const CommandLine& line, const Terminal& terminal) {
  const std::string* form = line.find("--output");
  if (line.words.size() > 1 ||
      (form != nullptr && *form != "wide" && *form != "json" && *form != "name")) {
    return usage_error(terminal, "plugins", "expected at most one name, and -o wide, json or name");
  }
  config::Value no_flags(config::Table{}, config::Place{});
  const config::Loaded loaded =
      load_config(config_file(line.find("--config"), terminal), std::move(no_flags), terminal);
  const auto folders = daemon::plugin_folders(loaded.config, terminal.executable);
  const std::vector<PluginRow> rows = find_rows(folders, line.words);
  if (rows.empty()) {
    terminal.err << (line.words.empty() ? std::string("No plugins in")
                                        : "no such provider " + line.words.front() + " in");
    for (const auto& folder : folders) {
      terminal.err << ' ' << folder.string();
    }
    terminal.err << '\n';
    return line.words.empty() ? ExitCode::Ok : ExitCode::Failure;
  }
  if (form != nullptr && *form == "json") {
    show_json(rows, terminal.out);
  } else if (form != nullptr && *form == "name") {
    for (const PluginRow& row : rows) {
      terminal.out << printable(row.name) << '\n';
    }
  } else {
    show_table(rows, form != nullptr, terminal.out);
  }
  return ExitCode::Ok;
}

}  // namespace vkhost::cli
