// vkhost explain: what would become of pods, by the word of configuration and plugin alone. The plugin
// is loaded and an instance made, as before a start; nothing is started and nothing is dialled.
#include "base/json_text.hpp"
#include "cli/command.hpp"
#include "cli/load_config.hpp"
#include "cli/text_table.hpp"
#include "daemon/deaf_listener.hpp"
#include "daemon/manifest.hpp"
#include "daemon/node_plan.hpp"
#include "daemon/provider_libraries.hpp"
#include "kube/node_facts.hpp"
#include "kube/pod_demand.hpp"
#include "node/node_object.hpp"
#include "observe/log.hpp"
#include "plugin/provider.hpp"
#include "pods/admission.hpp"
#include "pods/fields.hpp"
#include "pods/material_findings.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::cli {
namespace {

constexpr std::chrono::seconds kExplainTimeout{5};

struct Explanation {
  std::string pod;  // namespace/name
  std::vector<plugin::Finding> findings;
  std::optional<pods::Rejection> rejection;
  // The node's labels come from its provider and from others too, who are not asked here.
  bool is_doubtful = false;
};

std::string_view word_of(plugin::FindingKind kind) {
  switch (kind) {
    case plugin::FindingKind::Changed:
      return "changed";
    case plugin::FindingKind::Refused:
      return "refused";
    case plugin::FindingKind::Ignored:
      break;
  }
  return "ignored";
}

// What the configuration says of the node, without the provider's word.
Result<kube::NodeFacts> configured_node(const config::NodeConfig& node,
                                        const daemon::Endpoint& endpoint) {
  const node::Settings settings = daemon::node_settings(node, endpoint);
  VKHOST_TRY_ASSIGN(const std::string document,
                    node::new_node({settings, "", {}, SystemClock().wall_now()}));
  return kube::parse_node_facts(document);
}

class Explainer {
 public:
  Explainer(const CommandLine& line, const Terminal& terminal) : line_(line), terminal_(terminal) {}

  ExitCode run() {
    if (line_.words.size() != 1) {
      return usage_error(terminal_, "explain", "expected one file, or - for standard input");
    }
    const std::string* form = line_.find("--output");
    if (form != nullptr && *form != "json") {
      return usage_error(terminal_, "explain", "-o is json, not \"" + *form + "\"");
    }
    const auto file = config_file(line_.find("--config"), terminal_);
    if (!file) {
      return usage_error(terminal_, "explain", "which configuration? none was named");
    }
    config::Value no_flags(config::Table{}, config::Place{});
    const config::Loaded loaded = load_config(file, std::move(no_flags), terminal_);
    show_problems(loaded.problems, terminal_);
    return loaded.problems.has_errors() ? ExitCode::Configuration : run_with(loaded.config);
  }

 private:
  ExitCode run_with(const config::Config& config) {
    const config::NodeConfig* node = find_node(config);
    if (node == nullptr) {
      return ExitCode::Usage;
    }
    daemon::Manifests manifests;
    if (const ExitCode read = read_pods(*node, &manifests); read != ExitCode::Ok) {
      return read;
    }
    const auto explained = explain_all(config, *node, manifests);
    if (!explained.is_ok()) {
      if (!is_told_) {
        terminal_.err << "vkhost: " << printable(explained.status().message()) << '\n';
      }
      return exit_code_of(explained.status());
    }
    line_.find("--output") != nullptr ? show_json(*explained) : show_text(*explained);
    const bool all_run =
        std::none_of(explained->begin(), explained->end(),
                     [](const Explanation& each) { return each.rejection && !each.is_doubtful; });
    return all_run ? ExitCode::Ok : ExitCode::Failure;
  }

  const config::NodeConfig* find_node(const config::Config& config) {
    const std::string* name = line_.find("--node");
    const auto found = std::find_if(
        config.nodes.begin(), config.nodes.end(),
        [&](const config::NodeConfig& node) { return name == nullptr || node.name == *name; });
    if (found == config.nodes.end()) {
      terminal_.err << "vkhost: the configuration has no node \""
                    << printable(name == nullptr ? "" : *name) << "\"\n";
      return nullptr;
    }
    return &*found;
  }

  ExitCode read_pods(const config::NodeConfig& node, daemon::Manifests* manifests) {
    const std::string& name = line_.words.front();
    std::string text;
    if (name == "-") {
      text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
      std::ifstream in(name, std::ios::binary);
      text.assign(std::istreambuf_iterator<char>(in), {});
      if (!in) {
        terminal_.err << "vkhost: " << printable(name) << ": cannot be read\n";
        return ExitCode::Usage;
      }
    }
    daemon::add_manifest_file(name == "-" ? "standard input" : name, text, node.name, manifests);
    for (const std::string& problem : manifests->problems) {
      terminal_.err << printable(problem) << '\n';
    }
    if (manifests->pods.empty()) {
      terminal_.err << "vkhost: " << printable(name) << ": there is no pod in it\n";
    }
    return manifests->problems.empty() && !manifests->pods.empty() ? ExitCode::Ok
                                                                   : ExitCode::Failure;
  }

