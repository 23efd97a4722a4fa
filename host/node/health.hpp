// Health: what is known of a node's provider and of its daemon, and what Ready makes of it. Not
// thread-safe: guarded by its owner. [no-block]
#pragma once

#include "base/status.hpp"
#include "node/node_object.hpp"

#include <cstdint>

namespace vkhost::node {

class Health {
 public:
  // So many pings in a row without an answer count.
  explicit Health(std::uint32_t ping_failures) : ping_failures_(ping_failures) {}

  void start_failed(const Status& why);       // OK: it goes on
  void start_refused(const Status& why);      // until somebody tries once more
  void pods_ready();                          // the start is over
  void shut_down() { is_shut_down_ = true; }  // for good
  // False when one more is needed to know what to think of it.
  [[nodiscard]] bool take_ping(const Status& answer);
  void take_self_check(const Status& reachable) { self_check_ = reachable; }
  void take_fault(const Status& fault) { fault_ = fault; }  // of the whole provider; OK: over

  [[nodiscard]] Readiness readiness() const;
  [[nodiscard]] bool has_started() const { return pods_ready_; }
  // Started, and the provider has said how it is.
  [[nodiscard]] bool is_known() const { return pods_ready_ && pinged_; }
  // Nothing is pending that would soon say something else.
  [[nodiscard]] bool is_settled() const {
    return is_known() || !start_failure_.is_ok() || is_shut_down_;
  }

 private:
  const std::uint32_t ping_failures_;
  Status start_failure_;
  bool start_refused_ = false;
  bool pods_ready_ = false;
  bool is_shut_down_ = false;
  bool pinged_ = false;
  std::uint32_t missed_pings_ = 0;    // in a row
  std::uint32_t answered_pings_ = 0;  // in a row
  Status ping_;
  Status self_check_;
  Status fault_;
};

}  // namespace vkhost::node
