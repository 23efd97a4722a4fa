#include "plugin/host_table.hpp"

#include "base/json_text.hpp"
#include "plugin/abi_read.hpp"
#include "plugin/documents.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace vkhost::plugin {
namespace {

constexpr std::size_t kMaxHostUidBytes = 253;
// What no clock can count is more patience than anybody has.
constexpr std::int64_t kLongestGrace = std::int64_t{366} * 24 * 3600 * 1000;
constexpr std::size_t kMaxEventKeyBytes = 1024;
constexpr std::size_t kMaxFieldsBytes = 16 * 1024;
constexpr std::size_t kMaxAnnotationsBytes = 256 * 1024;

// A plugin's author may not think of it; an operator's log collector never forgets.
bool sounds_secret(std::string_view key) {
  constexpr std::array<std::string_view, 7> kWords = {
      "secret", "token", "password", "credential", "authorization", "apikey", "privatekey"};
  std::string plain;
  for (const char letter : key) {
    if (letter >= 'A' && letter <= 'Z') {
      plain += static_cast<char>(letter - 'A' + 'a');
    } else if (letter != '_' && letter != '-' && letter != '.') {
      plain += letter;
    }
  }
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

observe::Level read_level(std::int32_t level) {
  switch (level) {
    case VKP_LOG_TRACE:
      return observe::Level::Trace;
    case VKP_LOG_DEBUG:
      return observe::Level::Debug;
    case VKP_LOG_WARN:
      return observe::Level::Warn;
    case VKP_LOG_ERROR:
      return observe::Level::Error;
    default:
      return observe::Level::Info;
  }
}

// As conditions and events take it.
Status check_reason(std::string_view reason) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  const bool is_word = std::all_of(reason.begin(), reason.end(),
                                   [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
  return is_word && (reason.empty() || is_letter(reason.front()))
             ? Status::ok()
             : invalid_argument("the reason is not one word of letters and digits");
}

Result<Eviction> read_eviction(const vkp_evict_request* from) {
  const vkp_evict_request request = read_struct(from);
  Eviction eviction;
  VKHOST_TRY_ASSIGN(const std::string_view uid, read_text(request.uid, kMaxHostUidBytes));
  VKHOST_TRY_ASSIGN(const std::string_view reason, read_text(request.reason, VKP_MAX_REASON_BYTES));
  VKHOST_TRY(check_reason(reason));
  if (uid.empty()) {
    return not_found("no UID");
  }
  eviction.uid = uid;
  eviction.reason = reason;
  eviction.message = shown_text(request.message, VKP_MAX_MESSAGE_BYTES);
  if (VKHOST_ABI_HAS(request, grace_ms) && request.grace_ms != -1) {
    if (request.grace_ms < 0) {
      return invalid_argument("grace_ms is negative, and not -1");
    }
    eviction.grace = std::chrono::milliseconds{std::min(request.grace_ms, kLongestGrace)};
  }
  return eviction;
}

Result<ProviderEvent> read_event(const vkp_event* from) {
  const vkp_event raw = read_struct(from);
  ProviderEvent event;
  VKHOST_TRY_ASSIGN(const std::string_view uid, read_text(raw.pod_uid, kMaxHostUidBytes));
  VKHOST_TRY_ASSIGN(const std::string_view reason, read_text(raw.reason, VKP_MAX_REASON_BYTES));
  VKHOST_TRY_ASSIGN(const std::string_view key, read_text(raw.key, kMaxEventKeyBytes));
  VKHOST_TRY(check_reason(reason));
  if (reason.empty()) {
    return invalid_argument("an event needs a reason");
  }
  if (raw.occurred_unix_ns < 0) {
    return invalid_argument("an event cannot have occurred before 1970");
  }
  event.pod_uid = uid;
  event.reason = reason;
  event.message = shown_text(raw.message, VKP_MAX_MESSAGE_BYTES);
  event.key = key.empty() ? std::string() : "provider/" + std::string(key);  // not the host's own
  if (raw.occurred_unix_ns != 0) {
    event.occurred = WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::nanoseconds{raw.occurred_unix_ns}));
  }
  event.is_warning = raw.type != VKP_EVENT_NORMAL;
  return event;
}

observe::Fields read_fields(const vkp_log_entry& entry) {
  observe::Fields fields;
  if (entry.pod_uid.size > 0) {
    fields.push_back({"uid", shown_text(entry.pod_uid, kMaxHostUidBytes)});
  }
  if (entry.fields_json.size == 0) {
    return fields;
  }
  const Result<std::string_view> text = read_text(entry.fields_json, kMaxFieldsBytes);
  const auto parsed = text.is_ok() ? parse_log_fields(*text) : text.status();
  if (!parsed.is_ok()) {
    fields.push_back({"fields_error", parsed.status().message()});
    return fields;
  }
  for (const auto& [key, value] : *parsed) {
    fields.push_back({key, sounds_secret(key) ? "[redacted]" : value});
  }
  return fields;
}

// The tables live as long as the process and stay reachable for leak checkers.
HostTable& keep_for_ever(HostTable* table) {
  static Mutex* const mutex = new Mutex;
  static auto* const all = new std::vector<HostTable*>;
  const MutexLock lock(*mutex);
  all->push_back(table);
  return *table;
}

}  // namespace

