#include "node/controller.hpp"

#include "kube/paths.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::node {
namespace {

// The first write waits this long for the pod engine, so that a node normally appears Ready at once.
constexpr std::chrono::seconds kFirstWritePatience{1};
constexpr std::chrono::seconds kApiTimeout{10};
constexpr BackoffLimits kWriteBackoff{std::chrono::milliseconds{200}, std::chrono::seconds{7}};

}  // namespace

NodeController::NodeController(Settings settings, Parts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {}

NodeController::~NodeController() { stop(); }

Status NodeController::prepare(const CancelToken& cancel) {
  plugin::CallOptions options = provider_options(std::chrono::seconds{30});
  options.cancel = cancel;
  auto given = parts_.provider->node(settings_.name, options);
  if (!given.is_ok()) {
    return given.status().while_doing("asking the provider for its node");
  }
  VKHOST_TRY_ASSIGN(const std::string given_name, name_from_provider(*given));
  if (parts_.provider->capabilities().names_node && !given_name.empty()) {
    settings_.name = given_name;
  }
  if (settings_.name.empty()) {
    return failed_precondition("the node has no name: set node.name in the configuration");
  }
  MutexLock lock(mutex_);
  facts_.provider_json = std::move(*given);
  return Status::ok();
}

void NodeController::start() {
  thread_ = Thread("node-" + settings_.name, [this] { loop(); });
}

void NodeController::stop() {
  stop_.cancel();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void NodeController::pods_ready() {
  MutexLock lock(mutex_);
  facts_.pods_ready = true;
  status_wanted_ = true;
  changed_.notify_all();
}

void NodeController::provider_changed() {
  MutexLock lock(mutex_);
  refresh_wanted_ = true;
  changed_.notify_all();
}

void NodeController::provider_fault(const Status& fault) {
  MutexLock lock(mutex_);
  if (facts_.fault.is_ok() && fault.is_ok()) {
    return;
  }
  facts_.fault = fault;
  status_wanted_ = true;
  changed_.notify_all();
}

void NodeController::node_deleted() {
  MutexLock lock(mutex_);
  if (facts_.node_uid.empty()) {
    return;  // not registered yet: it will be
  }
  facts_.node_uid.clear();
  status_wanted_ = true;
  changed_.notify_all();
}

NodeView NodeController::view() const {
  NodeView view;
  std::string provider_json;
  {
    MutexLock lock(mutex_);
    view.uid = facts_.node_uid;
    view.readiness = readiness();
    provider_json = facts_.provider_json;
  }
  view.name = settings_.name;
  auto made = new_node({settings_, provider_json, view.readiness, parts_.clock->wall_now()});
  if (made.is_ok()) {
    view.node_json = std::move(*made);
  }
  return view;
}

Readiness NodeController::readiness() const {
  const auto because = [](std::string_view fallback, const Status& status) {
    return Readiness{false, status.reason().empty() ? std::string(fallback) : status.reason(),
                     status.message()};
  };
  if (!facts_.pinged) {
    return {false, "ProviderUnknown", "the provider has not answered its first ping yet"};
  }
  if (!facts_.ping.is_ok()) {
    return because("ProviderUnreachable", facts_.ping);
  }
  if (!facts_.fault.is_ok()) {
    return because("ProviderFault", facts_.fault);
  }
  if (!facts_.pods_ready) {
    return {false, "PodsNotRecovered", "the pods of this node have not been recovered yet"};
  }
  if (!facts_.self_check.is_ok()) {
    return because("KubeletUnreachable", facts_.self_check);
  }
  return {true, "KubeletReady", "Kubelet is ready"};
}

kube::CallOptions NodeController::api_options() const {
  kube::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, kApiTimeout);
  options.cancel = stop_.token();
  options.lane = kube::Lane::Urgent;
  return options;
}

plugin::CallOptions NodeController::provider_options(std::chrono::milliseconds timeout) const {
  plugin::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, timeout);
  options.cancel = stop_.token();
  return options;
}

Status NodeController::check_self() {
  const SteadyTime now = parts_.clock->steady_now();
  // A handshake with ourselves at every ping would be most of what an idle daemon does.
  if (!parts_.self_check || now < next_self_check_) {
    return Status::ok();
  }
  const Status reachable = parts_.self_check(stop_.token());
  next_self_check_ = reachable.is_ok() ? now + settings_.status_interval : now;
  return reachable;
}

void NodeController::ping() {
  const Status status = parts_.provider->ping(provider_options(settings_.ping_timeout));
  const Status reachable = check_self();
  bool changed = false;
  {
    MutexLock lock(mutex_);
    const Readiness before = readiness();
    facts_.pinged = true;
    facts_.ping = status;
    facts_.self_check = reachable;
    const Readiness after = readiness();
    changed = before.ready != after.ready || before.reason != after.reason ||
              before.message != after.message;
    status_wanted_ = status_wanted_ || changed;
  }
  if (changed && !status.is_ok()) {
    parts_.log.warn("the provider does not answer its ping", {observe::error_field(status)});
  }
}

void NodeController::refresh_provider_node() {
  auto given = parts_.provider->node(settings_.name, provider_options(std::chrono::seconds{30}));
  MutexLock lock(mutex_);
  if (!given.is_ok()) {
    // Still wanted; the loop comes back with its next ping.
    parts_.log.warn("asking the provider for its node failed",
                    {observe::error_field(given.status())});
    return;
  }
  refresh_wanted_ = false;
  facts_.provider_json = std::move(*given);
  status_wanted_ = true;
}

