#include "doctor/report.hpp"

#include <algorithm>

namespace vkhost::doctor {

std::string_view word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Ok:
      return "ok";
    case Verdict::Skipped:
      return "skipped";
    case Verdict::Warning:
      return "warning";
    case Verdict::Problem:
      break;
  }
  return "problem";
}

void Report::ok(Matter matter, std::string found) {
  add(Verdict::Ok, std::move(matter), std::move(found), {});
}

void Report::skipped(Matter matter, std::string found, std::string advice) {
  add(Verdict::Skipped, std::move(matter), std::move(found), std::move(advice));
}

void Report::warning(Matter matter, std::string found, std::string advice) {
  add(Verdict::Warning, std::move(matter), std::move(found), std::move(advice));
}

void Report::problem(Matter matter, std::string found, std::string advice) {
  add(Verdict::Problem, std::move(matter), std::move(found), std::move(advice));
}

std::size_t Report::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(findings_.begin(), findings_.end(),
                    [&](const Finding& finding) { return finding.verdict == verdict; }));
}

void Report::add(Verdict verdict, Matter matter, std::string found, std::string advice) {
  findings_.push_back({verdict, std::string(matter.area), std::move(matter.checked),
                       std::move(found), std::move(matter.why), std::move(advice)});
}

}  // namespace vkhost::doctor
