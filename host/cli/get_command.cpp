#include "cli/command.hpp"
#include "cli/daemon_client.hpp"
#include "cli/load_config.hpp"
#include "cli/text_table.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

namespace vkhost::cli {
namespace {

namespace fs = std::filesystem;

// What a row's instant is from now: "3m12s", or nothing.
std::string since(const std::optional<WallTime>& time, WallTime now) {
  return time
             ? short_duration(std::chrono::duration_cast<std::chrono::seconds>(now - *time).count())
             : std::string();
}

std::string until(const std::optional<WallTime>& time, WallTime now) {
  return time && *time > now
             ? "in " + short_duration(
                           std::chrono::duration_cast<std::chrono::seconds>(*time - now).count())
             : std::string();
}

std::string status_of(const PodRow& pod) {
  const bool is_phase = pod.reason.empty() || pod.phase == "Terminating";
  const std::string& word = is_phase ? pod.phase : pod.reason;
  return word.empty() ? "Pending" : word;
}

class Getter {
 public:
  Getter(const CommandLine& line, const Terminal& terminal)
      : line_(line), terminal_(terminal), clock_(std::make_shared<SystemClock>()) {}

  ExitCode run() {
    const bool is_pods =
        line_.words.size() == 1 &&
        (line_.words[0] == "pods" || line_.words[0] == "pod" || line_.words[0] == "po");
    const bool is_nodes =
        line_.words.size() == 1 &&
        (line_.words[0] == "nodes" || line_.words[0] == "node" || line_.words[0] == "no");
    if (!is_pods && !is_nodes) {
      return usage_error(terminal_, "get", "expected pods or nodes");
    }
    form_ = line_.find("--output") != nullptr ? *line_.find("--output") : "";
    if (!form_.empty() && form_ != "wide" && form_ != "json" && form_ != "name") {
      return usage_error(terminal_, "get", "-o is wide, json or name, not \"" + form_ + "\"");
    }
    const auto daemon = find_daemon();
    if (!daemon) {
      terminal_.err << "vkhost: " << daemon.status().message() << '\n';
      return ExitCode::Unreachable;
    }
    return is_pods ? get_pods(*daemon) : get_nodes(*daemon);
  }

 private:
  [[nodiscard]] std::vector<fs::path> runtime_folders() const {
    if (const std::string* named = line_.find("--runtime")) {
      return {*named};
    }
    // Only the folder counts here: whatever else is wrong with the file is not our business.
    config::Value no_flags(config::Table{}, config::Place{});
    const auto loaded =
        load_config(config_file(line_.find("--config"), terminal_), std::move(no_flags), terminal_);
    std::vector<fs::path> folders;
    for (const fs::path& folder :
         {fs::path(loaded.config.paths.runtime), fs::path("/run/vkhost")}) {
      if (!folder.empty() && std::find(folders.begin(), folders.end(), folder) == folders.end()) {
        folders.push_back(folder);
      }
    }
    return folders;
  }

  [[nodiscard]] Result<daemon::RuntimeFile> find_daemon() const {
    std::string looked;
    for (const fs::path& folder : runtime_folders()) {
      auto file = daemon::read_runtime_file(folder);
      if (file || file.status().code() != StatusCode::NotFound) {
        return file;
      }
      looked += (looked.empty() ? "" : " and ") + folder.string();
    }
    return not_found("no daemon of this user runs: there is no daemon.json in " + looked +
                     " (--runtime or --config name another folder)");
  }

  // Every node that answers; those that do not are named on the error stream.
  template <typename Row>
  bool ask(const daemon::RuntimeFile& daemon,
           std::string_view path,
           Result<Answer<Row>> (*read)(std::string_view),
           Answer<Row>& all) {
    bool complete = true;
    const std::string* only = line_.find("--node");
    for (const daemon::RuntimeNode& node : daemon.nodes) {
      if (only != nullptr && *only != node.name) {
        continue;
      }
      const auto body = ask_node(daemon, node, path, clock_);
      auto answer = body ? read(*body) : Result<Answer<Row>>(body.status());
      if (!answer) {
        terminal_.err << "vkhost: node " << node.name << ": "
                      << printable(answer.status().message()) << '\n';
        complete = false;
        continue;
      }
      std::move(answer->rows.begin(), answer->rows.end(), std::back_inserter(all.rows));
      std::move(answer->items.begin(), answer->items.end(), std::back_inserter(all.items));
    }
    return complete;
  }

