// What the event writer remembers: which Events it wrote, and how much each object has used of its
// allowance. Both forget the oldest when full. Each belongs to one owner. [no-block]
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

namespace vkhost::kube {

struct BurstLimits {
  double burst = 25;
  std::chrono::milliseconds refill_one{std::chrono::minutes{5}};
  std::size_t remembered = 4096;
};

// A token bucket for each key.
class BurstLimiter {
 public:
  explicit BurstLimiter(BurstLimits limits) : limits_(limits) {}
  [[nodiscard]] bool allow(const std::string& key, SteadyTime now);

 private:
  struct Bucket {
    double tokens = 0;
    SteadyTime filled_at;
    std::list<std::string>::iterator age;
  };
  BurstLimits limits_;
  std::unordered_map<std::string, Bucket> buckets_;
  std::list<std::string> by_age_;  // least recently used first
};

struct WrittenEvent {
  std::string name;
  std::uint32_t count = 1;
  SteadyTime last;
};

class EventMemory {
 public:
  // The API server keeps Events for an hour; one forgotten there can't be counted up.
  static constexpr std::chrono::minutes kKept{60};
  static constexpr std::size_t kRemembered = 4096;

  // Null when there is none, or it is too old.
  [[nodiscard]] WrittenEvent* find(const std::string& key, SteadyTime now);
  void remember(const std::string& key, WrittenEvent event);
  void forget(const std::string& key);
  [[nodiscard]] std::size_t size() const { return events_.size(); }

 private:
  struct Entry {
    WrittenEvent event;
    std::list<std::string>::iterator age;
  };
  std::unordered_map<std::string, Entry> events_;
  std::list<std::string> by_age_;
};

}  // namespace vkhost::kube
