// FakeHost and FakeCall: the host's side of the ABI for a plugin author's unit tests. They record
// what the provider says and answer as the test wishes; they refuse what the real host refuses only
// where a comment says so. Both must outlive the calls that use them. [any-thread]
#pragma once

#include <vkhost/provider.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace vkhost::sdk {

// A copy of a vkp_error.
struct RecordedError {
  RecordedError() = default;
  explicit RecordedError(const vkp_error& raw)
      : reason(view(raw.reason)),
        message(view(raw.message)),
        retry_after(raw.retry_after_ms),
        retry(static_cast<Retry>(raw.retry)),
        effect(static_cast<Effect>(raw.effect)),
        scope(static_cast<Scope>(raw.scope)),
        code(static_cast<Code>(raw.code)) {}

  std::string reason;
  std::string message;
  std::chrono::milliseconds retry_after{0};
  Retry retry = Retry::Backoff;
  Effect effect = Effect::Unknown;
  Scope scope = Scope::Pod;
  Code code = Code::Ok;
};

// The context of one call; the test cancels it. It has a timeout to tell but no clock: a deadline
// that passes is played by cancel().
class FakeCall {
 public:
  explicit FakeCall(std::chrono::milliseconds timeout = std::chrono::seconds(30)) {
    raw_.size = sizeof(vkp_call);
    raw_.timeout_ms = timeout.count();
    raw_.fail = [](const vkp_call* raw, const vkp_error* error) { self(raw).record(*error); };
    raw_.cancelled = [](const vkp_call* raw) { return self(raw).is_cancelled(); };
    raw_.on_cancel = [](const vkp_call* raw, void (*fn)(void*), void* user) {
      return self(raw).add(fn, user);
    };
    raw_.off_cancel = [](const vkp_call* raw, std::uint64_t id) { self(raw).remove(id); };
    raw_.owner = this;
  }
  FakeCall(const FakeCall&) = delete;
  FakeCall& operator=(const FakeCall&) = delete;

  [[nodiscard]] const vkp_call* raw() const { return &raw_; }

  // Runs the registered functions on this thread, each once.
  void cancel() {
    std::unique_lock<std::mutex> lock(mutex_);
    cancelled_ = true;
    while (!callbacks_.empty()) {
      const auto [id, callback] = *callbacks_.begin();
      callbacks_.erase(callbacks_.begin());
      running_ = id;
      lock.unlock();
      callback.first(callback.second);
      lock.lock();
      running_ = 0;
      changed_.notify_all();
    }
  }

  [[nodiscard]] bool is_cancelled() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return cancelled_;
  }
  // The details that came with the failure.
  [[nodiscard]] std::optional<RecordedError> error() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }
  // Functions that wait for a cancel right now.
  [[nodiscard]] std::size_t registrations() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return callbacks_.size();
  }
  // Waits until somebody waits for the cancel; false after ten seconds.
  [[nodiscard]] bool wait_for_registration() {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [this] { return !callbacks_.empty(); });
  }

 private:
  struct Raw : vkp_call {
    FakeCall* owner;
  };
  static FakeCall& self(const vkp_call* raw) { return *static_cast<const Raw*>(raw)->owner; }

  void record(const vkp_error& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_.emplace(error);
  }
  std::uint64_t add(void (*fn)(void*), void* user) {
    const std::unique_lock<std::mutex> lock(mutex_);
    const std::uint64_t id = ++last_id_;
    if (cancelled_) {
      fn(user);
    } else {
      callbacks_.emplace(id, std::make_pair(fn, user));
      changed_.notify_all();
    }
    return id;
  }
  void remove(std::uint64_t id) {
    std::unique_lock<std::mutex> lock(mutex_);
    callbacks_.erase(id);
    changed_.wait(lock, [&] { return running_ != id; });
  }

  Raw raw_{};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::pair<void (*)(void*), void*>> callbacks_;
  std::optional<RecordedError> error_;
  std::uint64_t last_id_ = 0;
  std::uint64_t running_ = 0;
  bool cancelled_ = false;
};

// What an instance (or the library) has said to its host.
class FakeHost {
 public:
  struct Push {
    std::string uid;
    std::uint64_t seq = 0;
    std::string status_json;
    std::string annotations_json;
    std::optional<RecordedError> error;
    bool gone = false;
  };
  struct LogLine {
    LogLevel level = LogLevel::Info;
    std::string message;
    std::string pod_uid;
    std::string fields_json;
  };