// The functions behind the table. Nothing that the host does behind them may throw into a plugin.
struct HostTable::Entries {
  static HostTable* table_of(const vkp_host* host) {
    return host == nullptr ? nullptr : reinterpret_cast<const Handle*>(host)->self;
  }

  template <typename Work>
  static vkp_code fenced(const vkp_host* host, Work work) noexcept {
    HostTable* const table = table_of(host);
    if (table == nullptr) {
      return VKP_INVALID_ARGUMENT;
    }
    try {
      const Status status = work(*table);
      return static_cast<vkp_code>(status.code());
    } catch (const std::exception& error) {
      table->log_.error("the host failed inside a call of a plugin", {{"error", error.what()}});
      return VKP_INTERNAL;
    }
  }

  static void log(const vkp_host* host, const vkp_log_entry* entry) noexcept {
    static_cast<void>(fenced(host, [&](HostTable& table) {
      table.log(entry);
      return Status::ok();
    }));
  }

  static vkp_code pod_changed(const vkp_host* host, const vkp_pod_change* change) noexcept {
    return fenced(host, [&](HostTable& table) { return table.pod_changed(change); });
  }

  static vkp_code node_changed(const vkp_host* host) noexcept {
    return fenced(host, [&](HostTable& table) { return table.node_changed(); });
  }

  static vkp_code save_handle(const vkp_host* host,
                              const char* uid,
                              std::size_t uid_size,
                              const char* handle,
                              std::size_t handle_size) noexcept {
    return fenced(host, [&](HostTable& table) -> Status {
      VKHOST_TRY_ASSIGN(const std::string_view uid_text,
                        read_text(uid, uid_size, kMaxHostUidBytes));
      VKHOST_TRY_ASSIGN(const std::string_view handle_text,
                        read_text(handle, handle_size, VKP_MAX_HANDLE_BYTES));
      return table.save_handle(uid_text, handle_text);
    });
  }

  static vkp_code evict(const vkp_host* host, const vkp_evict_request* request) noexcept {
    return fenced(host, [&](HostTable& table) { return table.evict(request); });
  }

  static vkp_code emit(const vkp_host* host, const vkp_event* event) noexcept {
    return fenced(host, [&](HostTable& table) { return table.emit(event); });
  }

  static vkp_code register_metric(const vkp_host* host,
                                  const vkp_metric* metric,
                                  std::uint64_t* id) noexcept {
    return fenced(host, [&](HostTable& table) -> Status {
      VKHOST_TRY_ASSIGN(const std::uint64_t made, table.register_metric(metric));
      if (id == nullptr) {
        return invalid_argument("no place for the id");
      }
      *id = made;
      return Status::ok();
    });
  }

