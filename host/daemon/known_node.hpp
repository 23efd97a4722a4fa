// KnownNode: a virtual node as its pods are judged against: what it says of itself, completed by what
// others wrote into its object. Both are read again only when they have changed. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "kube/client.hpp"
#include "kube/node_facts.hpp"
#include "observe/log.hpp"
#include "pods/interfaces.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::daemon {

class KnownNode final : public pods::NodeSource {
 public:
  struct Parts {  // all outlive it
    std::function<std::string()> name;
    std::function<std::string()> document;   // v1.Node as it would be created now
    std::function<std::uint64_t()> version;  // changes with the document, heartbeats apart
    kube::Client* api = nullptr;             // null: standalone
    std::shared_ptr<const Clock> clock;
    observe::Logger log;
  };
  explicit KnownNode(Parts parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const kube::NodeFacts> node() override;
  std::shared_ptr<const kube::NodeFacts> read_node(const CancelToken& cancel) override;

  // The object in the API, as a watch or an answer shows it; gone: only the node's own word counts.
  void object_changed(std::string_view json);
  void object_gone();

 private:
  const Parts parts_;

  mutable Mutex mutex_;
  std::optional<kube::NodeFacts> in_api_ VKHOST_GUARDED_BY(mutex_);
  std::uint64_t own_version_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::optional<kube::NodeFacts> own_ VKHOST_GUARDED_BY(mutex_);
  std::shared_ptr<const kube::NodeFacts> joined_ VKHOST_GUARDED_BY(mutex_);  // null: to be made
};

}  // namespace vkhost::daemon
