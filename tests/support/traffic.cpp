#include "support/traffic.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::testing {
namespace {

constexpr std::size_t kMaxRequestsKept = 100'000;

}  // namespace

std::uint64_t Traffic::count(std::string_view label) const {
  const MutexLock lock(mutex_);
  const auto found = counts_.find(label);
  return found == counts_.end() ? 0 : found->second;
}

std::uint64_t Traffic::total() const {
  const MutexLock lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [label, count] : counts_) {
    total += count;
  }
  return total;
}

std::map<std::string, std::uint64_t, std::less<>> Traffic::by_label() const {
  const MutexLock lock(mutex_);
  return counts_;
}

std::size_t Traffic::peak_in_flight() const {
  const MutexLock lock(mutex_);
  return peak_in_flight_;
}

std::size_t Traffic::open_watches() const {
  const MutexLock lock(mutex_);
  return open_watches_;
}

std::vector<SeenRequest> Traffic::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

void Traffic::reset() {
  const MutexLock lock(mutex_);
  counts_.clear();
  requests_.clear();
  peak_in_flight_ = in_flight_;
}

bool Traffic::wait_for(std::string_view label,
                       std::uint64_t at_least,
                       std::chrono::milliseconds within) const {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  const MutexLock lock(mutex_);
  const auto seen_enough = [&]() VKHOST_REQUIRES(mutex_) {
    const auto found = counts_.find(label);
    return found != counts_.end() && found->second >= at_least;
  };
  while (!seen_enough()) {
    if (!changed_.wait_until(mutex_, until)) {
      return seen_enough();
    }
  }
  return true;
}

bool Traffic::wait_for_answers(int status,
                               std::size_t at_least,
                               std::chrono::milliseconds within) const {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  const MutexLock lock(mutex_);
  const auto seen_enough = [&]() VKHOST_REQUIRES(mutex_) {
    const auto answers =
        std::count_if(requests_.begin(), requests_.end(),
                      [&](const SeenRequest& seen) { return seen.status == status; });
    return static_cast<std::size_t>(answers) >= at_least;
  };
  while (!seen_enough()) {
    if (!changed_.wait_until(mutex_, until)) {
      return seen_enough();
    }
  }
  return true;
}

bool Traffic::wait_for_watches(std::size_t exactly, std::chrono::milliseconds within) const {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  const MutexLock lock(mutex_);
  while (open_watches_ != exactly) {
    if (!changed_.wait_until(mutex_, until)) {
      return open_watches_ == exactly;
    }
  }
  return true;
}

void Traffic::began(const ApiRequest& request) {
  {
    const MutexLock lock(mutex_);
    ++counts_[request.label()];
    if (!request.is_watch()) {
      peak_in_flight_ = std::max(peak_in_flight_, ++in_flight_);
    }
  }
  changed_.notify_all();
}

void Traffic::watch_opened() {
  {
    const MutexLock lock(mutex_);
    ++open_watches_;
  }
  changed_.notify_all();
}

void Traffic::ended(SeenRequest seen, bool watch_was_open) {
  {
    const MutexLock lock(mutex_);
    if (!seen.request.is_watch()) {
      --in_flight_;
    }
    if (watch_was_open) {
      --open_watches_;
    }
    if (requests_.size() < kMaxRequestsKept) {
      requests_.push_back(std::move(seen));
    }
  }
  changed_.notify_all();
}

}  // namespace vkhost::testing
