#include "base/mutex.hpp"
#include "daemon/api_connection.hpp"
#include "daemon/certificate_folder.hpp"
#include "daemon/cluster_api.hpp"
#include "daemon/cluster_object_feed.hpp"
#include "daemon/file_stamps.hpp"
#include "daemon/identity.hpp"
#include "daemon/surroundings.hpp"
#include "http/certificate_request.hpp"
#include "http/client.hpp"
#include "kube/api_client.hpp"
#include "kube/client_certificate.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/events.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/paths.hpp"
#include "kube/replaceable_credentials.hpp"
#include "kube/reviews.hpp"
#include "node/node_object.hpp"
#include "resolve/kube_object_source.hpp"
#include "resolve/kube_token_source.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::chrono::seconds kFlushEvents{2};
constexpr std::chrono::seconds kWaitForCredentials{30};
// A node that was here before loses its lease while it waits for the answer.
constexpr std::chrono::seconds kAskWhoWeAre{3};

class ClusterSurroundings final : public Surroundings {
 public:
  // `certificate` is null where the credentials come from elsewhere; those of a connection can be replaced.
  struct Access {
    kube::Connection connection;
    std::shared_ptr<kube::Credentials> credentials;
    std::shared_ptr<kube::ReplaceableCredentials> replaceable;  // the same, or null
    std::unique_ptr<kube::ClientCertificate> certificate;
  };
  ClusterSurroundings(std::unique_ptr<kube::Client> client,
                      Access access,
                      const config::KubernetesConfig& config,
                      const Shared& shared)
      : client_(std::move(client)),
        server_(access.connection.server),
        proxy_url_(access.connection.proxy_url),
        credentials_(std::move(access.credentials)),
        replaceable_(std::move(access.replaceable)),
        certificate_(std::move(access.certificate)),
        only_namespace_(config.pod_namespace),
        stream_lists_(config.watch_list == config::WatchList::Auto),
        shared_(shared),
        cluster_uid_(config.cluster_uid),
        pod_api_(*client_),
        writer_({},
                {*client_, shared_.clock, shared_.random, shared_.log,
                 [this] { return pod_api_.is_writing(); }}),
        events_(writer_),
        objects_(*client_, *shared_.clock),
        feed_(shared.watches ? std::make_unique<ClusterObjectFeed>(ClusterObjectFeed::Parts{
                                   *client_, shared_.clock, shared_.random, shared_.log,
                                   *shared_.watches, objects_, shared_.metrics.get()})
                             : nullptr),
        tokens_(*client_, *shared_.clock) {
    if (replaceable_) {
      kubeconfig_.watch(kube::split_kubeconfig_list(config.kubeconfig));
      static_cast<void>(kubeconfig_.take_changes());
    }
  }

  void start() override {
    if (certificate_) {
      certificate_->start();
    }
    writer_.start();
  }
  void stop() override {
    writer_.stop(Deadline::after(*shared_.clock, kFlushEvents));
    if (certificate_) {
      certificate_->stop();
    }
  }

  Result<std::string> cluster_uid(const CancelToken& cancel) override;
  Result<std::string> node_identity(const CancelToken& cancel) override;
  kube::Client* api() override { return client_.get(); }
  pods::PodApi& pod_api() override { return pod_api_; }
  pods::EventSink& events() override { return events_; }
  resolve::ObjectSource& objects() override { return objects_; }
  resolve::ObjectFeed* object_feed() override { return feed_.get(); }
  resolve::TokenSource* tokens() override { return &tokens_; }
  Result<std::function<void()>> prepare_credentials(const config::Config& config) override;
  std::unique_ptr<PodSource> make_pod_source() override {
    return std::make_unique<ClusterPodSource>(
        only_namespace_, stream_lists_,
        ClusterPodSource::Parts{*client_, shared_.clock, shared_.random, shared_.log,
                                *shared_.watches, shared_.metrics.get()});
  }

 private:
  Result<std::string> find_cluster_uid(const CancelToken& cancel);
  Result<std::string> find_node_identity(const CancelToken& cancel);
  Result<std::string> uid_at(const std::string& path, const CancelToken& cancel);