Status NodeController::create_node(const NodeSources& sources) {
  VKHOST_TRY_ASSIGN(std::string body, new_node(sources));
  auto created = parts_.api->create(kube::nodes_path(), std::move(body), api_options());
  if (!created.is_ok()) {
    return created.status().while_doing("registering node " + settings_.name);
  }
  VKHOST_TRY_ASSIGN(std::string uid, uid_of(*created));
  parts_.log.info("node registered", {{"uid", uid}});
  MutexLock lock(mutex_);
  facts_.node_uid = std::move(uid);
  return Status::ok();
}

Status NodeController::write_status() {
  std::string provider_json;
  Readiness ready;
  {
    MutexLock lock(mutex_);
    provider_json = facts_.provider_json;
    ready = readiness();
  }
  const NodeSources sources{settings_, provider_json, ready, parts_.clock->wall_now()};
  auto present = parts_.api->get(kube::node_path(settings_.name), {}, api_options());
  if (present.status().code() == StatusCode::NotFound) {
    return create_node(sources);
  }
  if (!present.is_ok()) {
    return present.status().while_doing("reading node " + settings_.name);
  }
  VKHOST_TRY_ASSIGN(std::string uid, uid_of(*present));
  VKHOST_TRY_ASSIGN(std::string body, node_patch(sources, *present));
  auto patched = parts_.api->patch(kube::node_status_path(settings_.name),
                                   kube::PatchType::StrategicMerge, std::move(body), api_options());
  if (!patched.is_ok()) {
    return patched.status().while_doing("writing the status of node " + settings_.name);
  }
  MutexLock lock(mutex_);
  facts_.node_uid = std::move(uid);
  return Status::ok();
}

Status NodeController::renew_lease() {
  const bool remembered = !lease_json_.empty();
  const Status renewed = renew_lease_once();
  const bool has_changed =
      renewed.code() == StatusCode::Aborted || renewed.code() == StatusCode::NotFound;
  // Somebody else wrote or removed it (with the Node it belonged to): once more with what is there.
  return remembered && has_changed ? renew_lease_once() : renewed;
}

Status NodeController::renew_lease_once() {
  std::string uid;
  {
    MutexLock lock(mutex_);
    uid = facts_.node_uid;
  }
  if (uid.empty()) {
    return Status::ok();  // the owner comes first
  }
  const LeaseSources sources{settings_.name, uid, settings_.lease_duration,
                             parts_.clock->wall_now()};
  const std::string path = kube::lease_path(kube::kNodeLeaseNamespace, settings_.name);
  if (lease_json_.empty()) {
    auto present = parts_.api->get(path, {}, api_options());
    if (present.status().code() == StatusCode::NotFound) {
      auto created = parts_.api->create(kube::leases_path(kube::kNodeLeaseNamespace),
                                        new_lease(sources), api_options());
      if (created.is_ok()) {
        lease_json_ = std::move(*created);
      }
      return created.status();
    }
    if (!present.is_ok()) {
      return present.status();
    }
    lease_json_ = std::move(*present);
  }
  VKHOST_TRY_ASSIGN(std::string body, renewed_lease(sources, lease_json_));
  auto updated = parts_.api->update(path, std::move(body), api_options());
  lease_json_ = updated.is_ok() ? std::move(*updated) : std::string();
  return updated.status();
}

void NodeController::loop() {
  const SteadyTime began = parts_.clock->steady_now();
  SteadyTime next_ping = began;
  SteadyTime next_status = began + kFirstWritePatience;
  SteadyTime next_lease = began;
  const auto lease_interval = settings_.lease_duration / 4;
  while (!stop_.is_cancelled()) {
    const SteadyTime now = parts_.clock->steady_now();
    if (now >= next_ping) {
      bool refresh = false;
      {
        MutexLock lock(mutex_);
        refresh = refresh_wanted_;
      }
      ping();
      if (refresh) {
        refresh_provider_node();
      }
      next_ping = parts_.clock->steady_now() + settings_.ping_interval;
    }
    bool write = false;
    {
      MutexLock lock(mutex_);
      write = std::exchange(status_wanted_, false) && facts_.pods_ready;
      write = write || now >= next_status;
    }
    if (write && parts_.api != nullptr) {
      const Status written = write_status();
      if (written.is_ok()) {
        write_failures_ = 0;
        next_status = parts_.clock->steady_now() + settings_.status_interval;
        next_lease = std::min(next_lease, parts_.clock->steady_now());
      } else if (!stop_.is_cancelled()) {
        next_status = parts_.clock->steady_now() +
                      backoff_delay(kWriteBackoff, ++write_failures_, *parts_.random);
        parts_.log.warn("the node could not be written, it is tried again",
                        {observe::error_field(written)});
      }
    } else if (write) {
      next_status = now + settings_.status_interval;
    }
    if (parts_.api != nullptr && parts_.clock->steady_now() >= next_lease) {
      const Status renewed = renew_lease();
      if (!renewed.is_ok() && !stop_.is_cancelled()) {
        parts_.log.warn("the node's lease could not be renewed, it is tried again",
                        {observe::error_field(renewed)});
      }
      next_lease = parts_.clock->steady_now() +
                   (renewed.is_ok() ? lease_interval : std::chrono::milliseconds{1000});
    }
    MutexLock lock(mutex_);
    SteadyTime until = std::min(next_ping, next_status);
    if (parts_.api != nullptr && !facts_.node_uid.empty()) {
      until = std::min(until, next_lease);
    }
    while (!stopping_ && !(status_wanted_ && facts_.pods_ready) &&
           parts_.clock->steady_now() < until) {
      if (refresh_wanted_) {
        next_ping = parts_.clock->steady_now();
        break;
      }
      changed_.wait_until(mutex_, until);
    }
  }
}

}  // namespace vkhost::node
