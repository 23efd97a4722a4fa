// Call and CallPass: what a plugin holds during one call (vkp_call and the sinks), and what the host
// holds of it.
//
// A Call is shared by the thread that waits for the result and the thread that is inside the plugin,
// so it outlives whichever gives up first. CallPass lends it to the plugin: the pointers it hands out
// lie in memory that is never freed and is used again only after hundreds of other calls. A plugin
// that keeps them too long therefore touches nothing of ours: it is told so and gets a line in the
// log. [any-thread]; no lock is held while a cancel callback runs
#pragma once

#include "base/cancel.hpp"
#include "base/mutex.hpp"
#include "observe/log.hpp"
#include "plugin/sinks.hpp"

#include <vkhost/provider.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vkhost::plugin {

class Call {
 public:
  Call(std::string what, std::string traceparent, std::shared_ptr<Sink> sink, observe::Logger log);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // ---- For the plugin, through its vkp_call ----
  void fail(const vkp_error* error);                                  // [no-block]
  [[nodiscard]] bool cancelled() const;                               // [no-block]
  std::uint64_t on_cancel(void (*function)(void* user), void* user);  // may run it at once
  void off_cancel(std::uint64_t registration);                        // waits while it runs
  [[nodiscard]] Sink& sink() const { return *sink_; }

  // ---- For the thread that waits ----
  // Marks the call as cancelled and wakes the waiting thread. [no-block]
  void request_cancel();
  // Runs the plugin's cancel callbacks: only on a thread that may be lost in them.
  void run_cancel_callbacks();
  enum class Wake { Finished, CancelRequested, TimeOver };
  // Until the call has finished, a cancel was requested (when `heed_cancel`), or the time is over.
  Wake wait(SteadyTime until, bool heed_cancel);
  // Gives the call up. False when it has finished meanwhile.
  bool abandon();

  struct Outcome {
    vkp_code code = VKP_INTERNAL;
    std::optional<std::string> thrown;  // what the plugin threw instead of returning
  };
  [[nodiscard]] Outcome outcome() const;  // after Wake::Finished
  // The status of a failed call with the details that the plugin gave.
  [[nodiscard]] Status failure(vkp_code code, const std::string& fallback) const;

  // ---- For the thread inside the plugin ----
  // Ends all registrations; waits for a callback that is running.
  void close();
  // Records how the call ended. False when nobody waits for it any more.
  bool finish(Outcome outcome);

  [[nodiscard]] const std::string& what() const { return what_; }
  [[nodiscard]] const std::string& traceparent() const { return traceparent_; }
  [[nodiscard]] const observe::Logger& log() const { return log_; }

 private:
  struct Details {
    vkp_error error{};
    std::string reason;
    std::string message;
  };

  const std::string what_;
  const std::string traceparent_;
  const std::shared_ptr<Sink> sink_;
  const observe::Logger log_;
  CancelSource callbacks_;  // cancelled later than cancel_requested_, on a thread of its own

  mutable Mutex mutex_;
  CondVar changed_;
  bool cancel_requested_ VKHOST_GUARDED_BY(mutex_) = false;
  bool closed_ VKHOST_GUARDED_BY(mutex_) = false;
  bool abandoned_ VKHOST_GUARDED_BY(mutex_) = false;
  bool finished_ VKHOST_GUARDED_BY(mutex_) = false;
  Outcome outcome_ VKHOST_GUARDED_BY(mutex_);
  std::optional<Details> details_ VKHOST_GUARDED_BY(mutex_);
  std::uint64_t last_registration_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, std::unique_ptr<CancelCallback>> registrations_ VKHOST_GUARDED_BY(mutex_);
};

// What one call may use; only the sink that fits the call does anything.
struct CallPointers {
  const vkp_call* call = nullptr;
  const vkp_text_sink* text = nullptr;
  const vkp_problem_sink* problems = nullptr;
  const vkp_recover_sink* recover = nullptr;
  const vkp_update_sink* update = nullptr;
  const vkp_list_sink* list = nullptr;
  const vkp_finding_sink* findings = nullptr;
};

class CallPass {
 public:
  CallPass(std::shared_ptr<Call> call, std::int64_t timeout_ms);
  ~CallPass();  // the plugin's right to use the pointers ends here
  CallPass(const CallPass&) = delete;
  CallPass& operator=(const CallPass&) = delete;

  [[nodiscard]] CallPointers pointers() const;

 private:
  struct Slot;
  class Slots;
  struct Entries;
  Slot* slot_;
};

}  // namespace vkhost::plugin
