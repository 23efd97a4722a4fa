// NodeWriter: the Node and its lease as requests to the API server. Remembers nothing but the lease
// as it was written last. Belongs to one NodeController, whose chores call write() and renew_lease()
// from one thread each. [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"
#include "node/lease_object.hpp"
#include "node/node_object.hpp"
#include "node/settings.hpp"
#include "observe/log.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::node {

// How much of a write is due.
struct WriteScope {
  enum class Says { Nothing, Readiness, Everything };
  Says says = Says::Everything;  // of a node that exists
  bool may_register = true;      // make one that does not
};

struct Written {
  std::string uid;  // empty: there is no such node yet
};

class NodeWriter {
 public:
  // `api` may be null as long as nothing is called.
  NodeWriter(kube::Client* api,
             std::shared_ptr<const Clock> clock,
             CancelToken stop,
             observe::Logger log);

  Result<Written> write(const NodeSources& sources, WriteScope scope);
  Status renew_lease(const LeaseSources& sources);

 private:
  Result<Written> create(const NodeSources& sources);
  // Brings taints and provider ID up to date; reads `present` again when somebody else was faster.
  Status write_spec(const NodeSources& sources, std::string* present);
  Status write_spec_once(const NodeSources& sources, const std::string& present);
  void complain(const std::string& what);
  Status renew_lease_once(const LeaseSources& sources, const kube::CallOptions& options);
  [[nodiscard]] kube::CallOptions api_options(kube::Lane lane) const;

  kube::Client* const api_;
  const std::shared_ptr<const Clock> clock_;
  const CancelToken stop_;
  const observe::Logger log_;
  std::string lease_json_;
  std::string last_complaint_;  // so that it is not made anew with every write
};

}  // namespace vkhost::node
