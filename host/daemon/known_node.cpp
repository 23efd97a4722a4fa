#include "daemon/known_node.hpp"

#include "kube/paths.hpp"

#include <chrono>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::chrono::seconds kReadTimeout{10};

}  // namespace

std::shared_ptr<const kube::NodeFacts> KnownNode::node() {
  const std::uint64_t version = parts_.version();
  {
    const MutexLock lock(mutex_);
    if (joined_ && own_version_ == version) {
      return joined_;
    }
  }
  auto own = kube::parse_node_facts(parts_.document());
  if (!own.is_ok()) {
    parts_.log.warn("pods are admitted unseen: the node cannot be read",
                    {observe::error_field(own.status())});
  }
  const MutexLock lock(mutex_);
  if (own.is_ok()) {
    own_ = std::move(*own);
  }
  own_version_ = version;
  joined_ = !own_ ? nullptr
                  : std::make_shared<const kube::NodeFacts>(
                        in_api_ ? kube::joined_facts(*own_, *in_api_) : *own_);
  return joined_;
}

std::shared_ptr<const kube::NodeFacts> KnownNode::read_node(const CancelToken& cancel) {
  if (parts_.api == nullptr) {
    return node();
  }
  kube::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, kReadTimeout);
  options.cancel = cancel;
  const auto object = parts_.api->get(kube::node_path(parts_.name()), {}, options);
  if (object.is_ok()) {
    object_changed(*object);
  } else if (object.status().code() == StatusCode::NotFound) {
    object_gone();
  } else {
    return nullptr;
  }
  return node();
}

void KnownNode::object_changed(std::string_view json) {
  auto facts = kube::parse_node_facts(json);
  const MutexLock lock(mutex_);
  if (facts.is_ok()) {
    in_api_ = std::move(*facts);
    joined_.reset();
  }
}

void KnownNode::object_gone() {
  const MutexLock lock(mutex_);
  in_api_.reset();
  joined_.reset();
}

}  // namespace vkhost::daemon
