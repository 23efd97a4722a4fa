#include "doctor/doctor.hpp"

#include "base/backoff.hpp"
#include "daemon/api_connection.hpp"
#include "daemon/kubelet_service.hpp"
#include "daemon/state_file.hpp"
#include "doctor/address_checks.hpp"
#include "doctor/certificate_checks.hpp"
#include "doctor/client_authority_check.hpp"
#include "doctor/credential_checks.hpp"
#include "doctor/file_checks.hpp"
#include "doctor/plugin_checks.hpp"
#include "doctor/reach_check.hpp"
#include "doctor/rights_check.hpp"
#include "doctor/server_check.hpp"
#include "http/client.hpp"
#include "kube/api_client.hpp"
#include "kube/client_certificate.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/kubeconfig.hpp"
#include "observe/log.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace vkhost::doctor {
namespace {

constexpr std::chrono::seconds kWaitForCredentials{60};
// Where many nodes run in one daemon, the way to some of them says as much.
constexpr std::size_t kMaxReached = 5;

class Examiner {
 public:
  Examiner(const Subject& subject, const std::shared_ptr<const Clock>& clock)
      : subject_(subject), config_(subject.loaded.config), clock_(clock) {}

  Examination run() {
    if (!look_at_configuration()) {
      return std::move(done_);
    }
    look_at_files();
    const PluginFacts plugins = check_plugins(config_, subject_.executable, subject_.outside,
                                              *clock_, subject_.ping_deadline, done_.report);
    done_.is_stuck = plugins.is_stuck;
    look_at_addresses();
    if (config_.standalone.enabled) {
      done_.report.skipped({"api-server", "API server", "There is none in standalone mode."},
                           "standalone.enabled is set");
    } else {
      look_at_cluster(plugins);
    }
    return std::move(done_);
  }

 private:
  // Where the API server is, and what is shown to it.
  struct Way {
    kube::Connection connection;
    bool is_bootstrap = false;  // with the token only, as there is no certificate yet
    bool is_renewed = false;
  };

  bool look_at_configuration();
  void look_at_files();
  void look_at_kubelet_certificates(const std::vector<std::string>& advertised);
  void look_at_addresses();
  void look_from_here(const std::vector<std::string>& advertised);
  void look_at_cluster(const PluginFacts& plugins);
  void look_at_rights(kube::Client& client, const Self& self, const PluginFacts& plugins);
  void look_at_reach(kube::Client& client);
  [[nodiscard]] Result<Way> find_way() const;
  // Of the nodes of the daemon that runs.
  [[nodiscard]] std::size_t reached_count() const {
    return std::min(running_->nodes.size(), kMaxReached);
  }
  [[nodiscard]] std::unique_ptr<kube::Client> make_client(
      const kube::Connection& connection, std::shared_ptr<kube::Credentials> credentials) const;

