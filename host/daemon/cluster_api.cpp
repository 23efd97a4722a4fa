#include "daemon/cluster_api.hpp"

#include "kube/pod_calls.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

// No deadline of its own: kubernetes.request_timeout bounds every request.
kube::CallOptions about_pods(const CancelToken& cancel) {
  kube::CallOptions options;
  options.cancel = cancel;
  options.lane = kube::Lane::Status;
  return options;
}

class UnderWay {
 public:
  explicit UnderWay(std::atomic<int>& count) : count_(count) { ++count_; }
  ~UnderWay() { --count_; }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  std::atomic<int>& count_;
};

kube::Event event_of(const pods::Happening& what, std::string_view node_name) {
  kube::Event event;
  event.severity = what.type == pods::EventType::Warning ? kube::EventSeverity::Warning
                                                         : kube::EventSeverity::Normal;
  event.reason = what.reason;
  event.message = what.message;
  event.detail = what.detail;
  event.node_name = node_name;
  event.key = what.key;
  event.occurred = what.occurred;
  return event;
}

}  // namespace

Result<std::string> ClusterPodApi::patch_status(const kube::PodRecord& pod,
                                                const pods::StatusPatch& patch,
                                                const CancelToken& cancel) {
  const UnderWay write(writes_);
  VKHOST_TRY_ASSIGN(const kube::PodPtr written,
                    kube::patch_pod_status(client_, pod, patch.status_json, patch.annotations,
                                           about_pods(cancel)));
  return written->resource_version;
}

Status ClusterPodApi::remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) {
  return kube::delete_pod_now(client_, pod, about_pods(cancel));
}

Result<kube::PodPtr> ClusterPodApi::read_pod(const std::string& pod_namespace,
                                             const std::string& name,
                                             const std::string& node_name,
                                             const CancelToken& cancel) {
  return kube::fetch_pod(client_, {pod_namespace, name, node_name}, about_pods(cancel));
}

void ClusterEvents::pod_event(const kube::PodRecord& pod, const pods::Happening& what) {
  if (what.type == pods::EventType::Normal && !writer_.takes_normal()) {
    return;
  }
  kube::Event event = event_of(what, pod.node_name);
  event.about = {"Pod",
                 "v1",
                 pod.pod_namespace,
                 pod.name,
                 pod.uid,
                 pod.resource_version,
                 std::string(what.field_path)};
  writer_.post(std::move(event));
}

// Events of nodes bear the name as the UID, as those of the kubelet do: kubectl looks for both.
void ClusterEvents::node_event(std::string_view node_name, const pods::Happening& what) {
  kube::Event event = event_of(what, node_name);
  const std::string name(node_name);
  event.about = {"Node", "v1", "", name, name, "", ""};
  writer_.post(std::move(event));
}

ClusterPodSource::ClusterPodSource(std::string only_namespace, bool stream_lists, Parts parts)
    : only_namespace_(std::move(only_namespace)),
      stream_lists_(stream_lists),
      parts_(std::move(parts)) {}

Status ClusterPodSource::start(const std::string& node_name, kube::PodListener* listener) {
  kube::PodWatchSettings settings;
  settings.node_name = node_name;
  settings.only_namespace = only_namespace_;
  settings.list_watch.stream_lists = stream_lists_;
  watch_ = std::make_unique<kube::PodWatch>(
      std::move(settings),
      kube::PodWatch::Parts{parts_.client, *listener, parts_.clock, parts_.random, parts_.log,
                            parts_.watches, parts_.metrics});
  watch_->start();
  return Status::ok();
}

void ClusterPodSource::stop() {
  if (watch_) {
    watch_->stop();
  }
}

}  // namespace vkhost::daemon