  void show_json(std::string_view member, const std::vector<std::string>& items) const {
    terminal_.out << "{\"" << member << "\":[";
    for (std::size_t i = 0; i < items.size(); ++i) {
      terminal_.out << (i == 0 ? "" : ",") << items[i];
    }
    terminal_.out << "]}\n";
  }

  ExitCode get_pods(const daemon::RuntimeFile& daemon) {
    Answer<PodRow> pods;
    const bool complete = ask<PodRow>(daemon, "/vkhost/v1/pods", read_pod_rows, pods);
    if (const std::string* wanted = line_.find("--namespace")) {
      for (std::size_t i = pods.rows.size(); i-- > 0;) {
        if (pods.rows[i].pod_namespace != *wanted) {
          pods.rows.erase(pods.rows.begin() + static_cast<std::ptrdiff_t>(i));
          pods.items.erase(pods.items.begin() + static_cast<std::ptrdiff_t>(i));
        }
      }
    }
    if (form_ == "json") {
      show_json("pods", pods.items);
    } else {
      std::sort(pods.rows.begin(), pods.rows.end(), [](const PodRow& a, const PodRow& b) {
        return std::tie(a.pod_namespace, a.name, a.uid) < std::tie(b.pod_namespace, b.name, b.uid);
      });
      show_pods(pods.rows);
    }
    return complete ? ExitCode::Ok : ExitCode::Unreachable;
  }

  void show_pods(const std::vector<PodRow>& pods) const {
    if (form_ == "name") {
      for (const PodRow& pod : pods) {
        terminal_.out << printable(pod.pod_namespace + '/' + pod.name) << '\n';
      }
      return;
    }
    if (pods.empty()) {
      terminal_.err << "No pods\n";
      return;
    }
    // Like kubectl without -A, unless that would hide which pod is which.
    const bool show_namespace = line_.is_set("--all-namespaces") ||
                                std::any_of(pods.begin(), pods.end(), [](const PodRow& pod) {
                                  return pod.pod_namespace != "default";
                                });
    const bool wide = form_ == "wide";
    std::vector<std::string> head = {"NAME",       "READY",    "STATUS", "RESTARTS", "AGE",
                                     "LAST ERROR", "NEXT TRY", "IP",     "NODE",     "UID"};
    if (show_namespace) {
      head.insert(head.begin(), "NAMESPACE");
    }
    TextTable table(std::move(head));
    const WallTime now = clock_->wall_now();
    for (const PodRow& pod : pods) {
      std::vector<std::string> row = {
          pod.name,
          std::to_string(pod.ready_containers) + '/' + std::to_string(pod.containers),
          status_of(pod),
          std::to_string(pod.restarts),
          since(pod.started, now),
          pod.last_error,
          until(pod.next_try, now),
          wide ? pod.pod_ip : "",
          wide ? pod.node : "",
          wide ? pod.uid : ""};
      if (show_namespace) {
        row.insert(row.begin(), pod.pod_namespace);
      }
      table.add(std::move(row));
    }
    terminal_.out << table.render(show_namespace ? 6 : 5);
  }

  ExitCode get_nodes(const daemon::RuntimeFile& daemon) {
    Answer<NodeRow> nodes;
    const bool complete = ask<NodeRow>(daemon, "/vkhost/v1/nodes", read_node_rows, nodes);
    if (form_ == "json") {
      show_json("nodes", nodes.items);
    } else if (form_ == "name") {
      for (const NodeRow& node : nodes.rows) {
        terminal_.out << printable(node.name) << '\n';
      }
    } else {
      TextTable table({"NAME", "STATUS", "PROVIDER", "PODS", "REASON", "MESSAGE"});
      for (const NodeRow& node : nodes.rows) {
        const bool show = form_ == "wide" || !node.ready;
        table.add({node.name, node.ready ? "Ready" : "NotReady", node.provider,
                   std::to_string(node.pods), show ? node.reason : "", show ? node.message : ""});
      }
      terminal_.out << table.render(4);
    }
    return complete ? ExitCode::Ok : ExitCode::Unreachable;
  }

  const CommandLine& line_;
  const Terminal& terminal_;
  const std::shared_ptr<const Clock> clock_;
  std::string form_;
};

}  // namespace

ExitCode get_command(const CommandLine& line, const Terminal& terminal) {
  return Getter(line, terminal).run();
}

}  // namespace vkhost::cli
