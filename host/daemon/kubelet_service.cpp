#include "daemon/kubelet_service.hpp"

#include "base/base64.hpp"
#include "daemon/state_file.hpp"
#include "daemon/virtual_node.hpp"
#include "http/keyed_hash.hpp"
#include "http/self_signed.hpp"
#include "kube/paths.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::string_view kAuthorityNamespace = "kube-system";
constexpr std::string_view kAuthorityName = "extension-apiserver-authentication";
// The first look at an own address waits this long for it.
constexpr std::chrono::seconds kAuthorityPatience{3};

// The local end of a connection to `remote`; empty when no route leads there.
std::string address_towards(int family, const sockaddr* remote, socklen_t remote_size) {
  // Connecting a datagram socket only asks the routing table.
  const int socket = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  std::array<char, INET6_ADDRSTRLEN> text{};
  bool found = socket >= 0 && ::connect(socket, remote, remote_size) == 0 &&
               ::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size) == 0;
  if (found) {
    const void* address =
        family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&local)->sin_addr)
            : static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&local)->sin6_addr);
    found = ::inet_ntop(family, address, text.data(), text.size()) != nullptr;
  }
  if (socket >= 0) {
    ::close(socket);
  }
  return found ? text.data() : "";
}

Result<http::ServerIdentity> identity_from_files(const config::KubeletConfig& config) {
  VKHOST_TRY_ASSIGN(std::string certificate, read_state_file(config.certificate_file));
  VKHOST_TRY_ASSIGN(std::string key, read_state_file(config.key_file));
  return http::ServerIdentity{std::move(certificate), std::move(key)};
}

kubelet::AccessSettings access_settings(const config::KubeletConfig& config,
                                        const Secret& owner_token) {
  kubelet::AccessSettings settings;
  settings.owner_token = owner_token;
  settings.insecure_anonymous_auth = config.insecure_anonymous_auth;
  settings.insecure_no_authorization = config.insecure_no_authorization;
  settings.token_lifetime = config.authentication_cache_ttl;
  settings.allowed_lifetime = config.authorization_cache_allowed_ttl;
  settings.denied_lifetime = config.authorization_cache_denied_ttl;
  return settings;
}

}  // namespace

std::string primary_address() {
  // The remote ends are set aside for documentation (RFC 5737, RFC 3849).
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.1", &remote.sin_addr);
  std::string address =
      address_towards(AF_INET, reinterpret_cast<const sockaddr*>(&remote), sizeof remote);
  if (address.empty()) {
    // Only where there is no other: the address by which a machine dials out may be a temporary one.
    sockaddr_in6 other{};
    other.sin6_family = AF_INET6;
    other.sin6_port = htons(9);
    ::inet_pton(AF_INET6, "2001:db8::1", &other.sin6_addr);
    address = address_towards(AF_INET6, reinterpret_cast<const sockaddr*>(&other), sizeof other);
  }
  return address.empty() ? "127.0.0.1" : address;
}

std::vector<std::string> advertised_addresses(const config::Config& config) {
  const std::string& named = config.kubelet.advertised_address;
  if (const std::size_t comma = named.find(','); comma != std::string::npos) {
    const std::size_t second = named.find_first_not_of(' ', comma + 1);
    if (comma == 0 || second == std::string::npos) {
      return {named};  // no address; the check of it will say so
    }
    return {named.substr(0, comma), named.substr(second)};
  }
  if (!named.empty()) {
    return {named};
  }
  const std::string& listen = config.kubelet.listen->address;
  const bool any = listen.empty() || listen == "0.0.0.0" || listen == "::";
  return {any ? primary_address() : listen};
}

Result<std::unique_ptr<KubeletService>> KubeletService::create(const config::Config& config,
                                                               kube::Client* api,
                                                               const Shared& shared) {
  std::unique_ptr<KubeletService> service(new KubeletService(config, api, shared));
  VKHOST_TRY(service->prepare());
  return service;
}

KubeletService::KubeletService(const config::Config& config,
                               kube::Client* api,
                               const Shared& shared)
    : config_(config.kubelet),
      has_files_(!config.kubelet.certificate_file.empty()),
      advertised_(advertised_addresses(config)),
      api_(api),
      shared_(shared),
      owner_token_(base64_encode(http::random_key())) {
  for (const config::NodeConfig& node : config.nodes) {
    if (!node.name.empty()) {
      node_names_.push_back(node.name);
    }
  }
}

KubeletService::~KubeletService() { stop(); }

