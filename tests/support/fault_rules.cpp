#include "support/fault_rules.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::testing {

void Decision::add(const Fault& fault) {
  if (find(fault.kind) == nullptr) {
    faults_.push_back(fault);
  }
}

const Fault* Decision::find(FaultKind kind) const {
  const auto found = std::find_if(faults_.begin(), faults_.end(),
                                  [kind](const Fault& fault) { return fault.kind == kind; });
  return found == faults_.end() ? nullptr : &*found;
}

FaultId FaultRules::add(Fault fault) {
  fault.id = ++last_id_;
  const int times = fault.when.times;
  faults_.push_back({std::move(fault), times});
  return last_id_;
}

void FaultRules::remove(FaultId id) {
  std::erase_if(faults_, [id](const Armed& armed) { return armed.fault.id == id; });
}

bool FaultRules::holds(FaultId id) const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [id](const Armed& armed) { return armed.fault.id == id; });
}

bool FaultRules::strikes(const When& when, const ApiRequest& request) {
  if ((when.requests == Requests::Watches && !request.is_watch()) ||
      (when.requests == Requests::Others && request.is_watch()) ||
      (!when.method.empty() && when.method != request.method) ||
      (!when.label.empty() && when.label != request.label()) ||
      request.target.find(when.path) == std::string::npos) {
    return false;
  }
  return when.percent >= 100 || std::uniform_int_distribution<int>(0, 99)(random_) < when.percent;
}

Decision FaultRules::decide(const ApiRequest& request) {
  Decision decision;
  for (auto& armed : faults_) {
    // A fault that is spent stays in the list: a stalled request asks whether it was taken back.
    if (armed.left < 0 || decision.find(armed.fault.kind) != nullptr ||
        !strikes(armed.fault.when, request) ||
        // Without a version to go on from there is none that could be too old.
        (armed.fault.kind == FaultKind::Expire && request.streams_list)) {
      continue;
    }
    decision.add(armed.fault);
    if (armed.left > 0) {
      armed.left = armed.left == 1 ? -1 : armed.left - 1;
    }
  }
  return decision;
}

}  // namespace vkhost::testing
