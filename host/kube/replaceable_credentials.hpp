// ReplaceableCredentials: credentials whose source is exchanged while clients use them: another kubeconfig
// for the same server. Generations go on growing over the exchange, so that nobody mistakes an identity of
// the one source for one of the other. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "kube/credentials.hpp"

#include <cstdint>
#include <memory>

namespace vkhost::kube {

class ReplaceableCredentials final : public Credentials {
 public:
  explicit ReplaceableCredentials(std::shared_ptr<Credentials> source);

  // Requests that begin from now on use that one. [no-block]
  void replace(std::shared_ptr<Credentials> source);

  Result<Identity> current(Deadline deadline, const CancelToken& cancel) override;
  void reject(std::uint64_t generation) override;

 private:
  mutable Mutex mutex_;
  std::shared_ptr<Credentials> source_ VKHOST_GUARDED_BY(mutex_);
  std::uint64_t base_ VKHOST_GUARDED_BY(mutex_) = 0;     // added to the generations of source_
  std::uint64_t highest_ VKHOST_GUARDED_BY(mutex_) = 0;  // that anybody has seen
};

}  // namespace vkhost::kube
