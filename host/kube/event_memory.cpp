#include "kube/event_memory.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::kube {

bool BurstLimiter::allow(const std::string& key, SteadyTime now) {
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= limits_.remembered) {
      buckets_.erase(by_age_.front());
      by_age_.pop_front();
    }
    by_age_.push_back(key);
    found = buckets_.emplace(key, Bucket{limits_.burst, now, std::prev(by_age_.end())}).first;
  }
  Bucket& bucket = found->second;
  by_age_.splice(by_age_.end(), by_age_, bucket.age);
  const std::chrono::duration<double> passed = now - bucket.filled_at;
  const std::chrono::duration<double> refill = limits_.refill_one;
  bucket.tokens = std::min(limits_.burst, bucket.tokens + passed / refill);
  bucket.filled_at = now;
  if (bucket.tokens < 1) {
    return false;
  }
  bucket.tokens -= 1;
  return true;
}

WrittenEvent* EventMemory::find(const std::string& key, SteadyTime now) {
  const auto found = events_.find(key);
  if (found == events_.end()) {
    return nullptr;
  }
  if (now - found->second.event.last >= kKept) {
    forget(key);
    return nullptr;
  }
  by_age_.splice(by_age_.end(), by_age_, found->second.age);
  return &found->second.event;
}

void EventMemory::remember(const std::string& key, WrittenEvent event) {
  forget(key);
  if (events_.size() >= kRemembered) {
    events_.erase(by_age_.front());
    by_age_.pop_front();
  }
  by_age_.push_back(key);
  events_.emplace(key, Entry{std::move(event), std::prev(by_age_.end())});
}

void EventMemory::forget(const std::string& key) {
  if (const auto found = events_.find(key); found != events_.end()) {
    by_age_.erase(found->second.age);
    events_.erase(found);
  }
}

}  // namespace vkhost::kube
