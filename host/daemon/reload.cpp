#include "daemon/reload.hpp"

#include "daemon/provider_libraries.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::daemon {
namespace {

// Within so long a changed file is noticed.
constexpr std::chrono::seconds kLook{10};

}  // namespace

Reload::Reload(config::Config running, Parts parts)
    : parts_(std::move(parts)),
      running_(std::make_shared<const config::Config>(std::move(running))) {
  for (const Credential& credential : parts_.credentials) {
    Watched& watched = watched_.emplace_back(Watched{credential, {}});
    watched.files.watch(credential.files(*running_));
  }
}

Reload::~Reload() { stop(); }

void Reload::start() {
  look_timer_ = std::make_unique<Timer>(*parts_.timers, [this] { submit([this] { look(); }); });
  const bool has_files =
      std::any_of(watched_.begin(), watched_.end(),
                  [](const Watched& watched) { return !watched.files.empty(); }) ||
      std::any_of(parts_.providers.begin(), parts_.providers.end(),
                  [](const auto& provider) { return provider->wants_looks(); });
  if (has_files) {
    thread_.emplace("reload", 1, *parts_.clock);
    look_later();
  }
}

void Reload::read_again(std::function<void()> done) {
  if (!thread_) {
    thread_.emplace("reload", 1, *parts_.clock);
  }
  submit([this, done = std::move(done)] {
    reload();
    done();
    look_later();
  });
}

void Reload::stop() {
  gate_->close();
  look_timer_.reset();
}

std::shared_ptr<const config::Config> Reload::running() const {
  const MutexLock lock(mutex_);
  return running_;
}

void Reload::submit(std::function<void()> work) {
  thread_->submit([gate = gate_, work = std::move(work)] {
    if (const Gate::Pass inside = gate->enter()) {
      work();
    }
  });
}

void Reload::look_later() { look_timer_->set(parts_.clock->steady_now() + kLook); }

// ---- Files

void Reload::look() {
  bool again = false;
  for (Watched& watched : watched_) {
    look_at(watched);
    again = again || !watched.files.empty();
  }
  for (const auto& provider : parts_.providers) {
    provider->look();
    again = again || provider->wants_looks();
  }
  if (again) {
    look_later();
  }
}

// Of two files that belong together one may be written before the other: then this fails, and the second one
// is a change of its own.
void Reload::look_at(Watched& watched) {
  if (!watched.files.take_changes()) {
    return;
  }
  const auto commit = watched.credential.prepare(*running());
  if (commit.is_ok()) {
    (*commit)();
  } else {
    parts_.log.warn(
        watched.credential.what + " have changed and cannot be used; the present ones stay",
        {observe::error_field(commit.status())});
  }
}

// ---- The configuration

void Reload::reload() {
  config::Loaded loaded = parts_.load();
  std::vector<PreparedProvider> providers;
  if (!loaded.problems.has_errors()) {
    providers = prepare_providers(loaded.config, loaded.problems);
  }
  if (loaded.problems.has_errors()) {
    loaded.problems.sort();
    parts_.log.error("the changed configuration has errors; nothing of it is used",
                     {{"problems", loaded.problems.to_string()}});
    return;
  }
  const auto before = running();
  const config::Config next = config::with_live_changes(*before, loaded.config);
  const auto credentials = prepare_credentials(next);
  if (!credentials) {
    return;
  }
  // From here on nothing fails.
  for (const config::Problem& problem : loaded.problems.list()) {
    parts_.log.warn(problem.to_string());
  }
  tell(config::difference(*before, loaded));
  take(next);
  for (const Commit& commit : *credentials) {
    commit();
  }
  for (PreparedProvider& each : providers) {
    each.provider->apply(std::move(each.prepared));
  }
  parts_.log.info("the configuration was read again");
}

std::optional<std::vector<Reload::Commit>> Reload::prepare_credentials(
    const config::Config& config) {
  std::vector<Commit> commits;
  for (Watched& watched : watched_) {
    auto commit = watched.credential.prepare(config);
    if (!commit.is_ok()) {
      parts_.log.error("the changed configuration has errors; nothing of it is used",
                       {observe::error_field(
                           commit.status().while_doing("reading " + watched.credential.what))});
      return std::nullopt;
    }
    commits.push_back(std::move(*commit));
  }
  return commits;
}

// Of those that run and still bear their name. Another library would judge by another schema.
std::vector<Reload::PreparedProvider> Reload::prepare_providers(const config::Config& config,
                                                                config::Problems& problems) {
  std::vector<PreparedProvider> prepared;
  for (std::size_t i = 0; i < config.providers.size(); ++i) {
    const config::ProviderConfig& wanted = config.providers[i];
    const auto found =
        std::find_if(parts_.providers.begin(), parts_.providers.end(),
                     [&](const auto& provider) { return provider->config().name == wanted.name; });
    if (found == parts_.providers.end() || (*found)->config().library != wanted.library ||
        (*found)->config().sha256 != wanted.sha256) {
      continue;
    }
    if (auto one = (*found)->prepare(wanted, settings_key(config, i), problems)) {
      prepared.push_back({found->get(), std::move(*one)});
    }
  }
  return prepared;
}

void Reload::take(const config::Config& config) {
  parts_.set_log_level(config.log.level);
  const bool ignore = config.policies.daemonset_pods == config::DaemonsetPods::Ignore;
  for (std::size_t i = 0; i < parts_.nodes.size(); ++i) {
    const Node& node = parts_.nodes[i];
    node.change_settings(pods_settings(config, config.nodes[i], node.endpoint), ignore);
  }
  for (Watched& watched : watched_) {
    watched.files.watch(watched.credential.files(config));
  }
  auto next = std::make_shared<const config::Config>(config);
  const MutexLock lock(mutex_);
  running_.swap(next);
}

void Reload::tell(const std::vector<config::Change>& changes) {
  for (const config::Change& change : changes) {
    const std::string at = change.at.to_string();
    if (change.reload == config::Reload::Restart) {
      parts_.log.warn("a changed setting takes a restart", {{"key", change.key}, {"at", at}});
    } else if (change.reload == config::Reload::Live) {
      parts_.log.info("a changed setting is in use", {{"key", change.key}, {"at", at}});
    }
  }
}

}  // namespace vkhost::daemon
