#include "status.hpp"

#include <vkhost/cpp/json.hpp>
#include <vkhost/cpp/time.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace vkhost::mock {
namespace {

std::string time_of(Millis instant) { return sdk::rfc3339(instant * 1'000'000); }

// 64 hexadecimal digits that look like a digest: FNV-1a, stretched. Equal text, equal digits.
std::string digits(std::string_view text) {
  constexpr std::array<char, 17> kHex{"0123456789abcdef"};
  std::string result;
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  while (result.size() < 64) {
    for (const char byte : text) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
    }
    for (unsigned shift = 0; shift < 64; shift += 4) {
      result += kHex[(hash >> shift) & 0xFU];
    }
  }
  return result;
}

std::string container_id(const Workload& workload, const Container& container, int restarts) {
  return "mock://" + digits(workload.uid + '/' + std::to_string(workload.attempt) + '/' +
                            container.name + '/' + std::to_string(restarts));
}

void write_terminated(sdk::JsonWriter& json,
                      const Run& run,
                      bool by_deletion,
                      const std::string& id) {
  json.key("terminated").begin_object().member("exitCode", run.code);
  if (by_deletion) {
    json.member("reason", "MockProviderPodContainerDeleted")
        .member("message", "Mock provider terminated container upon deletion");
  } else {
    json.member("reason", run.code == 0 ? "Completed" : "Error");
  }
  json.member("startedAt", time_of(run.began))
      .member("finishedAt", time_of(run.ended))
      .member("containerID", id)
      .end_object();
}

void write_state(sdk::JsonWriter& json,
                 const Workload& workload,
                 const Container& container,
                 const ContainerView& view) {
  json.key("state").begin_object();
  switch (view.state) {
    case ContainerState::Waiting:
      json.key("waiting").begin_object();
      if (view.last) {
        json.member("reason", "CrashLoopBackOff")
            .member("message", "the container has ended and will be started again");
      } else {
        json.member("reason", "ContainerCreating");
      }
      json.end_object();
      break;
    case ContainerState::Running:
      json.key("running").begin_object().member("startedAt", time_of(view.run.began)).end_object();
      break;
    case ContainerState::Terminated:
      write_terminated(json, view.run, view.by_deletion,
                       container_id(workload, container, view.restarts));
      break;
  }
  json.end_object();
}

void write_container(sdk::JsonWriter& json,
                     const Workload& workload,
                     const Container& container,
                     const ContainerView& view,
                     std::string_view suffix) {
  const bool running = view.state == ContainerState::Running;
  // Init containers count as ready once they are done.
  const bool done = container.kind == ContainerKind::Init &&
                    view.state == ContainerState::Terminated && view.run.code == 0;
  json.begin_object()
      .member("name", container.name + std::string(suffix))
      .member("image", container.image)
      .member("ready", view.ready || done)
      .member("started", running)
      .member("restartCount", view.restarts);
  if (view.state == ContainerState::Waiting && !view.last) {
    json.member("imageID", "");
  } else {
    json.member("imageID", "mock://sha256:" + digits(container.image))
        .member("containerID", container_id(workload, container, view.restarts));
  }
  write_state(json, workload, container, view);
  // While a container waits to be started again, its last run is the current one.
  if (view.last && view.state != ContainerState::Terminated) {
    const int of_last = view.state == ContainerState::Waiting ? view.restarts : view.restarts - 1;
    json.key("lastState").begin_object();
    write_terminated(json, *view.last, false, container_id(workload, container, of_last));
    json.end_object();
  }
  json.end_object();
}

void write_containers(sdk::JsonWriter& json,
                      const Workload& workload,
                      const View& view,
                      std::string_view member,
                      ContainerKind kind,
                      ContainerKind other_kind,
                      std::string_view suffix) {
  bool any = false;
  for (std::size_t i = 0; i < workload.containers.size(); ++i) {
    const Container& container = workload.containers[i];
    if (container.kind == kind || container.kind == other_kind) {
      if (!any) {
        json.key(member).begin_array();
        any = true;
      }
      write_container(json, workload, container, view.containers[i], suffix);
    }
  }
  if (any) {
    json.end_array();
  }
}

void write_condition(sdk::JsonWriter& json,
                     std::string_view type,
                     bool holds,
                     Millis since,
                     std::string_view reason) {
  json.begin_object().member("type", type).member("status", holds ? "True" : "False");
  if (!holds) {
    json.member("reason", reason);
  }
  json.member("lastTransitionTime", time_of(since)).end_object();
}

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::Pending:
      return "Pending";
    case Phase::Running:
      return "Running";
    case Phase::Succeeded:
      return "Succeeded";
    case Phase::Failed:
      return "Failed";
  }
  return "Unknown";
}

std::string render(const Workload& workload, const View& view, std::string_view suffix) {
  sdk::JsonWriter json;
  json.begin_object().member("phase", name_of(view.phase));
  if (view.by_deletion) {
    json.member("reason", "MockProviderPodDeleted");
  }
  json.member("startTime", time_of(workload.accepted));
  if (!workload.ip.empty()) {
    json.member("podIP", workload.ip).key("podIPs").begin_array();
    json.begin_object().member("ip", workload.ip).end_object().end_array();
  }
  const bool over = view.phase == Phase::Succeeded || view.phase == Phase::Failed;
  const bool initialized = view.phase != Phase::Pending;
  const Millis start = workload.accepted + workload.course.start_delay;
  json.key("conditions").begin_array();
  write_condition(json, "Initialized", initialized, initialized ? start : workload.accepted,
                  "ContainersNotInitialized");
  write_condition(json, "ContainersReady", view.ready, view.changed,
                  over ? "PodCompleted" : "ContainersNotReady");
  json.end_array();
  using Kind = ContainerKind;
  write_containers(json, workload, view, "initContainerStatuses", Kind::Init, Kind::Sidecar,
                   suffix);
  write_containers(json, workload, view, "containerStatuses", Kind::Regular, Kind::Regular, suffix);
  write_containers(json, workload, view, "ephemeralContainerStatuses", Kind::Ephemeral,
                   Kind::Ephemeral, suffix);
  return json.end_object().take();
}

}  // namespace

std::string render_status(const Workload& workload, const View& view) {
  return render(workload, view, "");
}

std::string render_lie(const Workload& workload, const View& view) {
  switch (workload.course.lie) {
    case Lie::Nonsense:
      return R"({"phase":"Running","containerStatuses":[{)";
    case Lie::WrongContainers:
      return render(workload, view, "-of-another-pod");
    case Lie::None:
    case Lie::OldSeq:
      break;
  }
  return render_status(workload, view);
}

std::string render_pending(const Workload& workload) {
  View view;
  view.containers.resize(workload.containers.size());
  view.changed = workload.accepted;
  return render_status(workload, view);
}

}  // namespace vkhost::mock
