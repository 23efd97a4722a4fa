// Cases about what a provider finds again: adoption, never a second workload.
#include "conformance/cases.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace vkhost::conformance {
namespace {

void adopts(Bench& bench, bool new_process) {
  if (!bench.begin()) {
    return;
  }
  std::vector<Pod> pods;
  for (int at = 0; at < 4; ++at) {
    pods.push_back(bench.pod("web-" + std::to_string(at)));
    bench.expect_ok(bench.create_pod(pods.back()), "create_pod");
  }
  if (!bench.restart(pods, new_process)) {
    return;
  }
  for (const Pod& pod : pods) {
    bench.expect_present(pod, "after a restart");
  }
  const auto list = bench.list();
  bench.expect(list && list->pods.size() == pods.size(),
               "after a restart there are not as many workloads as pods");
  bench.expect_ok(bench.delete_pod(pods[0], std::chrono::milliseconds(0)),
                  "delete_pod of an adopted pod");
  bench.expect_gone(pods[0], "after delete_pod of an adopted pod");
}

void adopts_in_a_new_instance(Bench& bench) { adopts(bench, false); }
void adopts_in_a_new_process(Bench& bench) { adopts(bench, true); }

// The host died between the provider's acceptance and its own note of the handle.
void adopts_without_the_handle(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  pod.ref.handle.clear();
  if (!bench.restart({pod}, bench.subject().survives_process)) {
    return;
  }
  bench.expect_ok(bench.create_pod(pod, plugin::CreateReason::Retry),
                  "create_pod after the handle was lost");
  bench.expect_present(pod, "after a restart without the handle");
}

// What the API server has forgotten while the host was away is an orphan: listed, deletable.
void lists_what_it_was_not_told_of(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  if (!bench.restart({}, bench.subject().survives_process)) {
    return;
  }
  bench.expect_present(pod, "after a restart that did not name it");
  pod.json.clear();
  bench.expect_ok(bench.delete_pod(pod, std::chrono::milliseconds(0)), "delete_pod of an orphan");
  bench.expect_gone(pod, "after delete_pod of an orphan");
}

}  // namespace

std::vector<Case> recovery_cases() {
  return {
      {"AdoptsInANewInstance", "a new instance finds the pods of the one before",
       adopts_in_a_new_instance},
      {"AdoptsInANewProcess", "a new process finds the pods of the one before",
       adopts_in_a_new_process, true},
      {"AdoptsWithoutTheHandle", "a lost handle ends in adoption, not in a second workload",
       adopts_without_the_handle},
      {"ListsWhatItWasNotToldOf", "pods that recover_pods did not name are listed and deletable",
       lists_what_it_was_not_told_of},
  };
}

}  // namespace vkhost::conformance
