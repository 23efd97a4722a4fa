#include "plugin/plugin_call.hpp"

#include "plugin/abi_read.hpp"

#include <cxxabi.h>

#include <exception>
#include <limits>
#include <map>
#include <utility>

namespace vkhost::plugin {
namespace {

constexpr const char* kHung = "PluginHung";
constexpr const char* kThrew = "PluginThrew";
constexpr const char* kInvalidResult = "PluginInvalidResult";
constexpr const char* kEmptyResult = "PluginEmptyResult";

std::string seconds(std::chrono::milliseconds duration) {
  return std::to_string((duration.count() + 999) / 1000) + " s";
}

// Calls the plugin. What it throws ends here; a thread that is being cancelled or has called
// pthread_exit goes on unwinding, as the C library ends the process otherwise; it is caught by a
// reference to nothing.
__attribute__((no_sanitize("null"))) Call::Outcome enter(const PluginCalls::Body& body,
                                                         const CallPointers& pointers) {
  try {
    return {body(pointers), std::nullopt};
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& error) {
    return {VKP_INTERNAL, shown_text(as_text(error.what()), VKP_MAX_MESSAGE_BYTES)};
  } catch (...) {
    return {VKP_INTERNAL, "something that is no std::exception"};
  }
}

}  // namespace

// The books about calls that were given up and still run.
class PluginCalls::Stuck {
 public:
  Stuck(std::size_t limit, StuckTotal total, std::shared_ptr<CallMetrics> metrics)
      : limit_(limit), total_(std::move(total)), metrics_(std::move(metrics)) {}

  Status admit(const CallPlan& plan, const std::string& plugin) {
    const MutexLock lock(mutex_);
    if (keys_.count(plan.key) != 0) {
      return unavailable("plugin " + plugin + ": " + plan.what +
                         " was not called, as an earlier call for the same has not returned")
          .with_reason(kHung)
          .with_effect(Effect::None);
    }
    if (count_ >= limit_) {
      return unavailable("plugin " + plugin + ": " + plan.what + " was not called, as " +
                         std::to_string(count_) +
                         " calls have not returned; a restart of vkhost ends them")
          .with_reason(kHung)
          .with_effect(Effect::None)
          .with_scope(Scope::Provider);
    }
    return Status::ok();
  }

  void add(const std::string& key) {
    const MutexLock lock(mutex_);
    ++keys_[key];
    ++count_;
    total_->fetch_add(1);
    note(1);
  }

  void remove(const std::string& key) {
    const MutexLock lock(mutex_);
    --count_;
    total_->fetch_sub(1);
    note(-1);
    if (const auto found = keys_.find(key); --found->second == 0) {
      keys_.erase(found);
    }
  }

  [[nodiscard]] std::size_t count() const {
    const MutexLock lock(mutex_);
    return count_;
  }

 private:
  void note(int change) const {
    if (metrics_) {
      metrics_->abandoned(change);
    }
  }

  const std::size_t limit_;
  const StuckTotal total_;
  const std::shared_ptr<CallMetrics> metrics_;
  mutable Mutex mutex_;
  std::map<std::string, std::size_t> keys_ VKHOST_GUARDED_BY(mutex_);
  std::size_t count_ VKHOST_GUARDED_BY(mutex_) = 0;
};

namespace {

// Reports the end of a call on every way out of its thread.
template <typename Stuck>
class Ending {
 public:
  Ending(std::shared_ptr<Call> call, std::shared_ptr<Stuck> stuck, std::string key)
      : call_(std::move(call)), stuck_(std::move(stuck)), key_(std::move(key)) {}
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  ~Ending() {
    if (!call_->finish(std::move(outcome_))) {
      call_->log().warn("an abandoned call of the plugin has returned", {{"call", call_->what()}});
      stuck_->remove(key_);
    }
  }

  void set(Call::Outcome outcome) { outcome_ = std::move(outcome); }

