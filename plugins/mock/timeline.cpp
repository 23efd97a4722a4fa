#include "timeline.hpp"

#include <algorithm>

namespace vkhost::mock {
namespace {

Millis start_of(const Workload& workload) {
  return workload.accepted + workload.course.start_delay;
}

void sooner(std::optional<Millis>& next, Millis instant, Millis now) {
  if (instant > now && (!next || instant < *next)) {
    next = instant;
  }
}

bool restarts(RestartPolicy policy, int code) {
  return policy == RestartPolicy::Always || (policy == RestartPolicy::OnFailure && code != 0);
}

// A container whose runs end by themselves: run k begins at from + k * (after + restart_delay).
ContainerView ending_container(
    const Exit& exit, RestartPolicy policy, Millis from, Millis now, std::optional<Millis>& next) {
  const bool again = restarts(policy, exit.code);
  const Millis cycle = exit.after + std::max<Millis>(exit.restart_delay, 1);
  const auto run = [&](Millis k) {
    return Run{from + k * cycle, from + k * cycle + exit.after, exit.code};
  };
  Millis k = again ? (now - from) / cycle : 0;
  const bool stays = again && exit.times > 0 && k >= exit.times;
  if (stays) {
    k = exit.times;
  }
  ContainerView view;
  view.run = run(k);
  view.restarts = static_cast<int>(k);
  if (k > 0) {
    view.last = run(k - 1);
  }
  if (stays || now < view.run.ended) {
    view.state = ContainerState::Running;
    if (!stays) {
      sooner(next, view.run.ended, now);
    }
  } else if (again) {
    view.state = ContainerState::Waiting;
    view.last = view.run;
    sooner(next, run(k + 1).began, now);
  } else {
    view.state = ContainerState::Terminated;
  }
  return view;
}

ContainerView container_at(const Workload& workload,
                           const Container& container,
                           Millis now,
                           std::optional<Millis>& next) {
  const Millis from = container.since.value_or(start_of(workload));
  const auto& exit = workload.course.exit;
  const bool ends = container.kind == ContainerKind::Regular && exit &&
                    (exit->container.empty() || exit->container == container.name);
  ContainerView view;
  if (container.kind == ContainerKind::Init) {
    view.state = ContainerState::Terminated;
    view.run = {from, from, 0};
  } else if (ends) {
    view = ending_container(*exit, workload.restart_policy, from, now, next);
  } else {
    view.state = ContainerState::Running;
    view.run.began = from;
  }
  if (!view.last) {
    view.last = container.last;
  }
  view.restarts += container.restarts;
  return view;
}

// Inside the window of its course in which a pod is not ready.
bool is_unready(const Workload& workload, Millis now, View& view) {
  const auto& unready = workload.course.unready;
  if (!unready) {
    return false;
  }
  const Millis begin = start_of(workload) + unready->after;
  sooner(view.next, begin, now);
  if (now < begin) {
    return false;
  }
  view.changed = std::max(view.changed, begin);
  if (unready->length == 0) {
    return true;
  }
  const Millis end = begin + unready->length;
  sooner(view.next, end, now);
  if (now >= end) {
    view.changed = std::max(view.changed, end);
  }
  return now < end;
}

// A pod is over when all its regular containers are; sidecars end with them.
void settle_phase(const Workload& workload, View& view) {
  view.phase = Phase::Running;
  Millis end = 0;
  bool failed = false;
  for (std::size_t i = 0; i < view.containers.size(); ++i) {
    if (workload.containers[i].kind == ContainerKind::Regular) {
      if (view.containers[i].state != ContainerState::Terminated) {
        return;
      }
      end = std::max(end, view.containers[i].run.ended);
      failed = failed || view.containers[i].run.code != 0;
    }
  }
  view.phase = failed ? Phase::Failed : Phase::Succeeded;
  view.next.reset();
  for (ContainerView& container : view.containers) {
    if (container.state == ContainerState::Running) {
      container.state = ContainerState::Terminated;
      container.run.ended = end;
    }
  }
}

void settle_readiness(const Workload& workload, Millis now, View& view) {
  for (const ContainerView& container : view.containers) {
    view.changed = std::max({view.changed, container.run.began,
                             container.run.ended <= now ? container.run.ended : Millis{0}});
  }
  if (view.phase != Phase::Running) {
    return;
  }
  const bool unready = is_unready(workload, now, view);
  view.ready = true;
  for (std::size_t i = 0; i < view.containers.size(); ++i) {
    ContainerView& container = view.containers[i];
    const ContainerKind kind = workload.containers[i].kind;
    container.ready = container.state == ContainerState::Running && !unready;
    const bool counts = kind == ContainerKind::Regular || kind == ContainerKind::Sidecar;
    view.ready = view.ready && (container.ready || !counts);
  }
}

void settle_eviction(const Workload& workload, Millis now, View& view) {
  if (workload.course.evict && view.phase == Phase::Running && !workload.stop_at) {
    const Millis due = start_of(workload) + workload.course.evict->after;
    sooner(view.next, due, now);
    view.evicts = now >= due;
  }
}

// The end of a workload that is deleted, made of what it looked like then. One that was over by
// itself stays as it was.
void end_by_deletion(const Workload& workload, Millis end, View& view) {
  view.presence = Presence::Gone;
  view.ready = false;
  view.next.reset();
  if (view.phase == Phase::Succeeded || view.phase == Phase::Failed) {
    return;
  }
  view.by_deletion = true;
  bool failed = view.phase == Phase::Pending;
  for (ContainerView& container : view.containers) {
    container.ready = false;
    if (container.state == ContainerState::Running) {
      container.run.ended = end;
      container.run.code = workload.killed ? 128 + 9 : 0;
      container.state = ContainerState::Terminated;
      container.by_deletion = true;
    } else if (container.state == ContainerState::Waiting && container.last) {
      container.run = *container.last;
      container.state = ContainerState::Terminated;
    }
    failed = failed || container.run.code != 0;
  }
  view.phase = failed ? Phase::Failed : Phase::Succeeded;
  view.changed = end;
}

}  // namespace

View observe(const Workload& workload, Millis now) {
  const Millis start = start_of(workload);
  const bool stopped = workload.stop_at && now >= *workload.stop_at;
  const Millis then = stopped ? *workload.stop_at : now;
  const auto& vanish = workload.course.vanish_after;
  View view;
  view.containers.resize(workload.containers.size());
  if (then < start) {
    view.changed = workload.accepted;
    view.next = start;
  } else if (workload.course.start_fault) {
    view.presence = Presence::FailedToStart;
    return view;
  } else if (vanish && then >= start + *vanish) {
    view.presence = Presence::Vanished;
    return view;
  } else {
    for (std::size_t i = 0; i < workload.containers.size(); ++i) {
      view.containers[i] = container_at(workload, workload.containers[i], then, view.next);
    }
    settle_phase(workload, view);
    settle_readiness(workload, then, view);
    if (vanish) {
      sooner(view.next, start + *vanish, then);
    }
    settle_eviction(workload, then, view);
  }
  if (stopped) {
    end_by_deletion(workload, then, view);
  } else if (workload.stop_at) {
    sooner(view.next, *workload.stop_at, now);
  }
  return view;
}

}  // namespace vkhost::mock