  const std::unique_ptr<kube::Client> client_;
  const std::string server_;
  const std::string proxy_url_;
  const std::shared_ptr<kube::Credentials> credentials_;
  const std::shared_ptr<kube::ReplaceableCredentials> replaceable_;
  FileStamps kubeconfig_;            // only prepare_credentials(), and what it gives
  bool kubeconfig_changed_ = false;  // as well: it is not in use as it is now
  const std::unique_ptr<kube::ClientCertificate> certificate_;
  const std::string only_namespace_;
  const bool stream_lists_;
  const Shared shared_;
  // One answer for all nodes.
  Mutex mutex_;
  std::optional<std::string> identity_ VKHOST_GUARDED_BY(mutex_);
  std::string cluster_uid_ VKHOST_GUARDED_BY(mutex_);
  ClusterPodApi pod_api_;
  kube::EventWriter writer_;
  ClusterEvents events_;
  resolve::KubeObjectSource objects_;
  const std::unique_ptr<ClusterObjectFeed> feed_;  // null without a watch loop
  resolve::KubeTokenSource tokens_;
};

// The files that a kubeconfig names are read again by themselves; this is about the kubeconfig.
Result<std::function<void()>> ClusterSurroundings::prepare_credentials(
    const config::Config& config) {
  std::function<void()> nothing = [] {};
  if (!replaceable_) {
    return nothing;
  }
  kubeconfig_changed_ = kubeconfig_.take_changes() || kubeconfig_changed_;
  if (!kubeconfig_changed_) {
    return nothing;
  }
  VKHOST_TRY_ASSIGN(kube::Connection connection, api_connection(config.kubernetes));
  if (connection.server != server_ || connection.proxy_url != proxy_url_) {
    shared_.log.warn("another API server takes a restart; the present credentials stay",
                     {{"server", connection.server}, {"from", connection.origin}});
    return nothing;
  }
  return std::function<void()>([this, connection = std::move(connection)] {
    kubeconfig_changed_ = false;
    replaceable_->replace(kube::make_credentials(connection, shared_.clock, shared_.log));
    shared_.log.info("the kubeconfig was read again", {{"from", connection.origin}});
  });
}

Result<std::string> ClusterSurroundings::uid_at(const std::string& path,
                                                const CancelToken& cancel) {
  kube::CallOptions options;
  options.cancel = cancel;
  VKHOST_TRY_ASSIGN(const std::string json, client_->get(path, {}, options));
  auto uid = node::uid_of(json);
  return uid.is_ok() && uid->empty() ? Result<std::string>(unavailable(path + " has no UID")) : uid;
}

// A node may read no namespace, but every service. Who is no node may be refused in passing, and under
// another UID than last time all workloads would be strangers, so that is no way out for others.
Result<std::string> ClusterSurroundings::find_cluster_uid(const CancelToken& cancel) {
  std::string path = "/api/v1/namespaces/kube-system";
  auto found = uid_at(path, cancel);
  if (found.status().code() == StatusCode::PermissionDenied) {
    VKHOST_TRY_ASSIGN(const std::string node, node_identity(cancel));
    if (node.empty()) {
      return found.status().while_doing(
          "learning the UID of the cluster (or set kubernetes.cluster_uid)");
    }
    path = kube::services_path("default") + "/kubernetes";
    found = uid_at(path, cancel);
  }
  if (found.is_ok()) {
    shared_.log.info("the cluster is known by a UID", {{"uid", *found}, {"of", path}});
  }
  return found;
}

Result<std::string> ClusterSurroundings::cluster_uid(const CancelToken& cancel) {
  {
    const MutexLock lock(mutex_);
    if (!cluster_uid_.empty()) {
      return cluster_uid_;
    }
  }
  VKHOST_TRY_ASSIGN(const std::string found, find_cluster_uid(cancel));
  const MutexLock lock(mutex_);
  cluster_uid_ = found;
  return found;
}

Result<std::string> ClusterSurroundings::node_identity(const CancelToken& cancel) {
  {
    const MutexLock lock(mutex_);
    if (identity_) {
      return *identity_;
    }
  }
  VKHOST_TRY_ASSIGN(const std::string found, find_node_identity(cancel));
  const MutexLock lock(mutex_);
  identity_ = found;
  return found;
}