  const Subject& subject_;
  const config::Config& config_;
  const std::shared_ptr<const Clock> clock_;
  std::optional<daemon::RuntimeFile> running_;
  Examination done_;
};

bool Examiner::look_at_configuration() {
  const Matter matter{"configuration", "configuration",
                      "The daemon does not start with an error in it."};
  const std::string advice = "docs/configuration.md describes each key.";
  for (const config::Problem& problem : subject_.loaded.problems.list()) {
    if (problem.severity == config::Severity::Error) {
      done_.report.problem(matter, problem.to_string(), advice);
    } else {
      done_.report.warning(matter, problem.to_string(), advice);
    }
  }
  if (subject_.loaded.problems.has_errors()) {
    done_.report.skipped({"configuration", "everything else", "It hangs on the configuration."},
                         "not looked at", "Mend the configuration and ask again.");
    return false;
  }
  done_.report.ok(matter, subject_.origin + ": nodes: " + std::to_string(config_.nodes.size()) +
                              ", providers: " + std::to_string(config_.providers.size()));
  return true;
}

void Examiner::look_at_files() {
  check_folder({"paths", "state folder", "What has to outlive the daemon is kept there."},
               config_.paths.state, "paths.state", done_.report);
  check_folder({"paths", "runtime folder", "vkhost get finds the running daemon by it."},
               config_.paths.runtime, "paths.runtime", done_.report);
  if (!config_.kubelet.key_file.empty()) {
    check_secret_file({"paths", "key of the kubelet API",
                       "Who has it can stand in for the node before the API server."},
                      config_.kubelet.key_file, done_.report);
  }
}

void Examiner::look_at_kubelet_certificates(const std::vector<std::string>& advertised) {
  const config::KubeletConfig& kubelet = config_.kubelet;
  const std::string reason = "The API server and metrics scrapers see it.";
  Matter serving{"certificates", "serving certificate", reason};
  if (kubelet.certificate_file.empty()) {
    done_.report.ok(serving, "the daemon makes one for itself at each start");
  } else {
    CertificateQuestion question;
    question.matter = serving;
    question.renewal =
        "Put another one into " + kubelet.certificate_file + " and restart the daemon.";
    auto certificate = daemon::read_state_file(kubelet.certificate_file);
    auto key = daemon::read_state_file(kubelet.key_file);
    if (!certificate.is_ok() || !key.is_ok()) {
      const Status& failure = certificate.is_ok() ? key.status() : certificate.status();
      done_.report.problem(
          serving, failure.message(),
          "Let kubelet.certificate_file and key_file name files of the daemon's user.");
    } else {
      question.pem = std::move(*certificate);
      question.key_pem = Secret(std::move(*key));
      question.names = advertised;
      check_certificate(question, clock_->wall_now(), done_.report);
    }
  }
  if (!kubelet.client_ca_file.empty()) {
    const Matter matter{"certificates", "authorities of clients",
                        "The kubelet API believes client certificates that they signed."};
    const auto bundle = daemon::read_state_file(kubelet.client_ca_file);
    if (!bundle.is_ok()) {
      done_.report.problem(
          matter, bundle.status().message(),
          "Let kubelet.client_ca_file name a file that the daemon's user may read.");
    } else {
      check_authorities(
          matter, *bundle,
          "Put the cluster's present authorities into " + kubelet.client_ca_file + ".",
          clock_->wall_now(), done_.report);
    }
  }
}

void Examiner::look_at_addresses() {
  const auto advertised = daemon::advertised_addresses(config_);
  look_at_kubelet_certificates(advertised);
  check_addresses(config_, advertised, done_.report);
  auto running = running_daemon(config_.paths);
  if (!running.is_ok()) {
    done_.report.problem(
        {"address", "daemon that runs", "Its ports are not free, and are its own."},
        running.status().message(),
        "Run this command as the daemon's user, or remove what is left there.");
    return;
  }
  running_ = std::move(*running);
  check_ports(config_, running_, done_.report);
  if (running_ && !config_.standalone.enabled) {
    look_from_here(advertised);
  }
}

void Examiner::look_from_here(const std::vector<std::string>& advertised) {
  for (const std::string& address : advertised) {
    const bool is_ipv6 = address.find(':') != std::string::npos;
    const bool is_own = is_own_address(address);
    const std::string host = is_ipv6 ? "[" + address + "]" : address;
    for (std::size_t i = 0; i < reached_count(); ++i) {
      const daemon::RuntimeNode& node = running_->nodes[i];
      const KubeletPlace place{node.name, host + ":" + std::to_string(node.port), is_own};
      http::TransportSettings settings;
      settings.url = "https://" + place.address;
      // Only whether we are answered: who that is, is the API server's to check.
      settings.tls.insecure_skip_verify = true;
      const auto transport = http::make_poco_transport(settings, clock_);
      if (transport.is_ok()) {  // what is no address was found before
        check_dial(**transport, place, *clock_, done_.report);
      }
    }
  }
}

Result<Examiner::Way> Examiner::find_way() const {
  VKHOST_TRY_ASSIGN(kube::Connection connection, daemon::api_connection(config_.kubernetes));
  if (config_.kubernetes.bootstrap_kubeconfig.empty()) {
    return Way{std::move(connection), false, false};
  }
  const std::filesystem::path kept =
      daemon::certificate_folder(config_.paths) / kube::kKeptCertificate;
  std::error_code error;
  if (!std::filesystem::exists(kept, error)) {
    return Way{std::move(connection), true, false};
  }
  Way way{daemon::without_identity(connection), false, true};
  way.connection.client_certificate.file = kept;
  way.connection.client_key.file = kept;
  return way;
}

std::unique_ptr<kube::Client> Examiner::make_client(
    const kube::Connection& connection, std::shared_ptr<kube::Credentials> credentials) const {
  kube::ClientSettings settings;
  settings.server = connection.server;
  settings.proxy_url = connection.proxy_url;
  settings.request_timeout = config_.kubernetes.request_timeout;
  kube::ClientParts parts;
  parts.credentials = std::move(credentials);
  parts.make_transport = [clock = clock_](http::TransportSettings transport) {
    return http::make_poco_transport(std::move(transport), clock);
  };
  parts.clock = clock_;
  parts.random = std::make_shared<SeededRandom>(SeededRandom::seed_from_system());
  return kube::make_client(std::move(settings), std::move(parts));
}

void Examiner::look_at_cluster(const PluginFacts& plugins) {
  const Matter matter{"credentials", "credentials for the API server",
                      "Without them the daemon does not get into the cluster."};
  const std::string advice = "docs/credentials.md describes what the daemon takes.";
  const auto way = find_way();
  if (!way.is_ok()) {
    done_.report.problem(matter, way.status().message(), advice);
    return;
  }
  const kube::Connection& connection = way->connection;
  const auto credentials = kube::make_credentials(connection, clock_, observe::Logger());
  const auto identity = credentials->current(Deadline::after(*clock_, kWaitForCredentials), {});
  if (!identity.is_ok()) {
    done_.report.problem(matter, identity.status().message(), advice);
    return;
  }
  done_.report.ok(matter, connection.origin);
  check_connection_certificates(connection, *identity->tls, way->is_renewed, clock_->wall_now(),
                                done_.report);
  http::TransportSettings settings;
  settings.url = connection.server;
  settings.proxy_url = connection.proxy_url;
  settings.tls = *identity->tls;
  const auto transport = http::make_poco_transport(settings, clock_);
  if (!transport.is_ok()) {
    done_.report.problem(matter, transport.status().message(), advice);
    return;
  }
  if (!check_server(**transport, connection.server, *identity, *clock_, done_.report)) {
    done_.report.skipped({"rights", "rights of the daemon", "Each is used."},
                         "the API server does not answer");
    return;
  }
  const auto client = make_client(connection, credentials);
  if (way->is_bootstrap) {
    check_bootstrap_rights(*client, *clock_, done_.report);
    return;
  }
  const Self self = check_self(*client, *identity->tls, config_, *clock_, done_.report);
  if (!self.is_refused) {
    look_at_rights(*client, self, plugins);
    look_at_reach(*client);
  }
}

void Examiner::look_at_rights(kube::Client& client, const Self& self, const PluginFacts& plugins) {
  const config::KubeletConfig& kubelet = config_.kubelet;
  Uses uses;
  uses.env = plugins.uses_env;
  uses.references = plugins.uses_references;
  uses.storage = plugins.uses_storage;
  uses.tokens = plugins.uses_tokens;
  uses.pull_credentials = plugins.uses_pull_credentials;
  uses.knows_cluster_uid = !config_.kubernetes.cluster_uid.empty();
  uses.asks_who_may = !kubelet.insecure_anonymous_auth || !kubelet.insecure_no_authorization;
  uses.client_authority = kubelet.client_ca_file.empty();
  uses.drains = config_.policies.on_stop == config::OnStop::Drain;
  uses.is_node = self.is_node;
  check_rights(client, *clock_, uses,
               {config_.nodes.front().name, config_.kubernetes.pod_namespace},
               self.user.empty() ? std::string("the daemon") : self.user, done_.report);
  if (uses.client_authority) {
    check_client_authority(client, *clock_, done_.report);
  }
}

void Examiner::look_at_reach(kube::Client& client) {
  const Matter matter{"reachability", "way from the API server to the nodes",
                      "kubectl logs, kubectl exec and metrics take it."};
  if (!running_) {
    done_.report.skipped(matter, "no daemon runs with this runtime folder",
                         "Start the daemon and ask again.");
    return;
  }
  std::unique_ptr<kube::Client> admin;
  if (!subject_.admin_kubeconfig.empty()) {
    const auto connection = kube::load_kubeconfig({subject_.admin_kubeconfig}, {});
    if (!connection.is_ok()) {
      done_.report.problem(matter, connection.status().message(),
                           "Name another file in --admin-kubeconfig.");
      return;
    }
    admin =
        make_client(*connection, kube::make_credentials(*connection, clock_, observe::Logger()));
  }
  for (std::size_t i = 0; i < reached_count(); ++i) {
    check_reach(admin ? *admin : client, *clock_, running_->nodes[i].name, done_.report);
  }
}

}  // namespace

Examination examine(const Subject& subject, const std::shared_ptr<const Clock>& clock) {
  return Examiner(subject, clock).run();
}

}  // namespace vkhost::doctor
