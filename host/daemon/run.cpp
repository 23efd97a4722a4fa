// The order of things: signals, plugins, surroundings, listeners, nodes; and back. What can fail for
// good fails before anything is visible to others; what may come right later is repeated by the nodes
// themselves.
#include "daemon/run.hpp"

#include "base/executor.hpp"
#include "base/gate.hpp"
#include "base/joined.hpp"
#include "base/memory.hpp"
#include "base/open_files.hpp"
#include "base/timers.hpp"
#include "base/version.hpp"
#include "daemon/cluster_object_feed.hpp"
#include "daemon/departure.hpp"
#include "daemon/kubelet_service.hpp"
#include "daemon/node_material.hpp"
#include "daemon/node_metrics.hpp"
#include "daemon/node_plan.hpp"
#include "daemon/probe_threads.hpp"
#include "daemon/provider_libraries.hpp"
#include "daemon/reload.hpp"
#include "daemon/runtime_file.hpp"
#include "daemon/service_manager.hpp"
#include "daemon/stopping.hpp"
#include "daemon/surroundings.hpp"
#include "daemon/token_renewal.hpp"
#include "daemon/virtual_node.hpp"
#include "http/listener.hpp"
#include "http/server.hpp"
#include "kubelet/health_handler.hpp"
#include "observe/catalogue.hpp"
#include "pods/call_slots.hpp"
#include "resolve/claims.hpp"
#include "resolve/objects.hpp"
#include "resolve/service_accounts.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::daemon {
namespace {

// The signals that the main thread waits for. Blocked before any other thread exists, so that none
// of them can be interrupted by one.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      sigaddset(&set_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    // A peer that went away is an error of write(), for us and for every plugin.
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
    descriptor_ = ::signalfd(-1, &set_, SFD_CLOEXEC);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() { ::close(descriptor_); }

  // The next signal. [may-block]
  [[nodiscard]] int wait() const {
    signalfd_siginfo info{};
    while (::read(descriptor_, &info, sizeof info) != sizeof info) {
      if (errno != EINTR) {
        return SIGTERM;
      }
    }
    return static_cast<int>(info.ssi_signo);
  }
  // The same; nothing when `other` becomes readable or the time is over before. [may-block]
  [[nodiscard]] std::optional<int> wait(int other, std::chrono::milliseconds time) const {
    std::array<pollfd, 2> polled{{{descriptor_, POLLIN, 0}, {other, POLLIN, 0}}};
    const auto limit = std::chrono::steady_clock::now() + time;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
      if (left.count() <= 0 ||
          ::poll(polled.data(), polled.size(), static_cast<int>(left.count())) == 0 ||
          polled[1].revents != 0) {
        return std::nullopt;
      }
      if (polled[0].revents != 0) {
        return wait();
      }
    }
  }

 private:
  sigset_t set_{};
  int descriptor_ = -1;
};

// Every node may have its calls in flight, and a few more tasks than that; beyond some nodes they
// share.
std::size_t parallel_calls(const config::Config& config) {
  constexpr std::size_t kNodesAtFullSpeed = 4;
  const auto calls = static_cast<std::size_t>(config.pods.workers);
  return std::clamp<std::size_t>(config.nodes.size(), 1, kNodesAtFullSpeed) *
         (calls + pods::CallSlots::ahead_of(calls) + calls / 4 + 2);
}

// Of all nodes together; leases are never behind anything but leases.
constexpr std::size_t kNodeWriters = 4;
constexpr std::size_t kNodesForEachLeaseThread = 50;
constexpr std::size_t kStarts = 64;

// Each waits for one answer of the API server at a time.
std::size_t lease_threads(std::size_t nodes) {
  return std::clamp<std::size_t>(nodes / kNodesForEachLeaseThread, 2, 16);
}

// What leaving without the rest takes.
constexpr std::chrono::seconds kAfterTheLimit{2};

// So long after the last change of a pod, or the start, what it took to cope with it is given back.
constexpr std::chrono::seconds kQuiet{15};

// A listener and two watches for each node; watches of what pods refer to; connections to the API server
// and of its clients.
std::uint64_t open_files_of(const config::Config& config) {
  const std::uint64_t objects = config.standalone.enabled ? 0 : kMaxWatchedObjects;
  return 4 * config.nodes.size() + objects +
         static_cast<std::uint64_t>(config.kubernetes.max_requests_in_flight) + 512;
}

