#include "daemon/cluster_api.hpp"
#include "daemon/surroundings.hpp"
#include "http/client.hpp"
#include "kube/api_client.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/events.hpp"
#include "kube/in_cluster.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/paths.hpp"
#include "node/node_object.hpp"
#include "resolve/kube_object_source.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::chrono::seconds kFlushEvents{2};

class ClusterSurroundings final : public Surroundings {
 public:
  ClusterSurroundings(std::unique_ptr<kube::Client> client,
                      const config::KubernetesConfig& config,
                      const Shared& shared)
      : client_(std::move(client)),
        only_namespace_(config.pod_namespace),
        stream_lists_(config.watch_list == config::WatchList::Auto),
        shared_(shared),
        pod_api_(*client_),
        writer_({},
                {*client_, shared_.clock, shared_.random, shared_.log,
                 [this] { return pod_api_.is_writing(); }}),
        events_(writer_),
        objects_(*client_, *shared_.clock) {}

  void start() override { writer_.start(); }
  void stop() override { writer_.stop(Deadline::after(*shared_.clock, kFlushEvents)); }

  Result<std::string> cluster_uid(const CancelToken& cancel) override {
    kube::CallOptions options;
    options.cancel = cancel;
    VKHOST_TRY_ASSIGN(const std::string json,
                      client_->get("/api/v1/namespaces/kube-system", {}, options));
    return node::uid_of(json);
  }
  kube::Client* api() override { return client_.get(); }
  pods::PodApi& pod_api() override { return pod_api_; }
  pods::EventSink& events() override { return events_; }
  resolve::ObjectSource& objects() override { return objects_; }
  std::unique_ptr<PodSource> make_pod_source() override {
    return std::make_unique<ClusterPodSource>(
        only_namespace_, stream_lists_,
        ClusterPodSource::Parts{*client_, shared_.clock, shared_.random, shared_.log,
                                *shared_.watches});
  }

 private:
  const std::unique_ptr<kube::Client> client_;
  const std::string only_namespace_;
  const bool stream_lists_;
  const Shared shared_;
  ClusterPodApi pod_api_;
  kube::EventWriter writer_;
  ClusterEvents events_;
  resolve::KubeObjectSource objects_;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): never written
  return value == nullptr ? std::string() : value;
}

// The kubeconfig, where there is such a file; else the service account of the pod that we are in. A
// kubeconfig is nearly always named, if only by default ($HOME), so its absence decides.
Result<kube::Connection> find_connection(const config::KubernetesConfig& config) {
  const auto files = kube::split_kubeconfig_list(config.kubeconfig);
  const bool exists = std::any_of(files.begin(), files.end(), [](const auto& file) {
    std::error_code error;
    return std::filesystem::exists(file, error) || error;  // one that is hidden is not missing
  });
  if (exists) {
    return kube::load_kubeconfig(files, config.context);
  }
  const kube::InClusterPlaces places{kube::InClusterPlaces{}.folder,
                                     environment("KUBERNETES_SERVICE_HOST"),
                                     environment("KUBERNETES_SERVICE_PORT")};
  auto in_cluster = kube::in_cluster_connection(places);
  if (in_cluster.is_ok() || in_cluster.status().code() != StatusCode::FailedPrecondition) {
    return in_cluster;
  }
  return not_found("no way to an API server: " +
                   (files.empty() ? std::string("kubernetes.kubeconfig is not set")
                                  : "there is no file " + config.kubeconfig) +
                   ", and " + in_cluster.status().message() +
                   "; name a kubeconfig, or run with --standalone");
}

}  // namespace

Result<std::unique_ptr<Surroundings>> make_cluster_surroundings(const config::Config& config,
                                                                const Shared& shared) {
  VKHOST_TRY_ASSIGN(kube::Connection connection, find_connection(config.kubernetes));
  if (!config.kubernetes.server.empty()) {
    connection.server = config.kubernetes.server;
  }
  kube::ClientSettings settings;
  settings.widths = kube::LaneWidths::sharing(
      static_cast<std::size_t>(config.kubernetes.max_requests_in_flight), config.nodes.size());
  settings.request_timeout = config.kubernetes.request_timeout;
  kube::ClientParts parts;
  parts.make_transport = [clock = shared.clock](http::TransportSettings transport) {
    return http::make_poco_transport(std::move(transport), clock);
  };
  parts.clock = shared.clock;
  parts.random = shared.random;
  parts.log = shared.log;
  shared.log.info("API server", {{"server", connection.server}, {"from", connection.origin}});
  return std::unique_ptr<Surroundings>(std::make_unique<ClusterSurroundings>(
      kube::make_client(connection, std::move(settings), std::move(parts)), config.kubernetes,
      shared));
}

}  // namespace vkhost::daemon