 private:
  std::shared_ptr<Call> call_;
  std::shared_ptr<Stuck> stuck_;
  std::string key_;
  Call::Outcome outcome_{VKP_INTERNAL, "nothing, but ended the thread of the host (pthread_exit?)"};
};

}  // namespace

PluginCalls::PluginCalls(CallParts parts)
    : parts_(std::move(parts)),
      stuck_(std::make_shared<Stuck>(parts_.limits.max_stuck, parts_.total, parts_.metrics)) {}

PluginCalls::~PluginCalls() = default;

std::size_t PluginCalls::stuck() const { return stuck_->count(); }

Status PluginCalls::run(const CallPlan& plan,
                        const CallOptions& options,
                        const std::shared_ptr<Sink>& sink,
                        Body body) {
  const SteadyTime now = parts_.clock.steady_now();
  if (options.cancel.is_cancelled()) {
    return cancelled(plan.what + " was not called: cancelled before").with_effect(Effect::None);
  }
  if (options.deadline.is_past(now)) {
    return deadline_exceeded(plan.what + " was not called: its deadline had passed before")
        .with_effect(Effect::None);
  }
  VKHOST_TRY(stuck_->admit(plan, parts_.plugin));
  const Deadline deadline = options.deadline.is_never()
                                ? Deadline::at(now + parts_.limits.default_deadline)
                                : options.deadline;
  const std::int64_t timeout_ms = deadline.remaining(now).count();
  const auto call = std::make_shared<Call>(plan.what, options.traceparent, sink, parts_.log);
  VKHOST_TRY(parts_.threads.run([held = std::shared_ptr<Call>(call), body = std::move(body),
                                 timeout_ms, stuck = stuck_, key = plan.key]() mutable {
    Ending<Stuck> ending(held, std::move(stuck), std::move(key));
    Call::Outcome outcome;
    {
      const CallPass pass(std::move(held), timeout_ms);
      outcome = enter(body, pass.pointers());
    }
    body = nullptr;
    ending.set(std::move(outcome));
  }));
  const CancelCallback on_cancel(options.cancel, [call] { call->request_cancel(); });
  Status ended = await(call, plan, deadline.when());
  if (parts_.metrics) {
    parts_.metrics->ended(plan.what, ended.code(), parts_.clock.steady_now() - now);
  }
  return ended;
}

Status PluginCalls::await(const std::shared_ptr<Call>& call,
                          const CallPlan& plan,
                          SteadyTime deadline) {
  const Call::Wake wake = call->wait(deadline, true);
  if (wake == Call::Wake::Finished) {
    return status_of(*call, false);
  }
  const bool deadline_passed = wake == Call::Wake::TimeOver;
  begin_cancel(call);
  if (call->wait(parts_.clock.steady_now() + parts_.limits.grace, false) == Call::Wake::Finished) {
    return status_of(*call, deadline_passed);
  }
  stuck_->add(plan.key);  // first, so that a return at this instant finds it
  if (!call->abandon()) {
    stuck_->remove(plan.key);
    return status_of(*call, deadline_passed);
  }
  call->sink().close();
  parts_.log.error("a call of the plugin hangs and was abandoned; its thread stays with it",
                   {{"call", plan.what}});
  return deadline_exceeded("plugin " + parts_.plugin + ": " + plan.what + " has not returned " +
                           seconds(parts_.limits.grace) + " after it was cancelled (" +
                           (deadline_passed ? "its deadline had passed" : "by the host") +
                           "); whether it took place is not known")
      .with_reason(kHung);
}

void PluginCalls::begin_cancel(const std::shared_ptr<Call>& call) {
  call->request_cancel();
  // Callbacks are plugin code too: they get a thread of their own, so that this one is not lost.
  if (const Status run = parts_.threads.run([call] { call->run_cancel_callbacks(); });
      !run.is_ok()) {
    parts_.log.error("cancel callbacks of the plugin were not called",
                     {{"call", call->what()}, observe::error_field(run)});
  }
}

Status PluginCalls::status_of(const Call& call, bool deadline_passed) const {
  const Call::Outcome outcome = call.outcome();
  if (outcome.thrown) {
    return internal_error("plugin " + parts_.plugin + ": " + call.what() + " threw " +
                          *outcome.thrown + "; nothing may be thrown across the provider ABI")
        .with_reason(kThrew);
  }
  if (outcome.code == VKP_OK) {
    const Status refusal = call.sink().refusal();
    return refusal.is_ok() ? Status::ok() : invalid_result(call.what(), refusal.message());
  }
  // To the caller a passed deadline is not a cancel.
  const bool timed_out = deadline_passed && outcome.code == VKP_CANCELLED;
  return call.failure(timed_out ? VKP_DEADLINE_EXCEEDED : outcome.code,
                      "plugin " + parts_.plugin + ": " + call.what() + " failed without a message");
}

Status PluginCalls::invalid_result(const std::string& what, const std::string& problem) const {
  return invalid_argument("plugin " + parts_.plugin + ": " + what + ": " + problem)
      .with_reason(kInvalidResult);
}

Status PluginCalls::empty_result(const std::string& what) const {
  return internal_error("plugin " + parts_.plugin + ": " + what + " returned OK without its result")
      .with_reason(kEmptyResult);
}

}  // namespace vkhost::plugin
