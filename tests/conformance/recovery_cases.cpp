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

// Whatever the host knew at the end of the process, there is one workload for each pod afterwards.
void adopts_after_a_crash_at_each_step_of_create(Bench& bench) {
  constexpr int kMaxSteps = 100;
  std::vector<Pod> pods;
  for (bool has_crashed = true; has_crashed && bench.problems().empty();) {
    const int step = static_cast<int>(pods.size());
    pods.push_back(bench.pod("web-" + std::to_string(step)));
    has_crashed = bench.crash_in_create(pods.back(), step);
    bench.expect(step < kMaxSteps, "create_pod calls the host without end");
  }
  if (!bench.load() || !bench.create() || !bench.recover_and_start(pods)) {
    return;
  }
  for (const Pod& pod : pods) {
    bench.expect_present(pod, "after a crash in its create_pod");
  }
  const auto list = bench.list();
  bench.expect(list && list->pods.size() == pods.size(),
               "after crashes in create_pod there are not as many workloads as pods");
  for (const Pod& pod : pods) {
    bench.expect_ok(bench.delete_pod(pod, std::chrono::milliseconds(0)),
                    "delete_pod of a pod whose create_pod ended in a crash");
    bench.expect_gone(pod, "after a crash in its create_pod, and delete_pod");
  }
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
      {"AdoptsAfterACrashAtEachStepOfCreate",
       "a crash at any step of create_pod ends in adoption, not in a second workload",
       adopts_after_a_crash_at_each_step_of_create, true},
      {"ListsWhatItWasNotToldOf", "pods that recover_pods did not name are listed and deletable",
       lists_what_it_was_not_told_of},
  };
}

}  // namespace vkhost::conformance