  static vkp_code record(const vkp_host* host,
                         std::uint64_t id,
                         const vkp_str* label_values,
                         std::size_t label_count,
                         double value) noexcept {
    return fenced(
        host, [&](HostTable& table) { return table.record(id, label_values, label_count, value); });
  }

  // One table for all instances: each function is given the host that it is called for. The answer
  // for an id never changes within a process.
  static const void* get_extension(const vkp_host* /*host*/,
                                   const char* id,
                                   std::size_t size) noexcept {
    static constexpr vkp_host_evict kEvict{sizeof(vkp_host_evict), &evict};
    static constexpr vkp_host_events kEvents{sizeof(vkp_host_events), &emit};
    static constexpr vkp_host_metrics kMetrics{sizeof(vkp_host_metrics), &register_metric, &record};
    struct Extension {
      std::string_view id;
      const void* table;
    };
    static constexpr std::array<Extension, 3> kExtensions{{{VKP_EXT_HOST_EVICT, &kEvict},
                                                           {VKP_EXT_HOST_EVENTS, &kEvents},
                                                           {VKP_EXT_HOST_METRICS, &kMetrics}}};
    const std::string_view wanted = id == nullptr ? std::string_view() : std::string_view(id, size);
    const auto found = std::find_if(kExtensions.begin(), kExtensions.end(),
                                    [&](const Extension& some) { return some.id == wanted; });
    return found == kExtensions.end() ? nullptr : found->table;
  }
};

HostTable::HostTable(observe::Logger log,
                     ProviderListener* listener,
                     std::vector<std::string> prefixes,
                     std::shared_ptr<LibraryMetrics> metrics)
    : handle_{{sizeof(vkp_host), &Entries::log, &Entries::pod_changed, &Entries::node_changed,
               &Entries::save_handle, &Entries::get_extension},
              this},
      log_(std::move(log)),
      listener_(listener),
      prefixes_(std::move(prefixes)),
      metrics_(std::move(metrics)),
      member_(metrics_ ? metrics_->join() : 0) {}

HostTable& HostTable::for_library(observe::Logger log, std::shared_ptr<LibraryMetrics> metrics) {
  return keep_for_ever(new HostTable(std::move(log), nullptr, {}, std::move(metrics)));
}

HostTable& HostTable::for_instance(observe::Logger log,
                                   ProviderListener& listener,
                                   std::vector<std::string> annotation_prefixes,
                                   std::shared_ptr<LibraryMetrics> metrics) {
  return keep_for_ever(
      new HostTable(std::move(log), &listener, std::move(annotation_prefixes), std::move(metrics)));
}

void HostTable::close() {
  gate_.close();
  if (metrics_) {
    metrics_->leave(member_);
  }
}

Status HostTable::enter(Gate::Pass& pass) {
  pass = gate_.enter();
  if (!pass) {
    if (late_calls_.fetch_add(1) == 0 && listener_ != nullptr) {
      log_.warn(
          "the plugin called the host after its instance had stopped; it was answered with "
          "CANCELLED");
    }
    return cancelled("the instance has stopped");
  }
  return Status::ok();
}

Status HostTable::enter_as_instance(Gate::Pass& pass) {
  return listener_ == nullptr ? cancelled("a library has no pods and no node") : enter(pass);
}

void HostTable::log(const vkp_log_entry* from) const {
  const vkp_log_entry entry = read_struct(from);
  const observe::Level level = read_level(VKHOST_ABI_HAS(entry, level) ? entry.level : -1);
  if (log_.accepts(level)) {
    log_.with(read_fields(entry)).log(level, shown_text(entry.message, VKP_MAX_MESSAGE_BYTES));
  }
}

Status HostTable::node_changed() {
  Gate::Pass pass;
  VKHOST_TRY(enter_as_instance(pass));
  return listener_->node_changed();
}

