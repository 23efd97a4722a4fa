#include "daemon/virtual_node.hpp"

#include "daemon/departure.hpp"
#include "daemon/identity.hpp"
#include "kube/paths.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::chrono::seconds kNodeTimeout{10};

}  // namespace

Result<std::unique_ptr<VirtualNode>> VirtualNode::create(VirtualNodeSettings settings,
                                                         VirtualNodeParts parts) {
  std::unique_ptr<VirtualNode> node(new VirtualNode(std::move(settings), std::move(parts)));
  auto provider = node->parts_.make_provider(*node);
  if (!provider.is_ok()) {
    return provider.status().while_doing("starting the provider of node " +
                                         node->node_settings_.name);
  }
  node->provider_ = std::move(*provider);
  node->material_ = node->parts_.make_material(
      node->provider_->capabilities(), [self = node.get()](std::string_view resource) {
        return self->node_->allocatable(std::string(resource));
      });
  node->known_node_ = std::make_unique<KnownNode>(
      KnownNode::Parts{[self = node.get()] { return self->name(); },
                       [self = node.get()] { return self->node_->view().node_json; },
                       [self = node.get()] { return self->node_->version(); }, node->parts_.api,
                       node->parts_.clock, node->parts_.log});
  node->engine_ = std::make_unique<pods::PodEngine>(
      *node->pods_settings_.now(),
      pods::EngineParts{node->provider_.get(), node->parts_.pod_api, node->parts_.events,
                        node->material_.get(), node.get(), node->parts_.clock, node->parts_.random,
                        node->parts_.log, node.get(), node->known_node_.get(),
                        node->parts_.metrics});
  node->node_ = std::make_unique<node::NodeController>(
      node->node_settings_,
      node::Parts{node->provider_.get(), node->parts_.api, node->parts_.self_check,
                  node->parts_.clock, node->parts_.random, node->parts_.log});
  node->wired_ = true;
  return node;
}

VirtualNode::VirtualNode(VirtualNodeSettings settings, VirtualNodeParts parts)
    : node_settings_(std::move(settings.node)),
      pods_settings_(std::move(settings.pods)),
      parts_(std::move(parts)),
      ignores_daemon_sets_(settings.ignore_daemonset_pods),
      name_(node_settings_.name) {}

VirtualNode::~VirtualNode() {
  stop();
  // First of all: a thread of a plugin that was never started may still call in until this returns.
  provider_.reset();
}

std::string VirtualNode::name() const {
  const MutexLock lock(mutex_);
  return name_;
}

void VirtualNode::start() {
  start_ = std::make_unique<StepSequence>(
      start_steps(),
      StepSequence::Parts{parts_.starts, parts_.threads.timers, parts_.clock, parts_.random,
                          [this](const SequenceStep& step, const Status& status, bool is_final) {
                            report_step(step, status, is_final);
                          }});
  start_->start();
}

void VirtualNode::report_step(const SequenceStep& step, const Status& status, bool is_final) {
  if (status.is_ok()) {
    node_->start_failed(Status::ok());
  } else if (is_final) {
    parts_.log.error("the provider refuses the node, it does not come up",
                     {{"step", step.what}, observe::error_field(status)});
    node_->start_refused(status.while_doing(step.what));
  } else {
    parts_.log.warn("the node is not up yet, the step is repeated",
                    {{"step", step.what}, observe::error_field(status)});
    node_->start_failed(status.while_doing(step.what));
  }
}

// From now on the cluster sees the node, and the node its own deletion.
void VirtualNode::show_node() {
  node_->start(parts_.node_threads);
  if (parts_.api != nullptr) {
    node_watch_ = std::make_unique<kube::ObjectWatch>(
        kube::ObjectWatchSettings{kube::nodes_path(), name(), {}},
        kube::ObjectWatch::Parts{*parts_.api, *this, parts_.clock, parts_.random, parts_.log,
                                 *parts_.watches, parts_.metrics});
    node_watch_->start();
  }
}

// Before anything is written: the API server takes less from a node about itself than from others. But a
// node that was here before does not lose its lease for it; then it is no node's identity for now.
Status VirtualNode::learn_identity() {
  auto found = parts_.node_identity(stop_.token());
  knows_identity_ = found.is_ok();
  if (found.status().code() == StatusCode::Unauthenticated || stop_.token().is_cancelled()) {
    return found.status();
  }
  if (!found.is_ok()) {
    parts_.log.warn("the API server does not say who the daemon is; it goes on as no node",
                    {observe::error_field(found.status())});
    return Status::ok();
  }
  identity_ = std::move(*found);
  if (!identity_.empty()) {
    node_->use_node_identity();
  }
  return Status::ok();
}

// Once more, now that the API server has answered other questions.
Status VirtualNode::confirm_identity() {
  if (!knows_identity_) {
    VKHOST_TRY(learn_identity());
  }
  return check_node_identity(identity_, name());
}

