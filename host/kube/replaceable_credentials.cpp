#include "kube/replaceable_credentials.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::kube {

ReplaceableCredentials::ReplaceableCredentials(std::shared_ptr<Credentials> source)
    : source_(std::move(source)) {}

void ReplaceableCredentials::replace(std::shared_ptr<Credentials> source) {
  const MutexLock lock(mutex_);
  source_.swap(source);
  base_ = highest_ + 1;
}

Result<Identity> ReplaceableCredentials::current(Deadline deadline, const CancelToken& cancel) {
  std::shared_ptr<Credentials> source;
  std::uint64_t base = 0;
  {
    const MutexLock lock(mutex_);
    source = source_;
    base = base_;
  }
  VKHOST_TRY_ASSIGN(Identity identity, source->current(deadline, cancel));
  identity.generation += base;
  const MutexLock lock(mutex_);
  if (base == base_) {
    highest_ = std::max(highest_, identity.generation);
  }
  return identity;
}

// That of an earlier source is no news.
void ReplaceableCredentials::reject(std::uint64_t generation) {
  std::shared_ptr<Credentials> source;
  std::uint64_t base = 0;
  {
    const MutexLock lock(mutex_);
    source = source_;
    base = base_;
  }
  if (generation >= base) {
    source->reject(generation - base);
  }
}

}  // namespace vkhost::kube
