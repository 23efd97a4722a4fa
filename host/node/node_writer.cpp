#include "node/node_writer.hpp"

#include "base/failure_point.hpp"
#include "kube/paths.hpp"

#include <utility>

namespace vkhost::node {
namespace {

constexpr std::chrono::seconds kApiTimeout{10};
constexpr int kSpecTries = 5;

}  // namespace

NodeWriter::NodeWriter(kube::Client* api,
                       std::shared_ptr<const Clock> clock,
                       CancelToken stop,
                       observe::Logger log)
    : api_(api), clock_(std::move(clock)), stop_(std::move(stop)), log_(std::move(log)) {}

kube::CallOptions NodeWriter::api_options(kube::Lane lane) const {
  kube::CallOptions options;
  options.deadline = Deadline::after(*clock_, kApiTimeout);
  options.cancel = stop_;
  options.lane = lane;
  return options;
}

Result<Written> NodeWriter::create(const NodeSources& sources) {
  VKHOST_TRY_ASSIGN(std::string body, new_node(sources));
  VKHOST_FAILURE_POINT(BeforeNodeCreated);
  auto created = api_->create(kube::nodes_path(), std::move(body), api_options(kube::Lane::Node));
  VKHOST_FAILURE_POINT(AfterNodeCreated);
  if (!created.is_ok()) {
    return created.status().while_doing("registering node " + sources.settings.name);
  }
  VKHOST_TRY_ASSIGN(std::string uid, uid_of(*created));
  log_.info("node registered", {{"uid", uid}});
  return Written{std::move(uid)};
}

Result<Written> NodeWriter::write(const NodeSources& sources, WriteScope scope) {
  const std::string& name = sources.settings.name;
  auto present = api_->get(kube::node_path(name), {}, api_options(kube::Lane::Node));
  if (present.status().code() == StatusCode::NotFound) {
    return scope.may_register ? create(sources) : Result<Written>(Written{});
  }
  if (!present.is_ok()) {
    return present.status().while_doing("reading node " + name);
  }
  VKHOST_TRY_ASSIGN(std::string uid, uid_of(*present));
  if (scope.says == WriteScope::Says::Nothing) {
    return Written{std::move(uid)};
  }
  // A spec that cannot be written is no reason to let the status grow old.
  if (scope.says == WriteScope::Says::Everything) {
    const Status spec = write_spec(sources, &*present);
    if (!spec.is_ok() && !stop_.is_cancelled()) {
      complain("taints and provider ID cannot be written: " + spec.to_string());
    }
  }
  VKHOST_TRY_ASSIGN(std::string body, scope.says == WriteScope::Says::Everything
                                          ? node_patch(sources, *present)
                                          : readiness_patch(sources, *present));
  VKHOST_FAILURE_POINT(BeforeNodeStatus);
  auto patched = api_->patch(kube::node_status_path(name), kube::PatchType::StrategicMerge,
                             std::move(body), api_options(kube::Lane::Node));
  VKHOST_FAILURE_POINT(AfterNodeStatus);
  if (patched.is_ok()) {
    return Written{std::move(uid)};
  }
  const Status failure = patched.status().while_doing("writing the status of node " + name);
  const bool is_refused = failure.code() == StatusCode::InvalidArgument ||
                          failure.code() == StatusCode::PermissionDenied;
  if (is_refused && scope.says == WriteScope::Says::Everything) {
    // One value that the API server does not take must not hide whether the node works.
    complain(failure.to_string());
    VKHOST_TRY_ASSIGN(std::string readiness, readiness_patch(sources, *present));
    static_cast<void>(api_->patch(kube::node_status_path(name), kube::PatchType::StrategicMerge,
                                  std::move(readiness), api_options(kube::Lane::Node)));
  }
  return failure;
}

Status NodeWriter::write_spec(const NodeSources& sources, std::string* present) {
  Status written = write_spec_once(sources, *present);
  for (int tries = 1; tries < kSpecTries && written.code() == StatusCode::Aborted; ++tries) {
    VKHOST_TRY_ASSIGN(*present, api_->get(kube::node_path(sources.settings.name), {},
                                          api_options(kube::Lane::Node)));
    written = write_spec_once(sources, *present);
  }
  return written;
}

Status NodeWriter::write_spec_once(const NodeSources& sources, const std::string& present) {
  VKHOST_TRY_ASSIGN(SpecPatch patch, spec_patch(sources, present));
  if (!patch.foreign_provider_id.empty()) {
    complain(
        "the node's provider ID is another than the wanted one and cannot be changed; delete "
        "the node, or set node.provider_id to " +
        patch.foreign_provider_id);
  }
  if (patch.json.empty()) {
    return Status::ok();
  }
  VKHOST_FAILURE_POINT(BeforeNodeSpec);
  const auto patched =
      api_->patch(kube::node_path(sources.settings.name), kube::PatchType::StrategicMerge,
                  std::move(patch.json), api_options(kube::Lane::Node));
  VKHOST_FAILURE_POINT(AfterNodeSpec);
  return patched.status();
}

void NodeWriter::complain(const std::string& what) {
  if (std::exchange(last_complaint_, what) != what) {
    log_.warn("a part of the node is not as it shall be", {{"problem", what}});
  }
}

Status NodeWriter::renew_lease(const LeaseSources& sources) {
  const kube::CallOptions options = api_options(kube::Lane::Lease);
  const bool remembered = !lease_json_.empty();
  const Status renewed = renew_lease_once(sources, options);
  const bool has_changed =
      renewed.code() == StatusCode::Aborted || renewed.code() == StatusCode::NotFound;
  // Somebody else wrote or removed it (with the Node it belonged to): once more with what is there.
  return remembered && has_changed ? renew_lease_once(sources, options) : renewed;
}

Status NodeWriter::renew_lease_once(const LeaseSources& sources, const kube::CallOptions& options) {
  const std::string path = kube::lease_path(kube::kNodeLeaseNamespace, sources.node_name);
  if (lease_json_.empty()) {
    auto present = api_->get(path, {}, options);
    if (present.status().code() == StatusCode::NotFound) {
      VKHOST_FAILURE_POINT(BeforeLeaseCreated);
      auto created =
          api_->create(kube::leases_path(kube::kNodeLeaseNamespace), new_lease(sources), options);
      VKHOST_FAILURE_POINT(AfterLeaseCreated);
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
  VKHOST_FAILURE_POINT(BeforeLeaseRenewed);
  auto updated = api_->update(path, std::move(body), options);
  VKHOST_FAILURE_POINT(AfterLeaseRenewed);
  lease_json_ = updated.is_ok() ? std::move(*updated) : std::string();
  return updated.status();
}

}  // namespace vkhost::node