std::vector<SequenceStep> VirtualNode::start_steps() {
  std::vector<SequenceStep> steps;
  const auto add_showing = [&] {
    steps.push_back(
        {"acting for the node", [this] { return check_node_identity(identity_, name()); }});
    steps.push_back({"showing the node", [this] {
                       show_node();
                       return Status::ok();
                     }});
  };
  const bool is_named = !provider_->capabilities().names_node && !node_settings_.name.empty();
  steps.push_back(
      {"learning who the daemon is to the API server", [this] { return learn_identity(); }});
  // While anything below fails, a node that was here before keeps its lease and says why.
  if (is_named) {
    add_showing();
  }
  steps.push_back({"asking the provider for its node", [this] { return learn_name(); }, true});
  if (!is_named) {
    add_showing();
  }
  steps.push_back({"looking for pods", [this] { return parts_.source->start(name(), this); }});
  steps.push_back({"waiting for the list of pods", [this] { return wait_for_list(); }});
  steps.push_back({"recovering pods", [this] { return engine_->recover(stop_.token()); }});
  steps.push_back({"learning the cluster's UID", [this]() -> Status {
                     VKHOST_TRY_ASSIGN(cluster_uid_, parts_.cluster_uid(stop_.token()));
                     return Status::ok();
                   }});
  steps.push_back({"acting for the node", [this] { return confirm_identity(); }});
  steps.push_back({"comparing the cluster with the node's", [this] { return confirm_cluster(); }});
  steps.push_back({"starting the provider", [this] { return start_provider(); }, true});
  steps.push_back({"beginning with the pods", [this] {
                     engine_->start(parts_.threads);
                     return Status::ok();
                   }});
  steps.push_back({"making the node schedulable again", [this] { return undo_last_stop(); }});
  steps.push_back({"being up", [this] {
                     node_->pods_ready();
                     is_up_ = true;
                     parts_.log.info("node is up", {{"node", name()}});
                     return Status::ok();
                   }});
  return steps;
}

Status VirtualNode::learn_name() {
  VKHOST_TRY(node_->prepare(stop_.token()));
  std::string name = node_->name();
  const MutexLock lock(mutex_);
  name_ = std::move(name);
  return Status::ok();
}

std::optional<Status> VirtualNode::wait_for_list() {
  const MutexLock lock(mutex_);
  return listed_ ? std::optional<Status>(Status::ok()) : std::nullopt;
}

// Under another owner key the provider lists none of the node's workloads, and each pod is lost while its
// workload runs on. The Node remembers, since it belongs to its cluster as no folder does: in another
// cluster the node has other pods, and may have another key.
Status VirtualNode::confirm_cluster() {
  if (parts_.api != nullptr) {
    const auto object = parts_.api->get(kube::node_path(name()), {}, node_options());
    if (object.is_ok()) {
      VKHOST_TRY_ASSIGN(const std::string kept, node::kept_cluster_uid(*object));
      VKHOST_TRY(check_cluster_uid(kept, cluster_uid_, name()));
    } else if (object.status().code() != StatusCode::NotFound) {
      return object.status();
    }
  }
  node_->use_cluster_uid(cluster_uid_);
  return Status::ok();
}

Status VirtualNode::start_provider() {
  const std::string node_name = name();
  VKHOST_TRY(provider_->start({node_name, owner_key(cluster_uid_, node_name)}, call_options()));
  provider_started_ = true;
  return Status::ok();
}

// What policies.on_stop did to the node, whatever it says now.
Status VirtualNode::undo_last_stop() {
  if (parts_.api == nullptr) {
    return Status::ok();
  }
  const Status undone = undo_cordon(*parts_.api, name(), node_options());
  const bool is_refused =
      undone.code() == StatusCode::PermissionDenied || undone.code() == StatusCode::InvalidArgument;
  if (is_refused) {
    parts_.log.warn("the node stays as unschedulable as it is", {observe::error_field(undone)});
  }
  return is_refused ? Status::ok() : undone;
}

void VirtualNode::stop_starting() {
  stop_.cancel();
  if (start_) {
    start_->stop();
  }
}

void VirtualNode::stop() {
  stop_starting();
  reconfiguring_.close();
  is_up_ = false;
  if (!provider_) {
    return;
  }
  parts_.source->stop();
  if (node_watch_) {
    node_watch_->stop();
  }
  node_->stop();
  engine_->stop();
  if (std::exchange(provider_started_, false)) {
    plugin::CallOptions options;
    options.deadline = Deadline::after(*parts_.clock, std::chrono::seconds{10});
    if (const Status stopped = provider_->stop(options); !stopped.is_ok()) {
      parts_.log.warn("the provider did not stop cleanly", {observe::error_field(stopped)});
    }
  }
}