Shared make_shared_parts(const config::Config& config, const RunOptions& options) {
  Shared shared{std::make_shared<SystemClock>(),
                std::make_shared<SeededRandom>(SeededRandom::seed_from_system()), options.log};
  observe::add_catalogue(*shared.metrics);  // before a plugin can take a name
  if (!config.standalone.enabled) {
    shared.watches = std::make_shared<kube::WatchLoop>(shared.clock);
  }
  return shared;
}

class Daemon {
 public:
  Daemon(const config::Config& config, const RunOptions& options)
      : config_(config),
        options_(options),
        shared_(make_shared_parts(config, options)),
        timers_(*shared_.clock),
        calls_("reconcile", parallel_calls(config) + TokenRenewal::kAtOnce, *shared_.clock),
        writes_("status", static_cast<std::size_t>(config.pods.status_writers), *shared_.clock),
        starts_("start", std::clamp<std::size_t>(config.nodes.size(), 1, kStarts), *shared_.clock),
        leases_("lease", lease_threads(config.nodes.size()), *shared_.clock),
        node_writes_("node", kNodeWriters, *shared_.clock),
        probes_(config.nodes, *shared_.clock),
        libraries_(*shared_.clock, shared_.log, shared_.metrics) {}
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() {
    stop();
    tidying_.close();
  }

  Status build();
  Status start();
  // At SIGHUP. From one thread, after start().
  void reload();
  // The configuration as it is now; what it was at the start where nothing runs yet.
  [[nodiscard]] std::shared_ptr<const config::Config> running() const { return reload_->running(); }
  // What stop() does, for a caller that watches over it.
  [[nodiscard]] Stopping::Stages stages();
  void stop();
  [[nodiscard]] std::size_t stuck_calls() const { return libraries_.stuck_calls(); }

 private:
  Status add_node(const config::NodeConfig& node, std::size_t index);
  void depart();
  Status build_health();
  void build_reload();
  std::vector<Reload::Credential> credentials();
  [[nodiscard]] bool is_ready() const;
  void register_metrics();
  void tidy_objects() {
    calls_.submit([this] {
      if (const Gate::Pass pass = tidying_.enter()) {
        objects_->store().tidy();
      }
    });
  }

  const config::Config& config_;
  const RunOptions& options_;
  const Shared shared_;
  Gate tidying_;
  // Of all nodes together.
  Timers timers_;
  Executor calls_;
  Executor writes_;
  Executor starts_;
  Executor leases_;
  Executor node_writes_;
  ProbeThreads probes_;
  ProviderLibraries libraries_;
  std::unique_ptr<Surroundings> surroundings_;
  std::unique_ptr<resolve::Objects> objects_;
  std::unique_ptr<TokenRenewal> tokens_;  // null where nobody issues any
  std::unique_ptr<resolve::ServiceAccounts> accounts_;
  std::unique_ptr<resolve::Claims> claims_;  // null when standalone
  std::unique_ptr<KubeletService> kubelet_;
  std::vector<std::unique_ptr<VirtualNode>> nodes_;
  std::vector<Endpoint> endpoints_;  // of the nodes
  std::unique_ptr<http::Server> health_;
  std::unique_ptr<Reload> reload_;
  bool started_ = false;
  std::atomic<bool> stopping_ = false;
  void expect_quiet() { quiet_.set(shared_.clock->steady_now() + kQuiet); }
  Timer quiet_{timers_, [this] { calls_.submit(release_unused_memory); }};
};

Status Daemon::build() {
  config::Problems problems;
  VKHOST_TRY(libraries_.load(config_, options_.executable, options_.outside, problems));
  for (const config::Problem& problem : problems.list()) {
    shared_.log.warn(problem.to_string());
  }
  if (config_.standalone.enabled) {
    VKHOST_TRY_ASSIGN(surroundings_, make_standalone_surroundings(config_, shared_));
  } else {
    VKHOST_TRY_ASSIGN(surroundings_, make_cluster_surroundings(config_, shared_));
  }
  objects_ = std::make_unique<resolve::Objects>(
      resolve::ObjectStore::Parts{surroundings_->objects(), *shared_.clock,
                                  surroundings_->object_feed(), [this] { tidy_objects(); }});
  if (resolve::TokenSource* const source = surroundings_->tokens()) {
    tokens_ = std::make_unique<TokenRenewal>(TokenRenewal::Parts{
        *source, *shared_.clock, *shared_.random, timers_, calls_, shared_.log});
  }
  accounts_ = std::make_unique<resolve::ServiceAccounts>(surroundings_->objects(), *shared_.clock,
                                                         shared_.log);
  if (!config_.standalone.enabled) {
    claims_ = std::make_unique<resolve::Claims>(surroundings_->objects(), *shared_.clock);
  }
  VKHOST_TRY_ASSIGN(kubelet_, KubeletService::create(config_, surroundings_->api(), shared_));
  for (std::size_t i = 0; i < config_.nodes.size(); ++i) {
    VKHOST_TRY(add_node(config_.nodes[i], i));
  }
  register_metrics();
  build_reload();
  return build_health();
}

