// SingleWatchGroup: what the single watches of a process share: how many of them may hold a connection at
// once, and what the log has been told. Outlives them. [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "base/status.hpp"
#include "observe/log.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace vkhost::kube {

class SingleWatchGroup {
 public:
  // Each open watch costs a descriptor and some 50 KiB for TLS.
  SingleWatchGroup(std::size_t max_open, observe::Logger log);

  [[nodiscard]] bool take_place();
  void give_back_place();
  [[nodiscard]] std::size_t places_taken() const;
  // Watching objects of that collection is forbidden; warned of once for each resource.
  void note_refusal(std::string_view collection_path, const Status& refusal);

 private:
  const std::size_t max_open_;
  const observe::Logger log_;
  mutable Mutex mutex_;
  std::size_t taken_ VKHOST_GUARDED_BY(mutex_) = 0;
  bool told_full_ VKHOST_GUARDED_BY(mutex_) = false;
  std::set<std::string> told_refused_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::kube
