#include "node/controller.hpp"

#include "base/joined.hpp"

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
constexpr BackoffLimits kLeaseRetry{seconds{1}, seconds{7}};
constexpr std::chrono::minutes kLeaseWarning{1};
constexpr milliseconds kPingAgain{1000};
// A handshake with ourselves at every ping would be most of what an idle daemon does.
constexpr std::chrono::minutes kSelfCheckInterval{5};
// Two that both insist must not write in turns as fast as they can.
constexpr BackoffLimits kRepairBackoff{milliseconds{100}, seconds{30}};
constexpr seconds kRepairMemory{60};
constexpr BackoffLimits kWriteBackoff{milliseconds{200}, seconds{7}};

// Chores that are due within this time of one another begin together.
milliseconds slack(const Settings& settings) {
  return std::min<milliseconds>(seconds{1}, settings.ping_interval / 10);
}

std::optional<milliseconds> when_written(const Parts& parts, milliseconds interval) {
  return parts.api == nullptr ? std::nullopt : std::optional(interval);
}

}  // namespace

NodeController::NodeController(Settings settings, Parts parts)
    : configured_(std::move(settings)),
      parts_(std::move(parts)),
      writer_(parts_.api, parts_.clock, stop_.token(), parts_.log),
      capacity_file_(configured_.capacity_file),
      settings_(std::make_shared<const Settings>(configured_)),
      facts_{Health(configured_.ping_failures), std::nullopt, {}},
      chores_(parts_.clock, slack(configured_)),
      lease_chore_(chores_.add(when_written(parts_, configured_.lease_duration / 4),
                               [this] { renew_lease(); })),
      write_chore_(
          chores_.add(when_written(parts_, configured_.status_interval), [this] { write_node(); })),
      probe_chore_(chores_.add(configured_.ping_interval, [this] { probe(); })) {}

NodeController::~NodeController() { stop(); }

// ---- What others say