Status Daemon::add_node(const config::NodeConfig& node, std::size_t index) {
  VKHOST_TRY_ASSIGN(const Endpoint endpoint, kubelet_->listen(node, index));
  const ProviderLibraries::Loaded& provider = libraries_.at(node.provider);

  VirtualNodeSettings settings;
  settings.node = node_settings(node, endpoint);
  settings.pods = pods_settings(config_, node, endpoint);
  settings.pods.annotation_prefixes = provider.library->description().annotation_prefixes;
  settings.ignore_daemonset_pods = config_.policies.daemonset_pods == config::DaemonsetPods::Ignore;

  VirtualNodeParts parts;
  parts.make_provider = [&](plugin::ProviderListener& listener) {
    return provider.library->create(
        {provider.settings.json.reveal(), instance_info(config_, node, endpoint), node.provider},
        listener, {});
  };
  parts.source = surroundings_->make_pod_source();
  parts.cluster_uid = [this](const CancelToken& cancel) {
    return surroundings_->cluster_uid(cancel);
  };
  parts.node_identity = [this](const CancelToken& cancel) {
    return surroundings_->node_identity(cancel);
  };
  parts.make_material = [&](const plugin::Capabilities& capabilities, Allocatable allocatable) {
    NodeMaterial::Parts material;
    material.objects = objects_.get();
    material.tokens = tokens_ ? &tokens_->tokens() : nullptr;
    material.accounts = accounts_.get();
    material.claims = claims_.get();
    material.events = &surroundings_->events();
    material.clock = shared_.clock.get();
    material.timers = &timers_;
    material.host_ip = endpoint.address;
    material.allocatable = std::move(allocatable);
    return std::make_unique<NodeMaterial>(std::move(material), capabilities);
  };
  parts.pod_api = &surroundings_->pod_api();
  parts.events = &surroundings_->events();
  parts.starts = &starts_;
  parts.threads = {&calls_, &writes_, &timers_};
  parts.node_threads = {&leases_, &node_writes_, &probes_.of(node.provider), &timers_};
  parts.api = surroundings_->api();
  parts.watches = shared_.watches.get();
  if (config_.kubelet.check_advertised_address && !config_.standalone.enabled) {
    parts.self_check = [this, endpoint](const CancelToken& cancel) {
      return kubelet_->check_endpoint(endpoint, cancel);
    };
  }
  parts.pods_changed = [this] { expect_quiet(); };
  parts.metrics = shared_.metrics.get();
  parts.clock = shared_.clock;
  parts.random = shared_.random;
  parts.log = shared_.log.with({{"node", node.name}});
  VKHOST_TRY_ASSIGN(std::unique_ptr<VirtualNode> made,
                    VirtualNode::create(std::move(settings), std::move(parts)));
  kubelet_->serve(endpoint, *made, node.provider);
  nodes_.push_back(std::move(made));
  endpoints_.push_back(endpoint);
  shared_.log.info("kubelet API", {{"node", node.name},
                                   {"address", endpoint.address},
                                   {"port", std::to_string(endpoint.port)}});
  return Status::ok();
}

std::vector<Reload::Credential> Daemon::credentials() {
  Reload::Credential kubelet;
  kubelet.what = "the certificates of the kubelet API";
  kubelet.files = KubeletService::certificate_files;
  kubelet.prepare = [this](const config::Config& config) -> Result<std::function<void()>> {
    VKHOST_TRY_ASSIGN(auto commit, kubelet_->prepare_certificates(config));
    return std::function<void()>([this, commit = std::move(commit)] {
      if (commit()) {
        const Status written = write_runtime_file(config_.paths.runtime, kubelet_->runtime_file());
        if (!written.is_ok()) {
          shared_.log.warn("vkhost get does not know the new certificate",
                           {observe::error_field(written)});
        }
      }
    });
  };
  Reload::Credential cluster;
  cluster.what = "the credentials for the API server";
  // Somebody may work with the same kubeconfig: it is read when a reload is asked for only.
  cluster.files = [](const config::Config&) { return std::vector<std::filesystem::path>(); };
  cluster.prepare = [this](const config::Config& config) {
    return surroundings_->prepare_credentials(config);
  };
  return {std::move(kubelet), std::move(cluster)};
}

