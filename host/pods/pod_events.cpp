#include "pods/pod_events.hpp"

#include "kube/json_cut.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace vkhost::pods {
namespace {

using kube::find_member;
using kube::plain_string;

constexpr std::size_t kRemembered = 32;
constexpr std::string_view kCrashLoop = "CrashLoopBackOff";

// A list of the spec, its name in a field path, and the statuses that go with it.
struct Containers {
  std::string_view spec;
  std::string_view status;
};
constexpr std::array<Containers, 2> kContainers{
    {{"initContainers", "initContainerStatuses"}, {"containers", "containerStatuses"}}};

enum class RunState { Unknown, Waiting, Running, Terminated };

struct ContainerSight {
  RunState state = RunState::Unknown;
  std::string_view waiting_reason;
  bool has_begun = false;  // its state names a begin
  bool has_image = false;
  std::int64_t restarts = 0;
};

bool is_object(std::string_view value) { return !value.empty() && value.front() == '{'; }

std::int64_t number_of(std::string_view value) {
  std::int64_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

ContainerSight sight_of(std::string_view container) {
  ContainerSight sight;
  if (!is_object(container)) {
    return sight;
  }
  sight.has_image = !plain_string(find_member(container, "imageID")).empty();
  sight.restarts = number_of(find_member(container, "restartCount"));
  const std::string_view state = find_member(container, "state");
  if (!is_object(state)) {
    return sight;
  }
  std::string_view run = find_member(state, "terminated");
  if (is_object(run)) {
    sight.state = RunState::Terminated;
  } else if (run = find_member(state, "running"); is_object(run)) {
    sight.state = RunState::Running;
  } else if (run = find_member(state, "waiting"); is_object(run)) {
    sight.state = RunState::Waiting;
    sight.waiting_reason = plain_string(find_member(run, "reason"));
  } else {
    return sight;
  }
  sight.has_begun = !plain_string(find_member(run, "startedAt")).empty();
  return sight;
}

// The element of a list of objects with that name; empty when there is none.
std::string_view find_container(std::string_view list, std::string_view name) {
  if (list.empty() || list.front() != '[') {
    return {};
  }
  kube::JsonElements elements(list);
  std::string_view element;
  while (elements.next(element)) {
    if (is_object(element) && plain_string(find_member(element, "name")) == name) {
      return element;
    }
  }
  return {};
}

std::string_view member_of(std::string_view object, std::string_view name) {
  return is_object(object) ? find_member(object, name) : std::string_view();
}

// Calls `visit(name, container in the spec, field path)` for each.
template <typename Visit>
void for_each(const kube::PodRecord& pod, const Containers& which, const Visit& visit) {
  const std::string_view list = member_of(find_member(pod.raw, "spec"), which.spec);
  const auto& names = which.spec == "containers" ? pod.containers : pod.init_containers;
  for (const std::string& name : names) {
    visit(name, find_container(list, name), "spec." + std::string(which.spec) + "{" + name + "}");
  }
}

std::string image_of(std::string_view container) {
  return std::string(plain_string(member_of(container, "image")));
}

std::uint64_t mark_of(std::string_view reason, std::string_view field, std::int64_t number) {
  const std::hash<std::string_view> hash;
  return (hash(reason) * 31 + hash(field)) * 31 + static_cast<std::uint64_t>(number);
}

PodEvent about(const std::string& field,
               EventType type,
               std::string reason,
               std::string message,
               std::int64_t number) {
  PodEvent event{type, std::move(reason), std::move(message), field, "", 0};
  event.mark = mark_of(event.reason, field, number);
  return event;
}

bool has_run(const ContainerSight& sight) {
  return sight.state == RunState::Running ||
         (sight.state == RunState::Terminated && sight.has_begun);
}

// What one container went through.
void add_steps(const kube::PodRecord& pod,
               const std::string& name,
               std::string_view spec,
               const std::string& field,
               const ContainerSight& before,
               const ContainerSight& after,
               std::vector<PodEvent>* events) {
  const bool restarted = after.restarts > before.restarts;
  if (after.has_image && !before.has_image) {
    events->push_back(about(field, EventType::Normal, "Pulled",
                            "Container image \"" + image_of(spec) + "\" is present", 0));
  }
  const bool ran_before = has_run(before) || before.state == RunState::Terminated;
  if (has_run(after) && (!ran_before || restarted)) {
    events->push_back(
        about(field, EventType::Normal, "Started", "Started container " + name, after.restarts));
  }
  const bool was_known = before.waiting_reason == kCrashLoop && !restarted;
  if (after.waiting_reason == kCrashLoop && !was_known) {
    events->push_back(
        about(field, EventType::Warning, "BackOff",
              "Back-off restarting failed container " + name + " in pod " + pod.display_name(),
              after.restarts));
  }
}

}  // namespace

bool ToldMarks::add(std::uint64_t mark) {
  if (std::find(marks_.begin(), marks_.end(), mark) != marks_.end()) {
    return false;
  }
  if (marks_.size() < kRemembered) {
    marks_.push_back(mark);
  } else {
    marks_[next_] = mark;
    next_ = (next_ + 1) % kRemembered;
  }
  return true;
}

std::optional<PodEvent> scheduled_event(const kube::PodRecord& pod) {
  const std::string_view conditions = member_of(pod.status_json(), "conditions");
  if (!conditions.empty() && conditions.front() == '[') {
    kube::JsonElements elements(conditions);
    std::string_view element;
    while (elements.next(element)) {
      if (plain_string(member_of(element, "type")) == "PodScheduled" &&
          plain_string(member_of(element, "status")) == "True") {
        return std::nullopt;
      }
    }
  }
  PodEvent event = about("", EventType::Normal, "Scheduled",
                         "Successfully assigned " + pod.display_name() + " to " + pod.node_name, 0);
  event.key = "Scheduled";  // a restart before the first status would say it again
  return event;
}

std::vector<PodEvent> pulling_events(const kube::PodRecord& pod) {
  std::vector<PodEvent> events;
  for (const Containers& which : kContainers) {
    for_each(pod, which, [&](const std::string&, std::string_view spec, const std::string& field) {
      if (std::string image = image_of(spec); !image.empty()) {
        events.push_back(
            {EventType::Normal, "Pulling", "Pulling image \"" + image + "\"", field, "", 0});
      }
    });
  }
  return events;
}

std::vector<PodEvent> container_events(const kube::PodRecord& pod, std::string_view status_json) {
  std::vector<PodEvent> events;
  for (const Containers& which : kContainers) {
    const std::string_view before = member_of(pod.status_json(), which.status);
    const std::string_view after = member_of(status_json, which.status);
    if (after.empty()) {
      continue;
    }
    for_each(pod, which,
             [&](const std::string& name, std::string_view spec, const std::string& field) {
               add_steps(pod, name, spec, field, sight_of(find_container(before, name)),
                         sight_of(find_container(after, name)), &events);
             });
  }
  return events;
}

std::vector<PodEvent> killing_events(const kube::PodRecord& pod) {
  std::vector<PodEvent> events;
  for (const Containers& which : kContainers) {
    const std::string_view list = member_of(pod.status_json(), which.status);
    for_each(pod, which, [&](const std::string& name, std::string_view, const std::string& field) {
      if (sight_of(find_container(list, name)).state == RunState::Running) {
        events.push_back(
            about(field, EventType::Normal, "Killing", "Stopping container " + name, 0));
      }
    });
  }
  return events;
}

bool may_warn(std::string_view status_json) {
  return status_json.find(kCrashLoop) != std::string_view::npos;
}

}  // namespace vkhost::pods
