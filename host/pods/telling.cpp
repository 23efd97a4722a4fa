// Who hears of what becomes of a pod: users by Events, operators by the log.
#include "pods/engine.hpp"
#include "pods/pod_events.hpp"

#include <utility>

namespace vkhost::pods {

bool PodEngine::tells_normal() const {
  return settings_->normal_events && parts_.events->takes_normal();
}

void PodEngine::tell(const Reports& reports) {
  for (const Report& report : reports) {
    if (report.type == EventType::Warning && !report.is_alias) {
      parts_.log.warn(report.message, {{"pod", report.pod->display_name()},
                                       {"uid", report.pod->uid},
                                       {"reason", report.reason}});
    }
    if (report.type == EventType::Normal && !settings_->normal_events) {
      continue;
    }
    Happening what{report.type, report.reason, report.message};
    what.detail = report.detail;
    what.field_path = report.field_path;
    what.key = report.key;
    parts_.events->pod_event(*report.pod, what);
  }
}

void PodEngine::add_reports(const kube::PodPtr& pod,
                            std::vector<PodEvent> events,
                            PodState& state,
                            Reports* reports) {
  for (PodEvent& event : events) {
    if (event.mark == 0 || state.told_marks.add(event.mark)) {
      reports->push_back({pod, event.type, std::move(event.reason), std::move(event.message), "",
                          std::move(event.field_path), std::move(event.key)});
    }
  }
}

void PodEngine::tell_events(const kube::PodPtr& pod, const StatePtr& state, PodEvents events) {
  if (events.empty()) {
    return;
  }
  Reports reports;
  {
    const MutexLock lock(mutex_);
    add_reports(pod, std::move(events), *state, &reports);
  }
  tell(reports);
}

// Before the first create_pod.
void PodEngine::tell_scheduled(const Job& job) {
  if (job.action.create_reason != plugin::CreateReason::First || !tells_normal()) {
    return;
  }
  if (auto event = scheduled_event(*job.pod)) {
    tell_events(job.pod, job.state, {std::move(*event)});
  }
}

// After a status was written: `status_json` was the provider's word of the pod.
void PodEngine::tell_containers(const kube::PodPtr& pod,
                                const StatePtr& state,
                                std::string_view status_json) {
  const bool tells_all = tells_normal();
  if (!tells_all && !may_warn(status_json)) {
    return;
  }
  PodEvents events = container_events(*pod, status_json);
  if (!tells_all) {
    std::erase_if(events, [](const PodEvent& event) { return event.type == EventType::Normal; });
  }
  tell_events(pod, state, std::move(events));
}

std::string PodEngine::outlook_of(const PodState& state) {
  return state.retry_when_changed ? "not tried again before the pod changes"
                                  : "next try at " + format_time(state.next_try_wall);
}

Status PodEngine::emit(const plugin::ProviderEvent& event) {
  kube::PodPtr pod;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return cancelled("the host is stopping");
    }
    const StatePtr state = find_state(event.pod_uid);
    pod = state ? state->pod : nullptr;
  }
  if (!pod) {
    return not_found("no pod with UID " + event.pod_uid + " belongs to this node");
  }
  if (event.is_warning || settings_->normal_events) {
    parts_.events->pod_event(*pod, happening_of(event));
  }
  return Status::ok();
}

Happening happening_of(const plugin::ProviderEvent& event) {
  Happening what{event.is_warning ? EventType::Warning : EventType::Normal, event.reason,
                 event.message};
  what.key = event.key;
  what.occurred = event.occurred;
  return what;
}

}  // namespace vkhost::pods
