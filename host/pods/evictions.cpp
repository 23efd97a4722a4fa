// Pods that end although their objects stay: evictions and deadlines (end_order.hpp), step by step:
// mark, delete_pod, the last status; what is left of the workload is deleted on after that.
#include "base/failure_point.hpp"
#include "kube/json_cut.hpp"
#include "pods/end_order.hpp"
#include "pods/engine.hpp"
#include "pods/host_status.hpp"

#include <memory>
#include <utility>

namespace vkhost::pods {

Status PodEngine::evict(plugin::Eviction eviction) {
  Reports reports;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return cancelled("the host is stopping");
    }
    const StatePtr state = find_state(eviction.uid);
    if (!state || state->is_ending()) {
      return not_found("no pod with UID " + eviction.uid + " belongs to this node and shall stay");
    }
    if (state->order && state->order->why == EndOrder::Why::Eviction) {
      return Status::ok();
    }
    if (state->order || state->pod->is_terminal() || state->observed_final || state->end_sent) {
      return not_found("the pod with UID " + eviction.uid + " has ended or is ending");
    }
    auto order = std::make_shared<EndOrder>();
    order->reason = eviction.reason.empty() ? "Evicted" : std::move(eviction.reason);
    order->message = std::move(eviction.message);
    order->grace = eviction.grace;
    state->pending_annotations[std::string(kube::kEvictionAnnotation)] =
        eviction_mark(*state->pod, *order);
    reports.push_back({state->pod, EventType::Warning, "Evicted",
                       order->message.empty() ? "The provider evicts the pod" : order->message});
    give_order(eviction.uid, *state, std::move(order));
    queue_status(eviction.uid, *state);
  }
  VKHOST_FAILURE_POINT(AfterEvictionAsked);
  tell(reports);
  return Status::ok();
}

// The call in flight, if there is one, comes to its end first: its cancel function is the plugin's, and
// an eviction is asked for from within the plugin.
void PodEngine::give_order(const std::string& uid,
                           PodState& state,
                           std::shared_ptr<EndOrder> order) {
  order->containers_ended = have_containers_ended(*state.pod, state.observed_status);
  state.order = std::move(order);
  // It waits for nothing that went wrong before.
  state.failures = 0;
  state.accepted_failures = 0;
  state.next_try = SteadyTime{};
  state.write_patience_ends.reset();
  queue_.add(uid);
}

void PodEngine::order_for_deadline(Job& job) {
  auto order = std::make_shared<EndOrder>(deadline_order());
  job.reports.push_back({job.pod, EventType::Normal, order->reason, order->message});
  give_order(job.uid, *job.state, std::move(order));
  VKHOST_FAILURE_POINT(AfterDeadline);
  job.action = {};
}

bool PodEngine::outlived_deadline(const PodState& state, std::string_view status_json) const {
  if (!state.pod || state.order || state.is_ending() || state.end_sent ||
      state.pod->is_terminal() || parts_.provider->capabilities().native_deadline) {
    return false;
  }
  const auto due = active_deadline(*state.pod);
  const auto ended = due ? last_end(*state.pod, status_json) : std::nullopt;
  return ended && *ended >= *due;
}

// The provider's word on a pod that has to end: its containers are as it says, its end is as ordered.
void PodEngine::note_ordered_status(PodState& state,
                                    const StatusFacts& facts,
                                    std::string* status_json) const {
  EndOrder& order = *state.order;
  order.containers_ended = have_containers_ended(*state.pod, *status_json);
  if (!facts.final) {
    return;
  }
  order.was_overtaken =
      order.was_overtaken ||
      (!order.was_called && !order.is_concluded &&
       kube::plain_string(kube::find_member(*status_json, "phase")) == "Succeeded");
  if (!order.was_overtaken) {
    *status_json = ordered_status(*state.pod, *status_json, order.reason, order.message,
                                  parts_.clock->wall_now());
  } else if (order.why == EndOrder::Why::Deadline) {
    state.order.reset();  // it has ended in time
    return;
  }
  order.is_concluded = true;
}

void PodEngine::end_as_ordered(const Job& job) {
  VKHOST_FAILURE_POINT(BeforeOrderedEnd);
  std::string observed;
  EndOrder order;
  {
    const MutexLock lock(mutex_);
    if (!job.state->order) {
      return queue_.add(job.uid);
    }
    observed = job.state->observed_status;
    order = *job.state->order;
  }
  std::string status_json =
      ordered_status(*job.pod, observed, order.reason, order.message, parts_.clock->wall_now());
  const MutexLock lock(mutex_);
  PodState& state = *job.state;
  queue_.add(job.uid);
  if (!state.order || state.observed_status != observed) {
    return;  // there is newer news to begin with
  }
  state.order->is_concluded = true;
  if (!state.pod->is_terminal() && !state.end_sent && !state.removed_from_api) {
    state.observed_status = std::move(status_json);
    state.observed_final = true;
    queue_status(job.uid, state);
  }
}

}  // namespace vkhost::pods
