// The engine's part in admission: each pod is judged once, before its first create call. A pod that
// the provider has, or that the host has taken on before, is never judged again, whatever became of the
// node meanwhile.
#include "base/failure_point.hpp"
#include "pods/engine.hpp"
#include "pods/fields.hpp"
#include "pods/host_status.hpp"
#include "pods/material_findings.hpp"

#include <chrono>
#include <utility>

namespace vkhost::pods {
namespace {

constexpr std::chrono::seconds kExplainTimeout{5};
constexpr std::size_t kMaxEventBytes = 1000;

kube::ResourceAmounts requests_of(const kube::PodRecord& pod) {
  auto demand = kube::parse_pod_demand(pod.raw);
  return demand.is_ok() ? std::move(demand->requests) : kube::ResourceAmounts();
}

}  // namespace

// True: look at it again, it may be created. False: it was rejected.
bool PodEngine::admit(const Job& job) {
  std::optional<Verdict> judged = judge(*job.pod);
  VKHOST_FAILURE_POINT(AfterJudged);
  if (stop_.is_cancelled()) {
    return false;  // and so may the questions have been that it was judged by
  }
  if (!judged) {
    return judge_later(job);
  }
  Verdict& verdict = *judged;
  Report report{job.pod, EventType::Warning, "", ""};
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    if (state.admitted || state.is_ending() || state.order || state.observed_final) {
      return true;  // meanwhile: its own seat, or the end that it has, is what counts
    }
    if (!verdict.findings.empty()) {
      auto condition = std::make_shared<HostCondition>(fields_condition(verdict.findings));
      condition->generation = job.pod->generation;  // later ones are not judged
      report.reason = condition->reason;
      report.message = findings_text(verdict.findings, kMaxEventBytes);
      state.fields = std::move(condition);  // goes with the first status
    }
    if (verdict.seating.rejection) {
      const Rejection& rejection = *verdict.seating.rejection;
      state.rejected = true;
      state.observed_status = rejected_status(*job.pod, rejection.reason,
                                              "Pod was rejected: " + rejection.message, true);
      state.observed_final = true;
      queue_status(job.uid, state);
      queue_.add(job.uid);
      report.reason = rejection.reason;
      report.message = rejection.message;
    } else {
      state.admitted = true;
      state.seat = std::move(verdict.seating.seat);
    }
  }
  if (!report.reason.empty()) {
    tell({report});
  }
  return !verdict.seating.rejection;
}

// A rejection is for good, so it takes an answer.
bool PodEngine::judge_later(const Job& job) {
  const MutexLock lock(mutex_);
  note_failure(*job.state,
               unavailable("the API server does not say whether the pod fits its node"));
  queue_.add(job.uid);
  return false;
}

std::optional<PodEngine::Verdict> PodEngine::judge(const kube::PodRecord& pod) {
  if (settings_->refuse_daemon_sets && pod.is_daemon_set_pod) {
    return Verdict{
        {nullptr, Rejection{"DaemonSetPodsRefused", "This node runs no pods of DaemonSets"}}, {}};
  }
  std::optional<Seats::Outcome> seating = find_seat(pod);
  if (!seating) {
    return std::nullopt;
  }
  Verdict verdict{std::move(*seating), {}};
  if (!verdict.seating.rejection) {
    verdict.findings = findings_about(pod);
    verdict.seating.rejection =
        unsupported_fields(verdict.findings, settings_->reject_unsupported_fields);
  }
  return verdict;
}

std::optional<Seats::Outcome> PodEngine::find_seat(const kube::PodRecord& pod) {
  const auto node = parts_.node->node();
  if (!settings_->check_fit || !node) {
    return Seats::Outcome{seats_.take(requests_of(pod)), std::nullopt};
  }
  const auto demand = kube::parse_pod_demand(pod.raw);
  if (!demand.is_ok()) {
    return Seats::Outcome{nullptr,
                          Rejection{"UnexpectedAdmissionError",
                                    "What the pod asks of its node cannot be read, which is "
                                    "unexpected: " +
                                        demand.status().message()}};
  }
  Seats::Outcome outcome = seats_.ask(*demand, *node, check_place(*demand, *node));
  const bool is_for_what_others_write =
      outcome.rejection && (outcome.rejection->reason == "NodeAffinity" ||
                            outcome.rejection->reason == "TaintToleration");
  if (!is_for_what_others_write) {
    return outcome;
  }
  // They may have written it a moment ago, or before this process first saw the object.
  const auto fresh = parts_.node->read_node(stop_.token());
  if (!fresh) {
    return std::nullopt;
  }
  return seats_.ask(*demand, *fresh, check_place(*demand, *fresh));
}

std::vector<plugin::Finding> PodEngine::findings_about(const kube::PodRecord& pod) {
  plugin::CallOptions options = call_options(stop_.token());
  options.deadline = Deadline::after(*parts_.clock, kExplainTimeout);
  auto told = parts_.provider->explain(pod.raw, options);
  if (!told.is_ok() && !stop_.is_cancelled()) {
    parts_.log.warn("the provider could not say what it makes of a pod",
                    {{"pod", pod.display_name()}, observe::error_field(told.status())});
  }
  return joined_findings(
      joined_findings(told.is_ok() ? std::move(*told) : std::vector<plugin::Finding>(),
                      field_rules_.findings(pod.raw)),
      material_findings(pod.raw, parts_.provider->capabilities()));
}

// What a pod takes that was admitted, be it by an earlier process: as long as it has not ended and its
// object is there.
void PodEngine::keep_seat(PodState& state, bool spec_changed) {
  if (parts_.node == nullptr || !state.pod || state.removed_from_api || state.rejected) {
    return;
  }
  if (state.pod->is_terminal()) {
    state.seat.reset();
    return;
  }
  // The host says when a pod started as soon as it has taken it on.
  state.admitted = state.admitted || state.was_accepted || state.ever_started ||
                   !state.handle.empty() || !state.pod->start_time.empty();
  if (state.admitted && (!state.seat || spec_changed)) {
    state.seat.reset();
    state.seat = seats_.take(requests_of(*state.pod));
  }
}

}  // namespace vkhost::pods