void VirtualNode::change_settings(pods::Settings pods, bool ignore_daemonset_pods) {
  pods.annotation_prefixes = pods_settings_->annotation_prefixes;
  pods_settings_.replace(pods);
  engine_->change_settings(std::move(pods));
  const MutexLock lock(daemon_sets_mutex_);
  ignores_daemon_sets_ = ignore_daemonset_pods;
  if (!ignores_daemon_sets_) {
    for (auto& [uid, pod] : std::exchange(ignored_, {})) {
      engine_->pod_applied(std::move(pod));
    }
  }
}

Status VirtualNode::reconfigure(const Secret& config_json) {
  const Gate::Pass pass = reconfiguring_.enter();
  if (!pass) {
    return cancelled("the node is being stopped");
  }
  VKHOST_TRY(provider_->reconfigure(config_json.reveal(), call_options()));
  engine_->provider_reconfigured();
  if (start_) {
    start_->retry();
  }
  return Status::ok();
}

plugin::CallOptions VirtualNode::call_options() const {
  plugin::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, pods_settings_->call_timeout);
  options.cancel = stop_.token();
  return options;
}

kube::CallOptions VirtualNode::node_options() const {
  kube::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, kNodeTimeout);
  options.cancel = stop_.token();
  options.lane = kube::Lane::Node;
  return options;
}

std::vector<pods::PodView> VirtualNode::pods() const { return engine_->pods(); }

node::NodeView VirtualNode::view() const { return node_->view(); }

// A provider may push or save while it is being made, when there is no engine to hear it.

Status VirtualNode::pod_changed(plugin::PodChange change) {
  return wired_ ? engine_->pod_changed(std::move(change))
                : not_found("no pod is known before the instance was created");
}

Status VirtualNode::node_changed() {
  if (wired_) {
    node_->provider_changed();
  }
  return Status::ok();
}

Status VirtualNode::save_handle(const std::string& uid, const std::string& handle) {
  return wired_ ? engine_->save_handle(uid, handle)
                : not_found("no pod is known before the instance was created");
}

Status VirtualNode::evict(plugin::Eviction eviction) {
  return wired_ ? engine_->evict(std::move(eviction))
                : not_found("no pod is known before the instance was created");
}

Status VirtualNode::emit(plugin::ProviderEvent event) {
  if (!event.pod_uid.empty()) {
    return wired_ ? engine_->emit(event)
                  : not_found("no pod is known before the instance was created");
  }
  if (name().empty()) {
    return not_found("the node has no name yet");
  }
  node_event(pods::happening_of(event));
  return Status::ok();
}

void VirtualNode::node_event(const pods::Happening& what) {
  if (what.type == pods::EventType::Warning || pods_settings_->normal_events) {
    parts_.events->node_event(name(), what);
  }
}

void VirtualNode::provider_fault(const Status& status) { node_->provider_fault(status); }

// A mirror pod stands for one that a kubelet runs from a file of its own. A pod that is being deleted, and
// one that was let in under another policy, waits for this node's word, whoever it belongs to.
bool VirtualNode::leaves_alone(const kube::PodPtr& pod) {
  ignored_.erase(pod->uid);
  if (pod->is_deleting() || (!pod->is_mirror_pod && !pod->is_daemon_set_pod)) {
    return false;
  }
  if (pod->is_mirror_pod) {
    return true;
  }
  if (!ignores_daemon_sets_ || engine_->find(pod->uid)) {
    return false;
  }
  ignored_.emplace(pod->uid, pod);
  return true;
}

void VirtualNode::pods_listed(std::vector<kube::PodPtr> pods) {
  {
    const MutexLock lock(daemon_sets_mutex_);
    ignored_.clear();
    std::vector<kube::PodPtr> taken;
    taken.reserve(pods.size());
    for (kube::PodPtr& pod : pods) {
      if (!leaves_alone(pod)) {
        taken.push_back(std::move(pod));
      }
    }
    engine_->pods_listed(std::move(taken));
  }
  {
    const MutexLock lock(mutex_);
    listed_ = true;
  }
  start_->resume();
  tell_of_change();
}

void VirtualNode::tell_of_change() const {
  if (parts_.pods_changed) {
    parts_.pods_changed();
  }
}

void VirtualNode::pod_applied(kube::PodPtr pod) {
  {
    const MutexLock lock(daemon_sets_mutex_);
    if (leaves_alone(pod)) {
      return;
    }
  }
  engine_->pod_applied(std::move(pod));
  tell_of_change();
}

void VirtualNode::pod_removed(const std::string& uid) {
  {
    const MutexLock lock(daemon_sets_mutex_);
    ignored_.erase(uid);
  }
  engine_->pod_removed(uid);
  tell_of_change();
}

void VirtualNode::object_changed(std::string json) {
  known_node_->object_changed(json);
  node_->object_changed(json);
}

void VirtualNode::object_gone() {
  known_node_->object_gone();
  node_->node_deleted();
}

}  // namespace vkhost::daemon
