#include "translate.hpp"

#include "json.hpp"
#include "timeline.hpp"

#include <vkhost/provider.hpp>

#include <algorithm>
#include <utility>

namespace vkhost::mock {
namespace {

void add_containers(std::vector<Container>& to, const Json& from, ContainerKind kind) {
  for (const Json& item : from.elements()) {
    Container container;
    container.name = item["name"].text();
    container.image = item["image"].text();
    const bool sidecar = kind == ContainerKind::Init && item["restartPolicy"].text() == "Always";
    container.kind = sidecar ? ContainerKind::Sidecar : kind;
    to.push_back(std::move(container));
  }
}

RestartPolicy parse_policy(const std::string& word) {
  if (word == "Never") {
    return RestartPolicy::Never;
  }
  return word == "OnFailure" ? RestartPolicy::OnFailure : RestartPolicy::Always;
}

// A running container gets a new image: its run ends, the next one begins.
void restart(Container& container, const ContainerView& view, Millis now) {
  container.last = Run{view.run.began, now, 0};
  container.restarts = view.restarts + 1;
  container.since = now;
}

}  // namespace

Pod parse_pod(std::string_view pod_json) {
  const Json document = Json::parse(pod_json, "the pod document");
  const Json metadata = document["metadata"];
  const Json spec = document["spec"];
  Pod pod;
  pod.pod_namespace = metadata["namespace"].text();
  pod.name = metadata["name"].text();
  pod.labels = metadata["labels"].texts();
  pod.annotations = metadata["annotations"].texts();
  pod.restart_policy = parse_policy(spec["restartPolicy"].text());
  pod.host_network = spec["hostNetwork"].boolean();
  add_containers(pod.containers, spec["initContainers"], ContainerKind::Init);
  const std::size_t before = pod.containers.size();
  add_containers(pod.containers, spec["containers"], ContainerKind::Regular);
  if (pod.containers.size() == before) {
    throw sdk::Error(sdk::Code::InvalidArgument, "InvalidPod", "the pod document has no containers")
        .never_retry()
        .with_effect(sdk::Effect::None);
  }
  add_containers(pod.containers, spec["ephemeralContainers"], ContainerKind::Ephemeral);
  return pod;
}

bool apply_update(Workload& workload, const Pod& pod, std::uint64_t changed, Millis now) {
  const bool takes_images = (changed & VKP_CHANGED_IMAGE) != 0;
  const bool takes_new = (changed & VKP_CHANGED_EPHEMERAL_CONTAINERS) != 0;
  const View view = observe(workload, now);
  bool restarted = false;
  const std::size_t known = workload.containers.size();
  for (const Container& wanted : pod.containers) {
    const auto end = workload.containers.begin() + static_cast<std::ptrdiff_t>(known);
    const auto found = std::find_if(workload.containers.begin(), end, [&](const Container& item) {
      return item.name == wanted.name;
    });
    if (found == end && takes_new) {
      workload.containers.push_back(wanted);
      workload.containers.back().since = now;
    } else if (found != end && takes_images && found->image != wanted.image) {
      found->image = wanted.image;
      const auto index = static_cast<std::size_t>(found - workload.containers.begin());
      if (view.phase == Phase::Running && view.containers[index].state == ContainerState::Running) {
        restart(*found, view.containers[index], now);
        restarted = true;
      }
    }
  }
  return restarted;
}

}  // namespace vkhost::mock
