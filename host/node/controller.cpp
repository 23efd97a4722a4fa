#include "node/controller.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The first write waits this long for the pod engine, so that a node normally appears Ready at once.
constexpr seconds kFirstWritePatience{1};
// A node that was Ready and whose pods run stays so while its daemon restarts without trouble:
// every service would drop them and take them back.
constexpr seconds kStartPatience{10};
// The first `node` of a provider may have to ask a back end for everything.
constexpr seconds kNodeTimeout{30};
constexpr milliseconds kLeaseRetry{1000};
constexpr BackoffLimits kWriteBackoff{milliseconds{200}, seconds{7}};

// Chores that are due within this time of one another begin together.
milliseconds slack(const Settings& settings) {
  return std::min<milliseconds>(seconds{1}, settings.ping_interval / 10);
}

Readiness not_ready(std::string_view fallback, const Status& status) {
  return {false, status.reason().empty() ? std::string(fallback) : status.reason(),
          status.message()};
}

std::optional<milliseconds> when_written(const Parts& parts, milliseconds interval) {
  return parts.api == nullptr ? std::nullopt : std::optional(interval);
}

bool operator==(const Readiness& a, const Readiness& b) {
  return a.ready == b.ready && a.reason == b.reason && a.message == b.message;
}

}  // namespace

NodeController::NodeController(Settings settings, Parts parts)
    : parts_(std::move(parts)),
      writer_(parts_.api, parts_.clock, stop_.token(), parts_.log),
      settings_(std::make_shared<const Settings>(settings)),
      chores_(parts_.clock, slack(settings)),
      lease_chore_(chores_.add(when_written(parts_, settings.lease_duration / 4),
                               [this] { renew_lease(); })),
      write_chore_(
          chores_.add(when_written(parts_, settings.status_interval), [this] { write_node(); })),
      probe_chore_(chores_.add(settings.ping_interval, [this] { probe(); })) {}

NodeController::~NodeController() { stop(); }

// ---- What others say

Status NodeController::prepare(const CancelToken& cancel) {
  plugin::CallOptions options = provider_options(kNodeTimeout);
  options.cancel = cancel;
  Settings settings;
  {
    MutexLock lock(mutex_);
    settings = *settings_;
  }
  auto given = parts_.provider->node(settings.name, options);
  if (!given.is_ok()) {
    return given.status();
  }
  VKHOST_TRY_ASSIGN(const std::string given_name, name_from_provider(*given));
  if (parts_.provider->capabilities().names_node && !given_name.empty()) {
    settings.name = given_name;
  }
  if (settings.name.empty()) {
    return failed_precondition("the node has no name: set node.name in the configuration");
  }
  MutexLock lock(mutex_);
  settings_ = std::make_shared<const Settings>(std::move(settings));
  facts_.provider_json = std::move(*given);
  want_write();
  return Status::ok();
}

void NodeController::start(const NodeThreads& threads) {
  {
    MutexLock lock(mutex_);
    began_ = parts_.clock->steady_now();
    want_write();
  }
  chores_.start(*threads.timers, {threads.writes, threads.writes, threads.probes});
}

void NodeController::stop() {
  stop_.cancel();
  chores_.stop();
}

void NodeController::start_failed(const Status& why) {
  static_cast<void>(note([&](Facts& facts) { facts.start_failure = why; }));
}

void NodeController::start_refused(const Status& why) {
  static_cast<void>(note([&](Facts& facts) {
    facts.start_failure = why;
    facts.start_refused = true;
  }));
}

void NodeController::pods_ready() {
  static_cast<void>(note([](Facts& facts) {
    facts.start_failure = Status::ok();
    facts.pods_ready = true;
  }));
  chores_.run_now(probe_chore_);
}

void NodeController::provider_changed() {
  MutexLock lock(mutex_);
  refresh_wanted_ = true;
  chores_.run_by(probe_chore_, next_refresh_);
}

void NodeController::provider_fault(const Status& fault) {
  static_cast<void>(note([&](Facts& facts) { facts.fault = fault; }));
}

void NodeController::node_deleted() {
  MutexLock lock(mutex_);
  if (facts_.node_uid.empty()) {
    return;  // not registered yet: it will be
  }
  facts_.node_uid.clear();
  chores_.run_now(write_chore_);
}

bool NodeController::note(const std::function<void(Facts&)>& change) {
  MutexLock lock(mutex_);
  const Readiness before = readiness();
  const bool was_settled = is_settled();
  change(facts_);
  const bool differs = !(before == readiness());
  if (differs || was_settled != is_settled()) {
    want_write();
  }
  return differs;
}

// ---- What the node is

