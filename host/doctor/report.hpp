// Report: what the checks found, one finding after the other, in the words that a user reads. No secret
// ever stands in it; text of other origin (names, messages of servers) stands in it as it came. One owner.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::doctor {

// Ok: as it should be. Skipped: could not or need not be looked at. Warning: works, but look at it.
// Problem: something does not work, or soon won't.
enum class Verdict { Ok, Skipped, Warning, Problem };

// "ok", "skipped", "warning", "problem".
[[nodiscard]] std::string_view word_of(Verdict verdict);

// What is looked at.
struct Matter {
  std::string_view area;  // one word for scripts: "rights"
  std::string checked;    // "patch pods/status"
  std::string why;        // what hangs on it, a sentence
};

struct Finding {
  Verdict verdict = Verdict::Ok;
  std::string area;
  std::string checked;
  std::string found;
  std::string why;
  std::string advice;  // what to do; empty where there is nothing
};

class Report {
 public:
  void ok(Matter matter, std::string found);
  void skipped(Matter matter, std::string found, std::string advice = {});
  void warning(Matter matter, std::string found, std::string advice);
  void problem(Matter matter, std::string found, std::string advice);

  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  [[nodiscard]] std::size_t count(Verdict verdict) const;

 private:
  void add(Verdict verdict, Matter matter, std::string found, std::string advice);

  std::vector<Finding> findings_;
};

}  // namespace vkhost::doctor
