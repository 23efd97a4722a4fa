#include "plugin/call_context.hpp"

#include "plugin/abi_read.hpp"

#include <cxxabi.h>

#include <deque>
#include <utility>

namespace vkhost::plugin {
namespace {

// A forced unwind is caught by a reference to nothing.
__attribute__((no_sanitize("null"))) void run_fenced(void (*function)(void* user),
                                                     void* user,
                                                     const observe::Logger& log,
                                                     const std::string& what) {
  try {
    function(user);
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    log.warn("a cancel callback of the plugin threw", {{"call", what}});
  }
}

}  // namespace

// ---- Call ----

Call::Call(std::string what,
           std::string traceparent,
           std::shared_ptr<Sink> sink,
           observe::Logger log)
    : what_(std::move(what)),
      traceparent_(std::move(traceparent)),
      sink_(std::move(sink)),
      log_(std::move(log)) {}

Call::~Call() = default;

void Call::fail(const vkp_error* error) {
  Details details;
  details.error = read_struct(error);
  details.reason = read_reason(details.error.reason);
  details.message = shown_text(details.error.message, VKP_MAX_MESSAGE_BYTES);
  const MutexLock lock(mutex_);
  if (!closed_ && error != nullptr) {
    details_ = std::move(details);
  }
}

bool Call::cancelled() const {
  const MutexLock lock(mutex_);
  return cancel_requested_ || closed_;
}

std::uint64_t Call::on_cancel(void (*function)(void* user), void* user) {
  std::uint64_t registration = 0;
  {
    const MutexLock lock(mutex_);
    registration = ++last_registration_;
    if (closed_ || function == nullptr) {
      return registration;
    }
  }
  auto callback = std::make_unique<CancelCallback>(
      callbacks_.token(),
      [function, user, log = log_, what = what_] { run_fenced(function, user, log, what); });
  const MutexLock lock(mutex_);
  if (!closed_) {
    registrations_.emplace(registration, std::move(callback));
  }
  return registration;
}

void Call::off_cancel(std::uint64_t registration) {
  std::unique_ptr<CancelCallback> ended;  // its end may wait, so it comes after the lock's
  const MutexLock lock(mutex_);
  if (const auto found = registrations_.find(registration); found != registrations_.end()) {
    ended = std::move(found->second);
    registrations_.erase(found);
  }
}

void Call::request_cancel() {
  const MutexLock lock(mutex_);
  cancel_requested_ = true;
  changed_.notify_all();
}

void Call::run_cancel_callbacks() { callbacks_.cancel(); }

Call::Wake Call::wait(SteadyTime until, bool heed_cancel) {
  const MutexLock lock(mutex_);
  while (!finished_) {
    if (heed_cancel && cancel_requested_) {
      return Wake::CancelRequested;
    }
    if (!changed_.wait_until(mutex_, until) && !finished_) {
      return Wake::TimeOver;
    }
  }
  return Wake::Finished;
}

bool Call::abandon() {
  const MutexLock lock(mutex_);
  abandoned_ = !finished_;
  return abandoned_;
}

Call::Outcome Call::outcome() const {
  const MutexLock lock(mutex_);
  return outcome_;
}

Status Call::failure(vkp_code code, const std::string& fallback) const {
  const MutexLock lock(mutex_);
  if (!details_) {
    return read_failure(code, nullptr, fallback);
  }
  vkp_error error = details_->error;
  error.size = sizeof(error);
  error.reason = as_text(details_->reason);
  error.message = as_text(details_->message);
  return read_failure(code, &error, fallback);
}

void Call::close() {
  std::map<std::uint64_t, std::unique_ptr<CancelCallback>> ended;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    ended.swap(registrations_);
  }
}

bool Call::finish(Outcome outcome) {
  bool is_awaited = false;
  {
    const MutexLock lock(mutex_);
    outcome_ = std::move(outcome);
    finished_ = true;
    is_awaited = !abandoned_;
  }
  changed_.notify_all();
  return is_awaited;
}

// ---- CallPass ----

struct CallPass::Slot {
  // A table of the ABI with the way back to its slot behind it. Standard layout, so that a pointer
  // to the first member is a pointer to the whole.
  template <typename Table>
  struct Handle {
    Table table;
    Slot* slot;
  };

  Slot();

  Handle<vkp_call> call{};
  Handle<vkp_text_sink> text{};
  Handle<vkp_problem_sink> problems{};
  Handle<vkp_recover_sink> recover{};
  Handle<vkp_update_sink> update{};
  Handle<vkp_list_sink> list{};
  Handle<vkp_finding_sink> findings{};

  Mutex mutex;
  std::shared_ptr<Call> bound VKHOST_GUARDED_BY(mutex);
  // Of the last call, for the line about a late use.
  std::string what VKHOST_GUARDED_BY(mutex);
  observe::Logger log VKHOST_GUARDED_BY(mutex);
  bool told VKHOST_GUARDED_BY(mutex) = false;
};

// The functions behind the tables. Each finds the call that is bound at this moment; without one it
// says so and does nothing.
struct CallPass::Entries {
  template <typename Table>
  static std::shared_ptr<Call> call_of(const Table* table) {
    if (table == nullptr) {
      return nullptr;
    }
    Slot& slot = *reinterpret_cast<const Slot::Handle<Table>*>(table)->slot;
    std::shared_ptr<Call> call;
    observe::Logger log;
    std::string what;
    {
      const MutexLock lock(slot.mutex);
      call = slot.bound;
      if (call || slot.told) {
        return call;
      }
      slot.told = true;
      log = slot.log;
      what = slot.what;
    }
    log.warn("the plugin used a pointer of a call after that call had returned", {{"call", what}});
    return nullptr;
  }