Status HostTable::save_handle(std::string_view uid, std::string_view handle) {
  Gate::Pass pass;
  VKHOST_TRY(enter_as_instance(pass));
  if (uid.empty()) {
    return not_found("no UID");
  }
  return listener_->save_handle(std::string(uid), std::string(handle));
}

Status HostTable::evict(const vkp_evict_request* request) {
  Gate::Pass pass;
  VKHOST_TRY(enter_as_instance(pass));
  Result<Eviction> read = read_eviction(request);
  if (!read.is_ok()) {
    log_.warn("an eviction that the plugin asked for was refused",
              {observe::error_field(read.status())});
    return read.status();
  }
  return listener_->evict(std::move(*read));
}

Status HostTable::emit(const vkp_event* event) {
  Gate::Pass pass;
  VKHOST_TRY(enter_as_instance(pass));
  Result<ProviderEvent> read = read_event(event);
  if (!read.is_ok()) {
    log_.warn("an event from the plugin was refused", {observe::error_field(read.status())});
    return read.status();
  }
  return listener_->emit(std::move(*read));
}

Result<std::uint64_t> HostTable::register_metric(const vkp_metric* metric) {
  Gate::Pass pass;
  VKHOST_TRY(enter(pass));
  if (!metrics_) {
    return unimplemented("there are no metrics here");
  }
  Result<std::uint64_t> id = metrics_->add(metric);
  if (!id.is_ok()) {
    log_.warn("a metric of the plugin was refused", {observe::error_field(id.status())});
  }
  return id;
}

Status HostTable::record(std::uint64_t id, const vkp_str* values, std::size_t count, double value) {
  Gate::Pass pass;
  VKHOST_TRY(enter(pass));
  if (!metrics_) {
    return unimplemented("there are no metrics here");
  }
  Status recorded = metrics_->record(member_, id, values, count, value);
  if (!recorded.is_ok() && !told_refused_record_.exchange(true)) {
    log_.warn("a value for a metric from the plugin was refused, as others may be that follow",
              {observe::error_field(recorded)});
  }
  return recorded;
}

Status HostTable::pod_changed(const vkp_pod_change* change) {
  Gate::Pass pass;
  VKHOST_TRY(enter_as_instance(pass));
  Result<PodChange> read = read_change(change);
  if (!read.is_ok()) {
    log_.warn("news of a pod from the plugin were refused", {observe::error_field(read.status())});
    return read.status();
  }
  return listener_->pod_changed(std::move(*read));
}

Result<PodChange> HostTable::read_change(const vkp_pod_change* from) const {
  const vkp_pod_change change = read_struct(from);
  PodChange read;
  const auto explain = [&](const char* part, const Status& status) {
    return invalid_argument("pod " + read.uid + ": " + part + ": " + status.message());
  };
  if (const auto uid = read_text(change.uid, kMaxHostUidBytes); !uid.is_ok() || uid->empty()) {
    return invalid_argument("its UID is empty, too long or not UTF-8");
  } else {
    read.uid = *uid;
  }
  read.seq = change.seq;
  read.gone = read_flag(change.gone);
  if (change.status_json.size > 0) {
    const auto text = read_text(change.status_json, VKP_MAX_STATUS_BYTES);
    const Status valid =
        text.is_ok() ? validate_json_object(*text, VKP_MAX_JSON_DEPTH) : text.status();
    if (!valid.is_ok()) {
      return explain("status", valid);
    }
    read.status_json = std::string(*text);
  }
  if (change.annotations_json.size > 0) {
    const auto text = read_text(change.annotations_json, kMaxAnnotationsBytes);
    auto annotations = text.is_ok() ? parse_annotations(*text, prefixes_) : text.status();
    if (!annotations.is_ok()) {
      return explain("annotations", annotations.status());
    }
    read.annotations = std::move(*annotations);
  }
  if (change.error != nullptr) {
    const vkp_error error = read_struct(change.error);
    read.error = read_failure(error.code == VKP_OK ? VKP_UNKNOWN : error.code, &error,
                              "the plugin reported a failure without a message");
  }
  return read;
}

}  // namespace vkhost::plugin
