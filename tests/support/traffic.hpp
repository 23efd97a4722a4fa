// Traffic: what passed the fault proxy, for tests to assert on and to wait for. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "support/api_request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

struct SeenRequest {
  ApiRequest request = {};
  int status = 0;  // of the answer the client got; 0 when its connection was cut
  SteadyTime began = {};
  SteadyTime ended = {};
};

class Traffic {
 public:
  // How many requests came with that label ("patch pods/status"), answered or not.
  [[nodiscard]] std::uint64_t count(std::string_view label) const;
  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::map<std::string, std::uint64_t, std::less<>> by_label() const;
  // The most requests other than watches under way at once.
  [[nodiscard]] std::size_t peak_in_flight() const;
  [[nodiscard]] std::size_t open_watches() const;
  // Those that have ended, in that order; the first 100,000.
  [[nodiscard]] std::vector<SeenRequest> requests() const;
  // Forgets all but what is under way.
  void reset();

  // False when `within` passed first. [may-block]
  [[nodiscard]] bool wait_for(std::string_view label,
                              std::uint64_t at_least,
                              std::chrono::milliseconds within) const;
  // So many requests were answered with that status.
  [[nodiscard]] bool wait_for_answers(int status,
                                      std::size_t at_least,
                                      std::chrono::milliseconds within) const;
  [[nodiscard]] bool wait_for_watches(std::size_t exactly, std::chrono::milliseconds within) const;

  // The proxy reports here. A watch counts as open once its answer began.
  void began(const ApiRequest& request);
  void watch_opened();
  void ended(SeenRequest seen, bool watch_was_open);

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::map<std::string, std::uint64_t, std::less<>> counts_ VKHOST_GUARDED_BY(mutex_);
  std::vector<SeenRequest> requests_ VKHOST_GUARDED_BY(mutex_);
  std::size_t in_flight_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::size_t peak_in_flight_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::size_t open_watches_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::testing