Result<KubeletService::Certificates> KubeletService::make_certificates(
    const config::KubeletConfig& config) const {
  http::ServerIdentity identity;
  if (!config.certificate_file.empty()) {
    VKHOST_TRY_ASSIGN(identity, identity_from_files(config));
  } else {
    http::SelfSignedRequest request;
    request.common_name = node_names_.empty() ? "vkhost" : node_names_.front();
    request.names = node_names_;
    request.names.insert(request.names.end(), {"localhost", "127.0.0.1", "::1"});
    request.names.insert(request.names.end(), advertised_.begin(), advertised_.end());
    request.not_before = shared_.clock->wall_now();
    VKHOST_TRY_ASSIGN(identity, http::make_self_signed(request));
  }
  Certificates made;
  made.certificate_pem = identity.certificate_pem;
  VKHOST_TRY_ASSIGN(made.identity, http::TlsIdentity::create(identity));
  if (!config.client_ca_file.empty()) {
    VKHOST_TRY_ASSIGN(made.authority_pem, read_state_file(config.client_ca_file));
  }
  VKHOST_TRY_ASSIGN(made.clients, http::ClientAuthority::create(made.authority_pem));
  return made;
}

std::vector<std::filesystem::path> KubeletService::certificate_files(const config::Config& config) {
  std::vector<std::filesystem::path> files;
  for (const std::string& file :
       {config.kubelet.certificate_file, config.kubelet.key_file, config.kubelet.client_ca_file}) {
    if (!file.empty()) {
      files.emplace_back(file);
    }
  }
  return files;
}

Result<std::function<bool()>> KubeletService::prepare_certificates(const config::Config& config) {
  config::KubeletConfig wanted = config_;
  wanted.certificate_file = config.kubelet.certificate_file;
  wanted.key_file = config.kubelet.key_file;
  VKHOST_TRY_ASSIGN(Certificates made, make_certificates(wanted));
  const bool has_files = !wanted.certificate_file.empty();
  return std::function<bool()>([this, made = std::move(made), has_files] {
    if (made.authority_pem != certificates_.authority_pem) {
      // It was read as one a moment ago.
      static_cast<void>(certificates_.clients->replace(made.authority_pem));
      certificates_.authority_pem = made.authority_pem;
      shared_.log.info("another authority signs the client certificates that are believed");
    }
    // One that the daemon signs is signed for its life.
    const bool stays_self_signed = !has_files && !has_files_;
    has_files_ = has_files;
    const MutexLock lock(mutex_);
    if (stays_self_signed || certificates_.certificate_pem == made.certificate_pem) {
      return false;
    }
    certificates_.certificate_pem = made.certificate_pem;
    certificates_.identity->take(*made.identity);
    shared_.log.info("the kubelet API shows another certificate");
    return true;
  });
}

Status KubeletService::prepare() {
  auto certificates = make_certificates(config_);
  if (!certificates.is_ok()) {
    return certificates.status().while_doing("preparing the certificates of the kubelet API");
  }
  certificates_ = std::move(*certificates);
  if (api_ != nullptr) {
    reviewer_ = std::make_unique<kubelet::ApiReviewer>(*api_, *shared_.clock);
  }
  access_ = std::make_unique<kubelet::Access>(access_settings(config_, owner_token_),
                                              reviewer_.get(), shared_.clock);
  http::ServerSettings settings;
  settings.name = "kubelet";
  settings.refusal = kubelet::status_reply;
  VKHOST_TRY_ASSIGN(server_, http::Server::create(std::move(settings),
                                                  std::make_shared<kubelet::KubeletHandler>(
                                                      *access_, *this, shared_.log,
                                                      [metrics = shared_.metrics](auto exposition) {
                                                        return metrics->render(exposition);
                                                      }),
                                                  shared_.clock, shared_.log));
  return Status::ok();
}

Result<Endpoint> KubeletService::listen(const config::NodeConfig& node, std::size_t index) {
  const config::Listen& range = *config_.listen;
  int port = 0;
  if (node.port) {
    port = static_cast<int>(*node.port);
  } else if (range.first_port != 0) {
    port = range.first_port + static_cast<int>(index);
    if (port > range.last_port) {
      return invalid_argument("kubelet.listen has fewer ports than there are nodes: node " +
                              node.name + " is left without one");
    }
  }
  http::Listen listen;
  listen.address = range.address.empty() ? "::" : range.address;
  listen.port = port;
  listen.identity = certificates_.identity;
  listen.clients = certificates_.clients;
  auto bound = server_->listen(listen);
  if (!bound.is_ok() && range.address.empty()) {
    listen.address = "0.0.0.0";  // a machine that knows no IPv6
    bound = server_->listen(listen);
  }
  if (!bound.is_ok()) {
    return bound.status();
  }
  return Endpoint{advertised_.front(), static_cast<std::uint16_t>(*bound),
                  advertised_.size() > 1 ? advertised_[1] : std::string()};
}

void KubeletService::serve(const Endpoint& endpoint,
                           const VirtualNode& node,
                           std::string provider) {
  const MutexLock lock(mutex_);
  served_[endpoint.port] = {&node, std::move(provider)};
}

void KubeletService::start() {
  if (api_ == nullptr || !config_.client_ca_file.empty()) {
    return;
  }
  authority_watch_ = std::make_unique<kube::ObjectWatch>(
      kube::ObjectWatchSettings{
          kube::config_maps_path(kAuthorityNamespace), std::string(kAuthorityName), {}},
      kube::ObjectWatch::Parts{*api_, *this, shared_.clock, shared_.random, shared_.log,
                               *shared_.watches, shared_.metrics.get()});
  authority_watch_->start();
}

