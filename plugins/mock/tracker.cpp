#include "tracker.hpp"

#include "status.hpp"
#include "timeline.hpp"

#include <chrono>
#include <exception>

namespace vkhost::mock {

sdk::Error make_error(const Fault& fault) {
  sdk::Error error(static_cast<sdk::Code>(fault.code), fault.reason, fault.message);
  if (fault.retry == VKP_RETRY_NEVER) {
    error.never_retry();
  } else if (fault.retry == VKP_RETRY_AFTER) {
    error.retry_after(std::chrono::milliseconds(fault.retry_after));
  }
  return error.with_effect(static_cast<sdk::Effect>(fault.effect))
      .with_scope(static_cast<sdk::Scope>(fault.scope));
}

std::optional<Millis> Tracker::run(Millis now) noexcept {
  for (const WorkloadPtr& workload : backend_.take_due(now)) {
    try {
      push(workload, now);
    } catch (const std::exception& error) {
      // The journal could not be written: nothing has changed, so the same again in a while.
      constexpr Millis kPause = 1000;
      host_.log(sdk::LogLevel::Error, error.what(), workload->uid);
      backend_.set_due(workload, now + kPause);
    }
  }
  return backend_.next_due();
}

std::optional<std::string> Tracker::status_of(const Workload& workload, Millis now) {
  const View view = observe(workload, now);
  if (view.presence == Presence::Vanished) {
    return std::nullopt;
  }
  return view.presence == Presence::FailedToStart ? render_pending(workload)
                                                  : render_lie(workload, view);
}

void Tracker::push(const WorkloadPtr& workload, Millis now) {
  const std::uint64_t before = sequence_.next();
  const std::uint64_t seq = sequence_.next();
  const View view = observe(*workload, now);
  Record end;
  end.uid = workload->uid;
  end.removed = true;
  switch (view.presence) {
    case Presence::Present:
      push_status(*workload, render_lie(*workload, view), seq);
      if (workload->course.lie == Lie::OldSeq) {
        push_status(*workload, render_pending(*workload), before);
      }
      if (view.evicts) {
        ask_for_eviction(*workload);
      }
      if (view.next) {
        backend_.set_due(workload, *view.next);
      }
      return;
    case Presence::FailedToStart:
      end.call = "start_failed";
      end.tries = backend_.tries(workload->uid) + 1;
      backend_.apply(end, now);
      push_failure(*workload, *workload->course.start_fault);
      return;
    case Presence::Vanished:
      end.call = "vanished";
      backend_.apply(end, now);
      if (workload->stop_at) {
        push_gone(*workload);
      }
      return;
    case Presence::Gone:
      push_status(*workload, render_lie(*workload, view), seq);
      end.call = "gone";
      backend_.apply(end, now);
      push_gone(*workload);
      return;
  }
}

void Tracker::push_status(const Workload& workload, const std::string& status, std::uint64_t seq) {
  sdk::PodChange change;
  change.uid = workload.uid;
  change.seq = seq;
  change.status_json = status;
  host_.pod_changed(change);
}

// A host that heard it before takes no notice.
void Tracker::ask_for_eviction(const Workload& workload) {
  const Evict& evict = *workload.course.evict;
  evictions_.evict(
      workload.uid, evict.reason, evict.message,
      evict.grace ? std::optional(std::chrono::milliseconds(*evict.grace)) : std::nullopt);
}

void Tracker::push_gone(const Workload& workload) {
  sdk::PodChange change;
  change.uid = workload.uid;
  change.seq = sequence_.next();
  change.gone = true;
  host_.pod_changed(change);
}

void Tracker::push_failure(const Workload& workload, const Fault& fault) {
  const sdk::Error error = make_error(fault);
  sdk::PodChange change;
  change.uid = workload.uid;
  change.seq = sequence_.next();
  change.error = &error;
  host_.pod_changed(change);
}

}  // namespace vkhost::mock
