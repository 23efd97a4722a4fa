// What tests of checks compare: verdict and text of a finding.
#pragma once

#include "doctor/report.hpp"

#include <string>

namespace vkhost::doctor {

// "problem: what was found"; all findings, a line each.
[[nodiscard]] inline std::string verdicts(const Report& report) {
  std::string text;
  for (const Finding& finding : report.findings()) {
    text += std::string(word_of(finding.verdict)) + ": " + finding.found + "\n";
  }
  return text;
}

// The only one; one that says so when there are more or none.
[[nodiscard]] inline Finding only(const Report& report) {
  return report.findings().size() == 1
             ? report.findings().front()
             : Finding{Verdict::Problem, "", "", "not one finding:\n" + verdicts(report), "", ""};
}

}  // namespace vkhost::doctor
