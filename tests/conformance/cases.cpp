#include "conformance/cases.hpp"

#include <iterator>

namespace vkhost::conformance {

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& part :
       {life_cases(), pod_cases(), list_cases(), recovery_cases(), hostile_cases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace vkhost::conformance