  Result<std::vector<Explanation>> explain_all(const config::Config& config,
                                               const config::NodeConfig& node,
                                               const daemon::Manifests& manifests) {
    const SystemClock clock;
    daemon::ProviderLibraries libraries(clock, observe::Logger());
    config::Problems problems;
    const Status loaded =
        libraries.load(config, terminal_.executable, {terminal_.environment, {}}, problems);
    show_problems(problems, terminal_);
    is_told_ = loaded.code() == StatusCode::InvalidArgument && problems.has_errors();
    VKHOST_TRY(loaded);
    const daemon::ProviderLibraries::Loaded& library = libraries.at(node.provider);
    const daemon::Endpoint endpoint{"127.0.0.1", 0};
    daemon::DeafListener listener;
    VKHOST_TRY_ASSIGN(const std::unique_ptr<plugin::Provider> provider,
                      library.library->create({library.settings.json.reveal(),
                                               daemon::instance_info(config, node, endpoint)},
                                              listener, {}));
    VKHOST_TRY_ASSIGN(const kube::NodeFacts facts, configured_node(node, endpoint));
    const pods::FieldRules rules(provider->capabilities().fields);
    const pods::Settings policies = daemon::pods_settings(config, node, endpoint);
    std::vector<Explanation> explained;
    for (const daemon::PodManifest& pod : manifests.pods) {
      plugin::CallOptions options;
      options.deadline = Deadline::after(clock, kExplainTimeout);
      VKHOST_TRY_ASSIGN(std::vector<plugin::Finding> told, provider->explain(pod.json, options));
      VKHOST_TRY_ASSIGN(const kube::PodDemand demand, kube::parse_pod_demand(pod.json));
      Explanation& each = explained.emplace_back();
      each.pod = pod.pod_namespace + "/" + pod.name;
      each.findings =
          pods::joined_findings(pods::joined_findings(std::move(told), rules.findings(pod.json)),
                                pods::material_findings(pod.json, provider->capabilities()));
      judge(demand, facts, policies, &each);
    }
    return explained;
  }

  static void judge(const kube::PodDemand& demand,
                    const kube::NodeFacts& facts,
                    const pods::Settings& policies,
                    Explanation* each) {
    each->rejection = pods::unsupported_fields(each->findings, policies.reject_unsupported_fields);
    if (each->rejection || !policies.check_fit) {
      return;
    }
    pods::Seats empty_node;
    each->rejection = empty_node.ask(demand, facts, pods::check_place(demand, facts)).rejection;
    each->is_doubtful = each->rejection && each->rejection->reason == "NodeAffinity";
  }

  void show_text(const std::vector<Explanation>& explained) {
    for (const Explanation& each : explained) {
      terminal_.out << each.pod << '\n';
      for (const plugin::Finding& finding : each.findings) {
        terminal_.out << "  " << word_of(finding.kind) << "  "
                      << printable(finding.pointer.empty() ? "the pod" : finding.pointer) << ": "
                      << printable(finding.text) << '\n';
      }
      if (each.rejection) {
        terminal_.out << (each.is_doubtful ? "  doubtful " : "  rejected ")
                      << each.rejection->reason << ": " << printable(each.rejection->message)
                      << (each.is_doubtful ? "; labels that the node does not have from its "
                                             "configuration are not known here"
                                           : "")
                      << '\n';
      } else if (each.findings.empty()) {
        terminal_.out << "  everything is honoured\n";
      }
    }
  }

  void show_json(const std::vector<Explanation>& explained) {
    std::string out = "{\"pods\":[";
    const auto member = [&](std::string_view name, std::string_view value) {
      append_json_string(out, name);
      out += ':';
      append_json_string(out, value);
    };
    for (const Explanation& each : explained) {
      out += &each == explained.data() ? "{" : ",{";
      member("pod", each.pod);
      out += ",\"findings\":[";
      for (const plugin::Finding& finding : each.findings) {
        out += &finding == each.findings.data() ? "{" : ",{";
        member("kind", word_of(finding.kind));
        out += ',';
        member("pointer", finding.pointer);
        out += ',';
        member("text", finding.text);
        out += '}';
      }
      out += ']';
      if (each.rejection) {
        out += each.is_doubtful ? ",\"doubtful\":{" : ",\"rejected\":{";
        member("reason", each.rejection->reason);
        out += ',';
        member("message", each.rejection->message);
        out += '}';
      }
      out += '}';
    }
    terminal_.out << out << "]}\n";
  }

  const CommandLine& line_;
  const Terminal& terminal_;
  bool is_told_ = false;  // what is wrong has been shown, problem by problem
};

}  // namespace

ExitCode explain_command(const CommandLine& line, const Terminal& terminal) {
  return Explainer(line, terminal).run();
}

}  // namespace vkhost::cli