std::string NodeController::name() const {
  MutexLock lock(mutex_);
  return settings_->name;
}

NodeView NodeController::view() const {
  NodeView view;
  std::string provider_json;
  std::shared_ptr<const Settings> settings;
  {
    MutexLock lock(mutex_);
    view.uid = facts_.node_uid;
    view.readiness = readiness();
    provider_json = facts_.provider_json.value_or("");
    settings = settings_;
  }
  view.name = settings->name;
  auto made = new_node({*settings, provider_json, view.readiness, parts_.clock->wall_now()});
  if (made.is_ok()) {
    view.node_json = std::move(*made);
  }
  return view;
}

std::optional<std::string> NodeController::allocatable(const std::string& resource) const {
  std::string provider_json;
  std::shared_ptr<const Settings> settings;
  {
    MutexLock lock(mutex_);
    provider_json = facts_.provider_json.value_or("");
    settings = settings_;
  }
  const auto found =
      allocatable_of({*settings, provider_json, {}, parts_.clock->wall_now()}, resource);
  return found.is_ok() ? *found : std::nullopt;
}

Readiness NodeController::readiness() const {
  if (!facts_.start_failure.is_ok()) {
    return not_ready(facts_.start_refused ? "ProviderRefused" : "ProviderNotStarted",
                     facts_.start_failure);
  }
  if (!facts_.pods_ready) {
    return {false, "PodsNotRecovered", "the pods of this node have not been recovered yet"};
  }
  if (!facts_.pinged) {
    return {false, "ProviderUnknown", "the provider has not answered its first ping yet"};
  }
  if (!facts_.ping.is_ok()) {
    return not_ready("ProviderUnreachable", facts_.ping);
  }
  if (!facts_.fault.is_ok()) {
    return not_ready("ProviderFault", facts_.fault);
  }
  if (!facts_.self_check.is_ok()) {
    return not_ready("KubeletUnreachable", facts_.self_check);
  }
  return {true, "KubeletReady", "Kubelet is ready"};
}

// Nothing is pending that would soon say something else.
bool NodeController::is_settled() const {
  return !facts_.start_failure.is_ok() || (facts_.pods_ready && facts_.pinged);
}

void NodeController::want_write() {
  if (!began_) {
    return;  // start() does
  }
  const SteadyTime first = *began_ + kFirstWritePatience;
  const bool is_started = facts_.pods_ready && facts_.pinged;
  if (is_started || parts_.clock->steady_now() >= first) {
    chores_.run_now(write_chore_);
  } else {
    chores_.run_by(write_chore_, first);
  }
}

// ---- The provider

plugin::CallOptions NodeController::provider_options(milliseconds timeout) const {
  plugin::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, timeout);
  options.cancel = stop_.token();
  return options;
}

void NodeController::probe() {
  bool may_ping = false;
  bool refresh = false;
  {
    MutexLock lock(mutex_);
    may_ping = facts_.pods_ready;
    refresh = may_ping && refresh_wanted_ && parts_.clock->steady_now() >= next_refresh_;
    refresh_wanted_ = refresh_wanted_ && !refresh;
  }
  // Before its start a provider may be asked for its node only, which prepare() does.
  if (may_ping) {
    ping();
    check_self();
  }
  if (refresh) {
    refresh_provider_node();
  }
  MutexLock lock(mutex_);
  if (refresh_wanted_ && facts_.pods_ready) {
    chores_.run_by(probe_chore_, next_refresh_);
  }
}

Status NodeController::take_ping(Status answer) {
  const bool is_reachable = answer.is_ok() || answer.code() == StatusCode::ResourceExhausted;
  const bool may_be_a_moment =
      answer.code() == StatusCode::Unavailable || answer.code() == StatusCode::DeadlineExceeded;
  facts_.missed_pings = is_reachable ? 0 : facts_.missed_pings + 1;
  const bool was_good = facts_.pinged && facts_.ping.is_ok();
  facts_.pinged = true;
  if (is_reachable) {
    facts_.ping = Status::ok();
  } else if (!may_be_a_moment || !was_good || facts_.missed_pings >= settings_->ping_failures) {
    facts_.ping = std::move(answer);
  } else {
    // Certainty comes soon, not with the next ordinary ping.
    chores_.run_by(probe_chore_, parts_.clock->steady_now() +
                                     std::min<milliseconds>(seconds{1}, settings_->ping_interval));
  }
  return facts_.ping;
}