Status NodeController::prepare(const CancelToken& cancel) {
  plugin::CallOptions options = provider_options(kNodeTimeout);
  options.cancel = cancel;
  Settings settings;
  {
    const MutexLock lock(mutex_);
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
  const MutexLock lock(mutex_);
  if (settings.name != settings_->name) {
    settings_ = std::make_shared<const Settings>(std::move(settings));
  }
  facts_.provider_json = std::move(*given);
  ++version_;
  warn_of_labels_left_out();
  want_write();
  return Status::ok();
}

void NodeController::use_node_identity() {
  const MutexLock lock(mutex_);
  Settings settings = *settings_;
  settings.is_node_identity = true;
  settings_ = std::make_shared<const Settings>(std::move(settings));
  if (facts_.provider_json) {
    ++version_;
    warn_of_labels_left_out();
    want_write();
  }
}

void NodeController::use_cluster_uid(const std::string& uid) {
  const MutexLock lock(mutex_);
  Settings settings = *settings_;
  settings.cluster_uid = uid;
  settings_ = std::make_shared<const Settings>(std::move(settings));
  ++version_;
  want_write();
}

// Once for each set of them.
void NodeController::warn_of_labels_left_out() {
  auto left_out =
      labels_left_out({*settings_, *facts_.provider_json, {}, parts_.clock->wall_now()});
  if (!left_out.is_ok() || *left_out == labels_left_out_) {
    return;
  }
  labels_left_out_ = std::move(*left_out);
  if (!labels_left_out_.empty()) {
    parts_.log.warn("labels that a node may not give itself are left out",
                    {{"labels", joined(labels_left_out_)}});
  }
}

void NodeController::start(const NodeThreads& threads) {
  {
    const MutexLock lock(mutex_);
    began_ = parts_.clock->steady_now();
    want_write();
  }
  chores_.start(*threads.timers, {threads.leases, threads.writes, threads.probes});
}

void NodeController::stop() {
  stop_.cancel();
  chores_.stop();
}

void NodeController::start_failed(const Status& why) {
  note([&](Health& health) { health.start_failed(why); });
}

void NodeController::start_refused(const Status& why) {
  note([&](Health& health) { health.start_refused(why); });
}

void NodeController::pods_ready() {
  note([](Health& health) { health.pods_ready(); });
  chores_.run_now(probe_chore_);
}

void NodeController::shut_down() {
  note([](Health& health) { health.shut_down(); });
}

bool NodeController::wait_until_written(Deadline deadline) {
  const MutexLock lock(mutex_);
  while (!written_ || !(*written_ == facts_.health.readiness())) {
    if (!written_changed_.wait_until(mutex_, deadline.when()) &&
        deadline.is_past(parts_.clock->steady_now())) {
      return false;
    }
  }
  return true;
}

void NodeController::provider_changed() {
  const MutexLock lock(mutex_);
  refresh_wanted_ = true;
  chores_.run_by(probe_chore_, next_refresh_);
}

void NodeController::provider_fault(const Status& fault) {
  note([&](Health& health) { health.take_fault(fault); });
}

void NodeController::node_deleted() {
  const MutexLock lock(mutex_);
  if (facts_.node_uid.empty()) {
    return;  // not registered yet: it will be
  }
  facts_.node_uid.clear();
  chores_.run_now(write_chore_);
}

void NodeController::object_changed(std::string_view json) {
  std::string provider_json;
  Readiness ready;
  std::shared_ptr<const Settings> settings;
  {
    const MutexLock lock(mutex_);
    if (!facts_.health.is_settled() || !facts_.provider_json || facts_.node_uid.empty()) {
      return;  // a write is due anyway
    }
    provider_json = *facts_.provider_json;
    ready = facts_.health.readiness();
    settings = settings_;
  }
  const auto found = differs({*settings, provider_json, ready, parts_.clock->wall_now()}, json);
  if (!found.is_ok() || !*found) {
    return;
  }
  const MutexLock lock(mutex_);
  chores_.run_by(write_chore_, parts_.clock->steady_now() + take_repair());
}

milliseconds NodeController::take_repair() {
  const SteadyTime now = parts_.clock->steady_now();
  if (last_repair_ > now) {
    return std::chrono::ceil<milliseconds>(last_repair_ - now);  // one is planned already
  }
  repairs_ = now - last_repair_ > kRepairMemory ? 0 : repairs_ + 1;
  const milliseconds delay =
      repairs_ == 0 ? milliseconds{0} : backoff_delay(kRepairBackoff, repairs_, *parts_.random);
  last_repair_ = now + delay;
  return delay;
}

void NodeController::note(const std::function<void(Health&)>& change) {
  const MutexLock lock(mutex_);
  Health& health = facts_.health;
  const Readiness before = health.readiness();
  const bool was_settled = health.is_settled();
  change(health);
  const Readiness after = health.readiness();
  const bool differs = !(before == after);
  if (differs && health.is_known() && after.ready) {
    parts_.log.info("the node is ready");
  } else if (differs && health.is_known()) {
    parts_.log.warn("the node is not ready",
                    {{"reason", after.reason}, {"message", after.message}});
  }
  if (differs || was_settled != health.is_settled()) {
    want_write();
  }
}

// ---- What the node is

std::string NodeController::name() const {
  const MutexLock lock(mutex_);
  return settings_->name;
}

NodeView NodeController::view() const {
  NodeView view;
  std::string provider_json;
  std::shared_ptr<const Settings> settings;
  {
    const MutexLock lock(mutex_);
    view.uid = facts_.node_uid;
    view.readiness = facts_.health.readiness();
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
    const MutexLock lock(mutex_);
    provider_json = facts_.provider_json.value_or("");
    settings = settings_;
  }
  const auto found =
      allocatable_of({*settings, provider_json, {}, parts_.clock->wall_now()}, resource);
  return found.is_ok() ? *found : std::nullopt;
}

void NodeController::want_write() {
  if (!began_) {
    return;  // start() does
  }
  const SteadyTime first = *began_ + kFirstWritePatience;
  if (facts_.health.is_known() || parts_.clock->steady_now() >= first) {
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
  read_capacity_file();
  bool may_ping = false;
  bool refresh = false;
  {
    const MutexLock lock(mutex_);
    may_ping = facts_.health.has_started();
    refresh = may_ping && refresh_wanted_ && parts_.clock->steady_now() >= next_refresh_;
    refresh_wanted_ = refresh_wanted_ && !refresh;
  }
  // Before its start a provider may be asked for its node only, which prepare() does.
  if (may_ping) {
    check_self();  // first: the first ping makes the node Ready
    ping();
  }
  if (refresh) {
    refresh_provider_node();
  }
  const MutexLock lock(mutex_);
  if (refresh_wanted_ && facts_.health.has_started()) {
    chores_.run_by(probe_chore_, next_refresh_);
  }
}

void NodeController::ping() {
  const Status answer = parts_.provider->ping(provider_options(configured_.ping_timeout));
  if (stop_.is_cancelled()) {
    return;
  }
  bool is_certain = true;
  note([&](Health& health) { is_certain = health.take_ping(answer); });
  if (!is_certain) {
    if (!answer.is_ok()) {
      parts_.log.info("the provider missed a ping, it is asked again at once",
                      {observe::error_field(answer)});
    }
    // Not with whatever else is due a moment after the first.
    chores_.run_by(probe_chore_, parts_.clock->steady_now() + slack(configured_) +
                                     std::min<milliseconds>(kPingAgain, configured_.ping_interval));
  }
}

void NodeController::check_self() {
  const SteadyTime now = parts_.clock->steady_now();
  if (!parts_.self_check || now < next_self_check_ || stop_.is_cancelled()) {
    return;
  }
  const Status reachable = parts_.self_check(stop_.token());
  next_self_check_ = reachable.is_ok() ? now + kSelfCheckInterval : now;
  note([&](Health& health) { health.take_self_check(reachable); });
}

// In the chore of the pings: a provider is never asked both at a time.
void NodeController::refresh_provider_node() {
  auto given = parts_.provider->node(name(), provider_options(kNodeTimeout));
  if (stop_.is_cancelled()) {
    return;
  }
  const SteadyTime now = parts_.clock->steady_now();
  const MutexLock lock(mutex_);
  if (given.is_ok()) {
    facts_.provider_json = std::move(*given);
    ++version_;
    warn_of_labels_left_out();
    refresh_failures_ = 0;
    // A provider that says it changed each time it is asked is not asked without a pause.
    next_refresh_ = now + configured_.refresh_backoff.first;
    want_write();
    return;
  }
  refresh_wanted_ = true;
  const milliseconds delay =
      std::max(given.status().retry_after(),
               backoff_delay(configured_.refresh_backoff, ++refresh_failures_, *parts_.random));
  next_refresh_ = now + delay;
  parts_.log.warn(
      "asking the provider for its node failed, it is asked again",
      {{"delay_ms", std::to_string(delay.count())}, observe::error_field(given.status())});
}

// ---- The API server

void NodeController::registered_as(const std::string& uid) {
  const MutexLock lock(mutex_);
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
    const MutexLock lock(mutex_);
    const SteadyTime patience = began_.value_or(SteadyTime::min()) + kStartPatience;
    // Without the provider's word a node would have no capacity.
    scope.may_register = facts_.provider_json.has_value();
    scope.says = scope.may_register ? WriteScope::Says::Everything : WriteScope::Says::Readiness;
    if (!facts_.health.is_settled() && parts_.clock->steady_now() < patience) {
      scope.says = WriteScope::Says::Nothing;
      chores_.run_by(write_chore_, patience);
    }
    provider_json = facts_.provider_json.value_or("");
    ready = facts_.health.readiness();
    settings = settings_;
  }
  auto written = writer_.write({*settings, provider_json, ready, parts_.clock->wall_now()}, scope);
  if (written.is_ok() && scope.says != WriteScope::Says::Nothing && !written->uid.empty()) {
    const MutexLock lock(mutex_);
    written_ = ready;
    written_changed_.notify_all();
  }
  // No lease for a node of which nothing was said yet: a daemon that ends again and again before it
  // has would keep the Ready of an earlier one alive.
  return written.is_ok() && scope.says == WriteScope::Says::Nothing ? Written{} : written;
}

void NodeController::read_capacity_file() {
  auto content = capacity_file_.read();
  if (!content.is_ok()) {
    parts_.log.warn("the capacity file cannot be used, what was last read of it stays",
                    {observe::error_field(content.status())});
    return;
  }
  if (!*content) {
    return;
  }
  const MutexLock lock(mutex_);
  Settings settings = *settings_;
  settings.capacity = configured_.capacity;
  settings.capacity.merge((*content)->capacity);
  settings.allocatable = configured_.allocatable;
  for (auto& [resource, quantity] : (*content)->allocatable) {
    // A configured capacity stands above everything that the file says of the resource.
    if (!configured_.capacity.contains(resource)) {
      settings.allocatable.emplace(resource, std::move(quantity));
    }
  }
  settings_ = std::make_shared<const Settings>(std::move(settings));
  ++version_;
  want_write();
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
    const MutexLock lock(mutex_);
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
    if (std::exchange(lease_failures_, 0) > 0) {
      chores_.run_now(write_chore_);
    }
  } else if (!stop_.is_cancelled()) {
    note_failed_lease(renewed, settings->lease_duration);
  }
}

// Often enough that a moment's trouble doesn't cost the lease; said once a minute.
void NodeController::note_failed_lease(const Status& why, milliseconds lease_duration) {
  const SteadyTime now = parts_.clock->steady_now();
  const milliseconds delay =
      std::min(lease_duration / 4, backoff_delay(kLeaseRetry, ++lease_failures_, *parts_.random));
  chores_.run_by(lease_chore_, now + delay);
  const bool is_worth_a_warning = lease_failures_ == 1 || now >= next_lease_warning_;
  if (is_worth_a_warning) {
    next_lease_warning_ = now + kLeaseWarning;
  }
  parts_.log.log(is_worth_a_warning ? observe::Level::Warn : observe::Level::Debug,
                 "the node's lease could not be renewed, it is tried again",
                 {{"failures", std::to_string(lease_failures_)}, observe::error_field(why)});
}

}  // namespace vkhost::node
