#include "kube/single_watch_group.hpp"

#include <utility>

namespace vkhost::kube {

SingleWatchGroup::SingleWatchGroup(std::size_t max_open, observe::Logger log)
    : max_open_(max_open), log_(std::move(log)) {}

bool SingleWatchGroup::take_place() {
  bool is_news = false;
  {
    const MutexLock lock(mutex_);
    if (taken_ < max_open_) {
      ++taken_;
      return true;
    }
    is_news = !std::exchange(told_full_, true);
  }
  if (is_news) {
    log_.info(
        "Pods refer to more objects than are watched at once, the others are read now and then",
        {{"watched", std::to_string(max_open_)}});
  }
  return false;
}

void SingleWatchGroup::give_back_place() {
  const MutexLock lock(mutex_);
  --taken_;
}

std::size_t SingleWatchGroup::places_taken() const {
  const MutexLock lock(mutex_);
  return taken_;
}

void SingleWatchGroup::note_refusal(std::string_view collection_path, const Status& refusal) {
  const std::string resource(collection_path.substr(collection_path.rfind('/') + 1));
  bool is_news = false;
  {
    const MutexLock lock(mutex_);
    is_news = told_refused_.insert(resource).second;
  }
  log_.log(is_news ? observe::Level::Warn : observe::Level::Debug,
           "Watching objects that pods refer to is forbidden, so they are read now and then",
           {{"resource", resource}, observe::error_field(refusal)});
}

}  // namespace vkhost::kube
