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

}  // namespace

Result<std::string> ClusterPodApi::patch_status(const kube::PodRecord& pod,
                                                const pods::StatusPatch& patch,
                                                const CancelToken& cancel) {
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
                                             const CancelToken& cancel) {
  return kube::fetch_pod(client_, pod_namespace, name, about_pods(cancel));
}

void ClusterEvents::pod_event(const kube::PodRecord& pod,
                              pods::EventType type,
                              std::string_view reason,
                              std::string_view message) {
  kube::Event event;
  event.about = {"Pod", "v1", pod.pod_namespace, pod.name, pod.uid, pod.resource_version};
  event.severity =
      type == pods::EventType::Warning ? kube::EventSeverity::Warning : kube::EventSeverity::Normal;
  event.reason = reason;
  event.message = message;
  event.node_name = pod.node_name;
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
      std::move(settings), kube::PodWatch::Parts{parts_.client, *listener, parts_.clock,
                                                 parts_.random, parts_.log, parts_.watches});
  watch_->start();
  return Status::ok();
}

void ClusterPodSource::stop() {
  if (watch_) {
    watch_->stop();
  }
}

}  // namespace vkhost::daemon