  FakeHost() {
    raw_.size = sizeof(vkp_host);
    raw_.log = [](const vkp_host* raw, const vkp_log_entry* entry) { self(raw).add(*entry); };
    raw_.pod_changed = [](const vkp_host* raw, const vkp_pod_change* change) {
      return self(raw).add(*change);
    };
    raw_.node_changed = [](const vkp_host* raw) { return self(raw).count_node_change(); };
    raw_.save_handle = [](const vkp_host* raw, const char* uid, std::size_t uid_size,
                          const char* handle, std::size_t handle_size) {
      return self(raw).save(view(uid, uid_size), view(handle, handle_size));
    };
    raw_.get_extension = [](const vkp_host* raw, const char* id, std::size_t size) {
      return self(raw).find_extension(view(id, size));
    };
    raw_.owner = this;
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  [[nodiscard]] const vkp_host* raw() const { return &raw_; }

  // ---- What the test sets ----

  void answer_pushes(Code code) { set(push_answer_, code); }
  void answer_handles(Code code) { set(handle_answer_, code); }
  // `table` must outlive the host.
  void offer(std::string id, const void* table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    extensions_[std::move(id)] = table;
  }

  // ---- What the provider did ----

  [[nodiscard]] std::vector<Push> pushes() const { return copy(pushes_); }
  [[nodiscard]] std::vector<LogLine> logs() const { return copy(logs_); }
  [[nodiscard]] std::map<std::string, std::string> handles() const { return copy(handles_); }
  [[nodiscard]] std::size_t node_changes() const { return copy(node_changes_); }

  // The first push that `wanted` accepts, also one that came before; none after `at_most`.
  template <class Predicate>
  [[nodiscard]] std::optional<Push> wait_for_push(
      const Predicate& wanted, std::chrono::milliseconds at_most = std::chrono::seconds(10)) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::size_t seen = 0;
    std::optional<Push> found;
    const auto look = [&] {
      for (; seen < pushes_.size() && !found; ++seen) {
        if (wanted(pushes_[seen])) {
          found = pushes_[seen];
        }
      }
      return found.has_value();
    };
    changed_.wait_for(lock, at_most, look);
    return found;
  }
  void forget_pushes() {
    const std::lock_guard<std::mutex> lock(mutex_);
    pushes_.clear();
  }

 private:
  struct Raw : vkp_host {
    FakeHost* owner;
  };
  static FakeHost& self(const vkp_host* raw) { return *static_cast<const Raw*>(raw)->owner; }

  template <class Value>
  Value copy(const Value& value) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value;
  }
  void set(vkp_code& answer, Code code) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answer = static_cast<vkp_code>(code);
  }

  void add(const vkp_log_entry& entry) {
    const std::lock_guard<std::mutex> lock(mutex_);
    logs_.push_back({static_cast<LogLevel>(entry.level), std::string(view(entry.message)),
                     std::string(view(entry.pod_uid)), std::string(view(entry.fields_json))});
  }
  vkp_code add(const vkp_pod_change& change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Push push;
    push.uid = view(change.uid);
    push.seq = change.seq;
    push.status_json = view(change.status_json);
    push.annotations_json = view(change.annotations_json);
    if (change.error != nullptr) {
      push.error.emplace(*change.error);
    }
    push.gone = change.gone;
    pushes_.push_back(std::move(push));
    changed_.notify_all();
    return push_answer_;
  }
  vkp_code count_node_change() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++node_changes_;
    return VKP_OK;
  }
  vkp_code save(std::string_view uid, std::string_view handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (handle.size() > VKP_MAX_HANDLE_BYTES) {
      return VKP_INVALID_ARGUMENT;
    }
    if (handle_answer_ == VKP_OK) {
      handles_[std::string(uid)] = handle;
    }
    return handle_answer_;
  }
  const void* find_extension(std::string_view id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = extensions_.find(std::string(id));
    return found == extensions_.end() ? nullptr : found->second;
  }

  Raw raw_{};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Push> pushes_;
  std::vector<LogLine> logs_;
  std::map<std::string, std::string> handles_;
  std::map<std::string, const void*> extensions_;
  std::size_t node_changes_ = 0;
  vkp_code push_answer_ = VKP_OK;
  vkp_code handle_answer_ = VKP_OK;
};

}  // namespace vkhost::sdk