void Daemon::build_reload() {
  Reload::Parts parts;
  parts.load = options_.load;
  parts.set_log_level = options_.set_log_level;
  parts.credentials = credentials();
  parts.timers = &timers_;
  parts.clock = shared_.clock;
  parts.log = shared_.log;
  for (const config::ProviderConfig& provider : config_.providers) {
    const ProviderLibraries::Loaded& loaded = libraries_.at(provider.name);
    parts.providers.push_back(std::make_unique<ProviderReload>(
        provider, loaded.key, loaded.settings,
        ProviderReload::Parts{loaded.library, &options_.outside, shared_.clock, shared_.random,
                              shared_.log}));
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (config_.nodes[i].provider == provider.name) {
        parts.providers.back()->add(
            config_.nodes[i].name,
            [node = nodes_[i].get()](const Secret& json) { return node->reconfigure(json); });
      }
    }
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    parts.nodes.push_back(
        {endpoints_[i], [node = nodes_[i].get()](pods::Settings pods, bool ignore) {
           node->change_settings(std::move(pods), ignore);
         }});
  }
  reload_ = std::make_unique<Reload>(config_, std::move(parts));
}

void Daemon::reload() {
  notify_reloading();
  reload_->read_again([this] {
    if (!stopping_) {
      notify_service_manager("READY=1");
    }
  });
}

bool Daemon::is_ready() const {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->is_up(); });
}

void Daemon::register_metrics() {
  observe::Metrics& metrics = *shared_.metrics;
  family(metrics, observe::kBuildInfo).with({std::string(daemon_version())})->set(1);
  metrics.before_render([this, gauges = std::make_shared<NodeMetrics>(metrics)] {
    for (const auto& node : nodes_) {
      NodeFigures figures;
      figures.node = node->name();
      figures.is_ready = node->view().readiness.ready;
      figures.count(node->pods());
      figures.orphans = node->orphans();
      figures.load = node->load();
      gauges->show(figures);
    }
  });
}

Status Daemon::build_health() {
  if (config_.health.listen.off) {
    return Status::ok();
  }
  http::ServerSettings settings;
  settings.name = "health";
  settings.workers = 1;
  settings.max_connections = 64;
  settings.max_streams = 0;
  VKHOST_TRY_ASSIGN(
      health_, http::Server::create(
                   std::move(settings),
                   std::make_shared<kubelet::HealthHandler>(kubelet::HealthSources{
                       [this] { return is_ready(); },
                       [this](auto exposition) { return shared_.metrics->render(exposition); }}),
                   shared_.clock, shared_.log));
  http::Listen listen;
  listen.address =
      config_.health.listen.address.empty() ? "0.0.0.0" : config_.health.listen.address;
  listen.port = config_.health.listen.first_port;
  VKHOST_TRY_ASSIGN(const int port, health_->listen(listen));
  shared_.log.info("health", {{"address", listen.address}, {"port", std::to_string(port)}});
  return Status::ok();
}

Status Daemon::start() {
  VKHOST_TRY(write_runtime_file(config_.paths.runtime, kubelet_->runtime_file()));
  started_ = true;
  surroundings_->start();
  kubelet_->start();
  for (const auto& node : nodes_) {
    node->start();
  }
  reload_->start();
  expect_quiet();
  return Status::ok();
}

// policies.on_stop, while everything still works.
void Daemon::depart() {
  std::vector<DepartingNode> nodes;
  for (const auto& node : nodes_) {
    nodes.push_back({node->name(), node->is_registered(), node->is_up(),
                     [it = node.get()] { return it->pods(); },
                     [it = node.get()] { it->shut_down(); },
                     [it = node.get()](Deadline by) { return it->wait_until_written(by); }});
  }
  const auto config = running();
  Departure departure({config->policies.on_stop, config->stop.drain_timeout, config->stop.timeout},
                      {surroundings_->api(), shared_.clock, shared_.log});
  departure.leave(nodes, {});
}

