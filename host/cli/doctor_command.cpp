// vkhost doctor: shows what the examination found, as text or JSON.
#include "base/json_text.hpp"
#include "cli/command.hpp"
#include "cli/load_config.hpp"
#include "cli/text_table.hpp"
#include "doctor/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace vkhost::cli {
namespace {

using doctor::Finding;
using doctor::Report;
using doctor::Verdict;

// By the first problem, which is the first to be mended: the code with which the daemon would end by it.
ExitCode exit_code_of_report(const Report& report) {
  constexpr std::array<std::pair<std::string_view, ExitCode>, 6> kCodes = {{
      {"configuration", ExitCode::Configuration},
      {"plugin", ExitCode::Plugin},
      {"back-end", ExitCode::Unreachable},
      {"address", ExitCode::Unreachable},
      {"api-server", ExitCode::Unreachable},
      {"reachability", ExitCode::Unreachable},
  }};
  const auto& findings = report.findings();
  const auto first = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.verdict == Verdict::Problem;
  });
  if (first == findings.end()) {
    return ExitCode::Ok;
  }
  const auto code = std::find_if(kCodes.begin(), kCodes.end(),
                                 [&](const auto& each) { return each.first == first->area; });
  return code == kCodes.end() ? ExitCode::Failure : code->second;
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

// "problem  rights: patch pods/status: refused …", with the reason and the way out below.
void show_report(const Report& report, std::ostream& out) {
  constexpr std::size_t kWidth = 9;
  for (const Finding& finding : report.findings()) {
    std::string word(doctor::word_of(finding.verdict));
    word.resize(kWidth, ' ');
    out << word << printable(finding.checked) << ": " << printable(finding.found) << '\n';
    const std::string indent(kWidth, ' ');
    if (finding.verdict == Verdict::Warning || finding.verdict == Verdict::Problem) {
      out << indent << "why: " << printable(finding.why) << '\n';
    }
    if (!finding.advice.empty()) {
      out << indent << "do:  " << printable(finding.advice) << '\n';
    }
  }
  out << counted(report.count(Verdict::Problem), "problem") << ", "
      << counted(report.count(Verdict::Warning), "warning") << '\n';
}

void show_report_as_json(const Report& report, std::ostream& out) {
  std::string text = "{\"findings\":[";
  for (const Finding& finding : report.findings()) {
    text += text.back() == '[' ? "{" : ",{";
    const std::array<std::pair<std::string_view, std::string_view>, 6> members = {{
        {"verdict", doctor::word_of(finding.verdict)},
        {"area", finding.area},
        {"checked", finding.checked},
        {"found", finding.found},
        {"why", finding.why},
        {"advice", finding.advice},
    }};
    for (const auto& [name, value] : members) {
      text += text.back() == '{' ? "" : ",";
      append_json_string(text, name);
      text += ':';
      append_json_string(text, value);
    }
    text += '}';
  }
  out << text << "],\"problems\":" << report.count(Verdict::Problem)
      << ",\"warnings\":" << report.count(Verdict::Warning) << "}\n";
}

}  // namespace

ExitCode doctor_command(const CommandLine& line, const Terminal& terminal) {
  const std::string* form = line.find("--output");
  if (form != nullptr && *form != "json") {
    return usage_error(terminal, "doctor", "-o is json, not \"" + *form + "\"");
  }
  const auto file = config_file(line.find("--config"), terminal);
  if (!file) {
    return usage_error(terminal, "doctor", "which configuration? none was named");
  }
  doctor::Subject subject;
  subject.loaded = load_config(file, config::Value(config::Table{}, config::Place{}), terminal);
  subject.origin = file->string();
  subject.executable = terminal.executable;
  subject.outside = {terminal.environment, {}};
  if (const std::string* admin = line.find("--admin-kubeconfig")) {
    subject.admin_kubeconfig = *admin;
  }
  const doctor::Examination done = doctor::examine(subject, std::make_shared<SystemClock>());
  if (form != nullptr) {
    show_report_as_json(done.report, terminal.out);
  } else {
    show_report(done.report, terminal.out);
  }
  const ExitCode code = exit_code_of_report(done.report);
  if (done.is_stuck) {
    // Threads still stand inside a plugin: nothing may be unwound under their feet.
    terminal.out.flush();
    ::_exit(static_cast<int>(code));
  }
  return code;
}

}  // namespace vkhost::cli