void NodeController::ping() {
  milliseconds timeout{0};
  {
    MutexLock lock(mutex_);
    timeout = settings_->ping_timeout;
  }
  Status answer = parts_.provider->ping(provider_options(timeout));
  if (stop_.is_cancelled()) {
    return;
  }
  Status shown;
  const bool differs =
      note([&](Facts&) VKHOST_NO_THREAD_SAFETY_ANALYSIS { shown = take_ping(std::move(answer)); });
  if (differs && !shown.is_ok()) {
    parts_.log.warn("the provider does not answer its ping", {observe::error_field(shown)});
  }
}

void NodeController::check_self() {
  const SteadyTime now = parts_.clock->steady_now();
  // A handshake with ourselves at every ping would be most of what an idle daemon does.
  if (!parts_.self_check || now < next_self_check_ || stop_.is_cancelled()) {
    return;
  }
  const Status reachable = parts_.self_check(stop_.token());
  milliseconds interval{0};
  {
    MutexLock lock(mutex_);
    interval = settings_->status_interval;
  }
  next_self_check_ = reachable.is_ok() ? now + interval : now;
  static_cast<void>(note([&](Facts& facts) { facts.self_check = reachable; }));
}

void NodeController::refresh_provider_node() {
  auto given = parts_.provider->node(name(), provider_options(kNodeTimeout));
  if (stop_.is_cancelled()) {
    return;
  }
  const SteadyTime now = parts_.clock->steady_now();
  MutexLock lock(mutex_);
  if (given.is_ok()) {
    facts_.provider_json = std::move(*given);
    refresh_failures_ = 0;
    // A provider that says it changed each time it is asked is not asked without a pause.
    next_refresh_ = now + settings_->refresh_backoff.first;
    want_write();
    return;
  }
  refresh_wanted_ = true;
  const milliseconds delay =
      std::max(given.status().retry_after(),
               backoff_delay(settings_->refresh_backoff, ++refresh_failures_, *parts_.random));
  next_refresh_ = now + delay;
  parts_.log.warn(
      "asking the provider for its node failed, it is asked again",
      {{"delay_ms", std::to_string(delay.count())}, observe::error_field(given.status())});
}

// ---- The API server

void NodeController::registered_as(const std::string& uid) {
  MutexLock lock(mutex_);
  if (facts_.node_uid != uid) {
    facts_.node_uid = uid;
    chores_.run_now(lease_chore_);
  }
}

Result<Written> NodeController::write_node_once() {
  std::string provider_json;
  Readiness ready;
  std::shared_ptr<const Settings> settings;
  WriteScope scope;
  {
    MutexLock lock(mutex_);
    const SteadyTime patience = began_.value_or(SteadyTime::min()) + kStartPatience;
    // Without the provider's word a node would have no capacity.
    scope.may_register = facts_.provider_json.has_value();
    scope.says = scope.may_register ? WriteScope::Says::Everything : WriteScope::Says::Readiness;
    if (!is_settled() && parts_.clock->steady_now() < patience) {
      scope.says = WriteScope::Says::Nothing;
      chores_.run_by(write_chore_, patience);
    }
    provider_json = facts_.provider_json.value_or("");
    ready = readiness();
    settings = settings_;
  }
  return writer_.write({*settings, provider_json, ready, parts_.clock->wall_now()}, scope);
}

void NodeController::write_node() {
  if (parts_.api == nullptr) {
    return;
  }
  const auto written = write_node_once();
  if (written.is_ok()) {
    write_failures_ = 0;
    registered_as(written->uid);
    return;
  }
  if (stop_.is_cancelled()) {
    return;
  }
  chores_.run_by(write_chore_, parts_.clock->steady_now() +
                                   backoff_delay(kWriteBackoff, ++write_failures_, *parts_.random));
  parts_.log.warn("the node could not be written, it is tried again",
                  {observe::error_field(written.status())});
}

void NodeController::renew_lease() {
  std::string uid;
  std::shared_ptr<const Settings> settings;
  {
    MutexLock lock(mutex_);
    uid = facts_.node_uid;
    settings = settings_;
  }
  if (uid.empty()) {
    return;  // the owner comes first
  }
  const Status renewed = writer_.renew_lease(
      {settings->name, uid, settings->lease_duration, parts_.clock->wall_now()});
  if (renewed.is_ok()) {
    // Meanwhile the control plane may have called the node unreachable.
    if (std::exchange(is_lease_failing_, false)) {
      chores_.run_now(write_chore_);
    }
  } else if (!stop_.is_cancelled()) {
    is_lease_failing_ = true;
    chores_.run_by(lease_chore_, parts_.clock->steady_now() + kLeaseRetry);
    parts_.log.warn("the node's lease could not be renewed, it is tried again",
                    {observe::error_field(renewed)});
  }
}

}  // namespace vkhost::node