Stopping::Stages Daemon::stages() {
  stopping_ = true;
  if (std::exchange(started_, false)) {
    std::error_code error;
    std::filesystem::remove(runtime_file_path(config_.paths.runtime), error);
  }
  Stopping::Stages stages(3);
  for (const auto& node : nodes_) {
    stages[0].push_back({"node " + node->name(), [it = node.get()] { it->stop(); }});
  }
  if (reload_) {
    stages[0].push_back({"the reading of the configuration", [this] { reload_->stop(); }});
  }
  if (kubelet_) {
    stages[1].push_back({"the kubelet API", [this] { kubelet_->stop(); }});
  }
  if (tokens_) {
    stages[1].push_back({"the renewal of tokens", [this] { tokens_->stop(); }});
  }
  if (health_) {
    stages[1].push_back({"the health endpoints", [this] { health_->stop(); }});
  }
  if (surroundings_) {
    // Nodes hold on to it until they are gone.
    stages[2].push_back({"the last events", [this] {
                           nodes_.clear();
                           objects_->store().tidy();
                           surroundings_->stop();
                         }});
  }
  if (reload_ && running()->policies.on_stop != config::OnStop::Leave && surroundings_ &&
      surroundings_->api() != nullptr) {
    stages.insert(stages.begin(), {{"policies.on_stop", [this] { depart(); }}});
    // First, since a node that comes up meanwhile would take back what is done to it.
    stages.insert(stages.begin(), Stopping::Stages::value_type());
    for (const auto& node : nodes_) {
      stages[0].push_back(
          {"the start of node " + node->name(), [it = node.get()] { it->stop_starting(); }});
    }
  }
  return stages;
}

void Daemon::stop() {
  const Stopping stopping(stages(), [] {});
}

// Returns when everything has ended. A second signal, or the end of the time, ends the process as it
// stands: nothing may be unwound under the feet of threads that are still at work.
Status watch_over(const Signals& signals,
                  Stopping::Stages stages,
                  std::chrono::milliseconds timeout,
                  const observe::Logger& log) {
  VKHOST_TRY_ASSIGN(const http::WakeUp ended, http::WakeUp::create());
  std::atomic<bool> has_ended = false;
  const Stopping stopping(std::move(stages), [&] {
    has_ended = true;
    ended.wake();
  });
  const auto limit = std::chrono::steady_clock::now() + timeout;
  std::optional<int> signal = SIGHUP;
  while (signal == SIGHUP) {
    signal = signals.wait(ended.descriptor(), std::chrono::ceil<std::chrono::milliseconds>(
                                                  limit - std::chrono::steady_clock::now()));
  }
  const std::string standing = joined(stopping.standing());
  if (signal) {
    log.warn("a second signal: vkhost leaves at once",
             {{"signal", ::sigabbrev_np(*signal)}, {"had_not_ended", standing}});
    ::_exit(128 + *signal);
  }
  if (!has_ended) {
    log.error("vkhost leaves without what has not ended in time; pods stay",
              {{"had_not_ended", standing}, {"limit_ms", std::to_string(timeout.count())}});
    ::_exit(1);
  }
  return Status::ok();
}

}  // namespace

Status run(const config::Config& config, const RunOptions& options) {
  const Signals signals;
  share_heaps();
  options.log.info("vkhost starts",
                   {{"version", std::string(daemon_version())},
                    {"mode", config.standalone.enabled ? "standalone" : "cluster"}});
  if (const auto needed = open_files_of(config); allow_open_files(needed) < needed) {
    options.log.warn("the system allows fewer open files than so many nodes need; raise its limit",
                     {{"needed", std::to_string(needed)}});
  }
  Daemon daemon(config, options);
  VKHOST_TRY(daemon.build());
  VKHOST_TRY(daemon.start());
  notify_service_manager("READY=1");
  int signal = signals.wait();
  while (signal == SIGHUP) {
    daemon.reload();
    signal = signals.wait();
  }
  const auto running = daemon.running();
  const bool drains =
      running->policies.on_stop == config::OnStop::Drain && !config.standalone.enabled;
  options.log.info(drains ? "vkhost stops; pods are evicted" : "vkhost stops; pods stay",
                   {{"signal", ::sigabbrev_np(signal)}});
  const std::chrono::milliseconds limit =
      running->stop.timeout + (drains ? running->stop.drain_timeout : std::chrono::milliseconds{0});
  notify_service_manager("STOPPING=1\nEXTEND_TIMEOUT_USEC=" +
                         std::to_string(std::chrono::microseconds(limit + kAfterTheLimit).count()));
  VKHOST_TRY(watch_over(signals, daemon.stages(), limit, options.log));
  if (daemon.stuck_calls() > 0) {
    // Threads still stand inside a plugin: nothing may be unwound under their feet.
    options.log.warn("a plugin did not return from a call; leaving without it");
    ::_exit(0);
  }
  options.log.info("vkhost has stopped");
  return Status::ok();
}

}  // namespace vkhost::daemon
