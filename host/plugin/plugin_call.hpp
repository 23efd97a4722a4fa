// PluginCalls: how every call into one library or instance is made.
//
// The plugin's function runs on a thread of ThreadPool while the caller waits. The caller's cancel
// token and the deadline cancel the call; one that has not returned after the grace (five seconds)
// is abandoned: the caller gets DEADLINE_EXCEEDED with reason PluginHung, the call keeps what it
// holds and ends whenever it ends. Until then further calls for the same key are refused at once,
// and all are when too many are stuck, so that a hanging plugin costs a bounded number of threads.
// An exception becomes INTERNAL with reason PluginThrew. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/thread_pool.hpp"
#include "observe/log.hpp"
#include "plugin/call_context.hpp"
#include "plugin/call_metrics.hpp"
#include "plugin/provider.hpp"
#include "plugin/sinks.hpp"

#include <vkhost/provider.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace vkhost::plugin {

struct CallLimits {
  std::chrono::milliseconds grace{5'000};              // after a cancel
  std::chrono::milliseconds default_deadline{60'000};  // for callers that set none
  std::size_t max_stuck = 32;                          // then every call is refused
};

struct CallPlan {
  std::string what;  // "create_pod default/web-0", for messages
  std::string key;   // what is serial with itself: the function, or the pod's UID
};

// Abandoned calls of all libraries that have not returned yet.
using StuckTotal = std::shared_ptr<std::atomic<std::size_t>>;

struct CallParts {
  std::string plugin;  // its name, for messages
  ThreadPool& threads;
  const Clock& clock;
  observe::Logger log;
  CallLimits limits;
  StuckTotal total = std::make_shared<std::atomic<std::size_t>>(0);
  std::shared_ptr<CallMetrics> metrics = nullptr;  // null: nothing is counted
};

class PluginCalls {
 public:
  explicit PluginCalls(CallParts parts);
  ~PluginCalls();
  PluginCalls(const PluginCalls&) = delete;
  PluginCalls& operator=(const PluginCalls&) = delete;

  // `body` runs inside the plugin, perhaps longer than this call: it owns all that it passes on.
  using Body = std::function<vkp_code(const CallPointers& pointers)>;
  Status run(const CallPlan& plan,
             const CallOptions& options,
             const std::shared_ptr<Sink>& sink,
             Body body);

  // Calls that were abandoned and have not returned yet.
  [[nodiscard]] std::size_t stuck() const;

  // An INVALID_ARGUMENT or INTERNAL of our own about what the plugin gave.
  [[nodiscard]] Status invalid_result(const std::string& what, const std::string& problem) const;
  [[nodiscard]] Status empty_result(const std::string& what) const;

 private:
  class Stuck;

  Status await(const std::shared_ptr<Call>& call, const CallPlan& plan, SteadyTime deadline);
  void begin_cancel(const std::shared_ptr<Call>& call);
  [[nodiscard]] Status status_of(const Call& call, bool deadline_passed) const;

  const CallParts parts_;
  const std::shared_ptr<Stuck> stuck_;
};

}  // namespace vkhost::plugin