  static void fail(const vkp_call* context, const vkp_error* error) noexcept {
    if (const auto call = call_of(context)) {
      call->fail(error);
    }
  }

  static bool cancelled(const vkp_call* context) noexcept {
    const auto call = call_of(context);
    return !call || call->cancelled();
  }

  static std::uint64_t on_cancel(const vkp_call* context, void (*function)(void*), void* user) {
    const auto call = call_of(context);
    return call ? call->on_cancel(function, user) : 1;
  }

  static void off_cancel(const vkp_call* context, std::uint64_t registration) {
    if (const auto call = call_of(context)) {
      call->off_cancel(registration);
    }
  }

  static vkp_code put_text(const vkp_text_sink* sink, const char* text, std::size_t size) noexcept {
    const auto call = call_of(sink);
    return call ? call->sink().put_text(text, size) : VKP_INVALID_ARGUMENT;
  }

  static vkp_code put_problem(const vkp_problem_sink* sink, const vkp_problem* problem) noexcept {
    const auto call = call_of(sink);
    return call ? call->sink().put_problem(problem) : VKP_INVALID_ARGUMENT;
  }

  static vkp_code put_verdict(const vkp_recover_sink* sink, const vkp_recovered_pod* pod) noexcept {
    const auto call = call_of(sink);
    return call ? call->sink().put_verdict(pod) : VKP_NOT_FOUND;
  }

  static vkp_code put_update(const vkp_update_sink* sink,
                             const vkp_update_answer* answer) noexcept {
    const auto call = call_of(sink);
    return call ? call->sink().put_update(answer) : VKP_INVALID_ARGUMENT;
  }

  static vkp_code put_finding(const vkp_finding_sink* sink, const vkp_finding* finding) noexcept {
    const auto call = call_of(sink);
    return call ? call->sink().put_finding(finding) : VKP_INVALID_ARGUMENT;
  }

  static vkp_code put_listed(const vkp_list_sink* sink, const vkp_listed_pod* pod) noexcept {
    const auto call = call_of(sink);
    return call ? call->sink().put_listed(pod) : VKP_INVALID_ARGUMENT;
  }

  static void complete(const vkp_list_sink* sink) noexcept {
    if (const auto call = call_of(sink)) {
      call->sink().complete();
    }
  }
};

CallPass::Slot::Slot() {
  call.slot = text.slot = problems.slot = recover.slot = update.slot = list.slot = findings.slot =
      this;
  call.table.size = sizeof(vkp_call);
  call.table.fail = &Entries::fail;
  call.table.cancelled = &Entries::cancelled;
  call.table.on_cancel = &Entries::on_cancel;
  call.table.off_cancel = &Entries::off_cancel;
  text.table = {sizeof(vkp_text_sink), &Entries::put_text};
  problems.table = {sizeof(vkp_problem_sink), &Entries::put_problem};
  recover.table = {sizeof(vkp_recover_sink), &Entries::put_verdict};
  update.table = {sizeof(vkp_update_sink), &Entries::put_update};
  list.table = {sizeof(vkp_list_sink), &Entries::put_listed, &Entries::complete};
  findings.table = {sizeof(vkp_finding_sink), &Entries::put_finding};
}

class CallPass::Slots {
 public:
  // Never destroyed: threads of plugins may outlive everything else.
  static Slots& all() {
    static Slots* const slots = new Slots;
    return *slots;
  }

  Slot* take() {
    const MutexLock lock(mutex_);
    if (resting_.size() <= kResting) {
      return new Slot;  // is never freed, only comes back
    }
    Slot* slot = resting_.front();
    resting_.pop_front();
    return slot;
  }

  void give_back(Slot* slot) {
    const MutexLock lock(mutex_);
    resting_.push_back(slot);
  }

 private:
  static constexpr std::size_t kResting = 256;
  Mutex mutex_;
  std::deque<Slot*> resting_ VKHOST_GUARDED_BY(mutex_);
};

CallPass::CallPass(std::shared_ptr<Call> call, std::int64_t timeout_ms)
    : slot_(Slots::all().take()) {
  slot_->call.table.timeout_ms = timeout_ms;
  slot_->call.table.traceparent = as_text(call->traceparent());
  const MutexLock lock(slot_->mutex);
  slot_->what = call->what();
  slot_->log = call->log();
  slot_->told = false;
  slot_->bound = std::move(call);
}

CallPass::~CallPass() {
  std::shared_ptr<Call> call;
  {
    const MutexLock lock(slot_->mutex);
    call = slot_->bound;
  }
  call->close();
  call->sink().close();
  slot_->call.table.traceparent = {nullptr, 0};
  {
    const MutexLock lock(slot_->mutex);
    slot_->bound = nullptr;
  }
  Slots::all().give_back(slot_);
}

CallPointers CallPass::pointers() const {
  return {&slot_->call.table,   &slot_->text.table, &slot_->problems.table, &slot_->recover.table,
          &slot_->update.table, &slot_->list.table, &slot_->findings.table};
}

}  // namespace vkhost::plugin
