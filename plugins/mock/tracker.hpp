// Tracker: tells the host what has changed in the back end, when it changes. [any-thread]; run is
// called by one thread at a time.
#pragma once

#include "backend.hpp"
#include "scheduler.hpp"

#include <vkhost/provider.hpp>

#include <optional>
#include <string>

namespace vkhost::mock {

class Tracker final : public Scheduler::Task {
 public:
  Tracker(sdk::Host host, Backend& backend) : host_(host), evictions_(host), backend_(backend) {}
  ~Tracker() = default;

  // Pushes everything that is due and says when something will be.
  std::optional<Millis> run(Millis now) noexcept override;

  // For what is read from now on.
  [[nodiscard]] std::uint64_t next_seq() { return sequence_.next(); }
  // What list_pods says of a workload; none when it is lost.
  [[nodiscard]] static std::optional<std::string> status_of(const Workload& workload, Millis now);

 private:
  void push(const WorkloadPtr& workload, Millis now);
  void push_status(const Workload& workload, const std::string& status, std::uint64_t seq);
  void ask_for_eviction(const Workload& workload);
  void push_gone(const Workload& workload);
  void push_failure(const Workload& workload, const Fault& fault);

  sdk::Host host_;
  sdk::Evictions evictions_;
  Backend& backend_;
  sdk::Sequence sequence_;
};

// The exception that stands for a fault of a rule.
[[nodiscard]] sdk::Error make_error(const Fault& fault);

}  // namespace vkhost::mock