void KubeletService::stop() {
  if (authority_watch_) {
    authority_watch_->stop();
  }
  if (server_) {
    server_->stop();
  }
}

void KubeletService::object_changed(std::string json) {
  take_authority(json);
  authority_told_.cancel();
}

void KubeletService::take_authority(const std::string& json) {
  std::string bundle;
  try {
    Poco::JSON::Parser parser;
    const auto object = parser.parse(json).extract<Poco::JSON::Object::Ptr>();
    const auto data = object->getObject("data");
    bundle = data.isNull() ? std::string() : data->optValue<std::string>("client-ca-file", "");
  } catch (const Poco::Exception& error) {
    shared_.log.warn("the cluster's client authority cannot be read; the present one stays",
                     {{"error", error.displayText()}});
    return;
  }
  const Status replaced = certificates_.clients->replace(bundle);
  if (!replaced.is_ok()) {
    shared_.log.warn("the cluster's client authority cannot be used; the present one stays",
                     {observe::error_field(replaced)});
  }
}

void KubeletService::object_gone() {
  shared_.log.warn(
      "the cluster publishes no client authority, so client certificates are not believed; set "
      "kubelet.client_ca_file to name one",
      {{"config_map", std::string(kAuthorityNamespace) + "/" + std::string(kAuthorityName)}});
  authority_told_.cancel();
}

// A node that is Ready gets requests at once, from clients who show certificates.
void KubeletService::wait_for_authority(const CancelToken& cancel) const {
  if (authority_watch_ == nullptr || authority_told_.is_cancelled()) {
    return;
  }
  CancelSource over(cancel);
  const CancelCallback told(authority_told_.token(), [&over] { over.cancel(); });
  static_cast<void>(over.token().wait_for(kAuthorityPatience));
  authority_told_.cancel();
}

RuntimeFile KubeletService::runtime_file() const {
  RuntimeFile file;
  file.pid = ::getpid();
  file.token = owner_token_;
  const MutexLock lock(mutex_);
  file.certificate_pem = certificates_.certificate_pem;
  for (const auto& [port, served] : served_) {
    file.nodes.push_back(
        {served.node->name(), advertised_.front(), static_cast<std::uint16_t>(port)});
  }
  return file;
}

Status KubeletService::check_endpoint(const Endpoint& endpoint, const CancelToken& cancel) const {
  wait_for_authority(cancel);
  http::TransportSettings settings;
  const bool is_ipv6 = endpoint.address.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + endpoint.address + "]" : endpoint.address;
  settings.url = "https://" + host + ":" + std::to_string(endpoint.port);
  // Only whether we are reached: who answers there is the API server's to check.
  settings.tls.insecure_skip_verify = true;
  VKHOST_TRY_ASSIGN(const auto transport, http::make_poco_transport(settings, shared_.clock));
  http::Request request;
  request.target = "/healthz";
  const auto answer =
      transport->send(request, Deadline::after(*shared_.clock, std::chrono::seconds{5}), cancel);
  if (!answer.is_ok()) {
    return answer.status().while_doing("dialling the daemon's own address " + host + ":" +
                                       std::to_string(endpoint.port));
  }
  return Status::ok();
}

const KubeletService::Served* KubeletService::find(const std::string& node_name) const {
  for (const auto& [port, served] : served_) {
    if (served.node->name() == node_name) {
      return &served;
    }
  }
  return nullptr;
}

std::string KubeletService::node_at(int local_port) const {
  const MutexLock lock(mutex_);
  const auto found = served_.find(local_port);
  return found == served_.end() ? std::string() : found->second.node->name();
}

std::vector<kubelet::PodState> KubeletService::pods(const std::string& node_name) const {
  const VirtualNode* node = nullptr;
  {
    const MutexLock lock(mutex_);
    const Served* served = find(node_name);
    node = served == nullptr ? nullptr : served->node;
  }
  std::vector<kubelet::PodState> states;
  if (node == nullptr) {
    return states;
  }
  for (pods::PodView& view : node->pods()) {
    states.push_back({std::move(view.pod), view.runs_in_backend,
                      view.last_error.is_ok() ? std::string() : view.last_error.message(),
                      view.next_try});
  }
  return states;
}

std::optional<kubelet::NodeState> KubeletService::node(const std::string& node_name) const {
  Served served;
  {
    const MutexLock lock(mutex_);
    const Served* found = find(node_name);
    if (found == nullptr) {
      return std::nullopt;
    }
    served = *found;
  }
  const node::NodeView view = served.node->view();
  return kubelet::NodeState{view.name,
                            served.provider,
                            view.readiness.ready,
                            view.readiness.reason,
                            view.readiness.message,
                            served.node->pods().size()};
}

}  // namespace vkhost::daemon
