// The cases: one promise of the provider ABI each, with the function that puts it to the test.
#pragma once

#include "conformance/bench.hpp"

#include <string_view>
#include <vector>

namespace vkhost::conformance {

struct Case {
  std::string_view name;     // CamelCase predicate, "DeletesTwiceWithoutError"
  std::string_view promise;  // the sentence that a plugin's author reads
  void (*run)(Bench& bench);
  bool needs_surviving_state = false;  // only where Subject::survives_process
};

// In the order in which a report tells them.
std::vector<Case> all_cases();

// By file of this folder.
std::vector<Case> life_cases();
std::vector<Case> pod_cases();
std::vector<Case> list_cases();
std::vector<Case> recovery_cases();
std::vector<Case> hostile_cases();

}  // namespace vkhost::conformance