Result<std::string> ClusterSurroundings::find_node_identity(const CancelToken& cancel) {
  VKHOST_TRY_ASSIGN(
      const kube::Identity identity,
      credentials_->current(Deadline::after(*shared_.clock, kWaitForCredentials), cancel));
  kube::CallOptions options;
  options.deadline = Deadline::after(*shared_.clock, kAskWhoWeAre);
  options.cancel = cancel;
  options.once = true;
  const auto self = kube::review_self(*client_, options);
  if (self.is_ok()) {
    return node_of_user(self->username, self->groups);
  }
  // The API server does not say; a certificate does by itself.
  std::string node;
  if (!identity.tls->certificate_pem.empty()) {
    VKHOST_TRY_ASSIGN(const auto facts,
                      http::read_certificate_facts(identity.tls->certificate_pem));
    node = node_of_user(facts.subject.common_name, facts.subject.organizations);
  }
  const StatusCode code = self.status().code();
  const bool is_no_question = code == StatusCode::NotFound ||
                              code == StatusCode::PermissionDenied ||
                              code == StatusCode::Unimplemented;
  return node.empty() && !is_no_question ? Result<std::string>(self.status()) : node;
}

// Makes clients of one server.
class Clients {
 public:
  Clients(const kube::Connection& connection, const config::Config& config, const Shared& shared)
      : shared_(shared) {
    settings_.server = connection.server;
    settings_.proxy_url = connection.proxy_url;
    settings_.widths = kube::LaneWidths::sharing(
        static_cast<std::size_t>(config.kubernetes.max_requests_in_flight), config.nodes.size());
    settings_.request_timeout = config.kubernetes.request_timeout;
  }
  [[nodiscard]] std::unique_ptr<kube::Client> make(
      std::shared_ptr<kube::Credentials> credentials) const {
    kube::ClientParts parts;
    parts.credentials = std::move(credentials);
    parts.make_transport = [clock = shared_.clock](const http::TransportSettings& transport) {
      return http::make_poco_transport(transport, clock);
    };
    parts.clock = shared_.clock;
    parts.random = shared_.random;
    parts.log = shared_.log;
    parts.metrics = shared_.metrics.get();
    return kube::make_client(settings_, std::move(parts));
  }

 private:
  kube::ClientSettings settings_;
  Shared shared_;
};

std::unique_ptr<kube::ClientCertificate> make_certificate(const kube::Connection& bootstrap,
                                                          const Clients& clients,
                                                          const config::Config& config,
                                                          const Shared& shared) {
  kube::ClientCertificateSettings settings;
  settings.node_name = config.nodes.front().name;
  kube::ClientCertificateParts parts;
  parts.server = kube::make_credentials(without_identity(bootstrap), shared.clock, shared.log);
  parts.bootstrap = kube::make_credentials(bootstrap, shared.clock, shared.log);
  parts.make_client = [clients](std::shared_ptr<kube::Credentials> credentials) {
    return clients.make(std::move(credentials));
  };
  parts.store = std::make_unique<CertificateFolder>(certificate_folder(config.paths));
  parts.clock = shared.clock;
  parts.random = shared.random;
  parts.log = shared.log;
  return std::make_unique<kube::ClientCertificate>(std::move(settings), std::move(parts));
}

}  // namespace

Result<std::unique_ptr<Surroundings>> make_cluster_surroundings(const config::Config& config,
                                                                const Shared& shared) {
  VKHOST_TRY_ASSIGN(kube::Connection connection, api_connection(config.kubernetes));
  shared.log.info("API server", {{"server", connection.server}, {"from", connection.origin}});
  const Clients clients(connection, config, shared);
  std::unique_ptr<kube::ClientCertificate> certificate;
  if (!config.kubernetes.bootstrap_kubeconfig.empty()) {
    certificate = make_certificate(connection, clients, config, shared);
  }
  ClusterSurroundings::Access access;
  if (certificate) {
    access.credentials = certificate->credentials();
  } else {
    access.replaceable = std::make_shared<kube::ReplaceableCredentials>(
        kube::make_credentials(connection, shared.clock, shared.log));
    access.credentials = access.replaceable;
  }
  access.connection = std::move(connection);
  access.certificate = std::move(certificate);
  auto client = clients.make(access.credentials);
  return std::unique_ptr<Surroundings>(std::make_unique<ClusterSurroundings>(
      std::move(client), std::move(access), config.kubernetes, shared));
}

}  // namespace vkhost::daemon
