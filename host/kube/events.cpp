#include "kube/events.hpp"

#include "base/json_text.hpp"
#include "kube/paths.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace vkhost::kube {
namespace {

constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::size_t kMaxReasonBytes = 128;
constexpr std::size_t kMaxDetailBytes = 256;
constexpr std::size_t kMaxNameBytes = 253;

// At most `limit` bytes, never half a character, with a mark that something is missing.
std::string cut_text(std::string_view text, std::size_t limit) {
  constexpr std::string_view kMark = "…";
  if (text.size() <= limit) {
    return std::string(text);
  }
  std::size_t size = limit - kMark.size();
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    --size;
  }
  return std::string(text.substr(0, size)) + std::string(kMark);
}

std::string whole_message(const Event& event) {
  return cut_text(event.message, kMaxMessageBytes - event.detail.size()) + event.detail;
}

// Events about objects without a namespace live in "default".
std::string namespace_of(const EventTarget& about) {
  return about.object_namespace.empty() ? "default" : about.object_namespace;
}

std::string memory_key(const Event& event) {
  std::string key = event.about.uid.empty() ? event.about.name : event.about.uid;
  for (const std::string* part :
       {&event.node_name, &event.reason, &event.about.field_path, &event.message}) {
    key += '\0';
    key += *part;
  }
  key += event.severity == EventSeverity::Warning ? 'w' : 'n';
  return key;
}

// FNV-1a: the same in every build, since names outlive the process.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

std::string event_name(const EventTarget& about, std::uint64_t suffix) {
  std::array<char, 20> hex{};
  const int length =
      std::snprintf(hex.data(), hex.size(), ".%016llx", static_cast<unsigned long long>(suffix));
  const auto size = static_cast<std::size_t>(length);
  std::string name = about.name.substr(0, kMaxNameBytes - size);
  name.erase(name.find_last_not_of(".-") + 1);  // a label of a DNS name does not end so
  return name + std::string(hex.data(), size);
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  if (out.back() != '{') {
    out += ',';
  }
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
}

std::string event_json(const Event& event,
                       const std::string& name,
                       const std::string& component,
                       const std::string& now) {
  const EventTarget& about = event.about;
  std::string out = R"({"apiVersion":"v1","kind":"Event","metadata":{)";
  append_text(out, "name", name);
  append_text(out, "namespace", namespace_of(about));
  out += R"(},"involvedObject":{)";
  append_text(out, "kind", about.kind);
  append_text(out, "apiVersion", about.api_version);
  append_text(out, "namespace", about.object_namespace);
  append_text(out, "name", about.name);
  append_text(out, "uid", about.uid);
  append_text(out, "resourceVersion", about.resource_version);
  if (!about.field_path.empty()) {
    append_text(out, "fieldPath", about.field_path);
  }
  out += R"(},"source":{)";
  append_text(out, "component", component);
  append_text(out, "host", event.node_name);
  out += R"(},"count":1)";
  append_text(out, "type", event.severity == EventSeverity::Warning ? "Warning" : "Normal");
  append_text(out, "reason", event.reason);
  append_text(out, "message", whole_message(event));
  append_text(out, "firstTimestamp", now);
  append_text(out, "lastTimestamp", now);
  append_text(out, "reportingComponent", component);
  append_text(out, "reportingInstance", event.node_name);
  out += '}';
  return out;
}

// Worth another try: the event itself was not the trouble.
bool is_passing(const Status& status) {
  switch (status.code()) {
    case StatusCode::Unavailable:
    case StatusCode::DeadlineExceeded:
    case StatusCode::ResourceExhausted:
    case StatusCode::Unauthenticated:
    case StatusCode::Aborted:
      return true;
    default:
      return false;
  }
}

}  // namespace

EventWriter::EventWriter(EventWriterSettings settings, Parts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)), limiter_(settings_.per_object) {}

EventWriter::~EventWriter() { stop(Deadline::at(SteadyTime{})); }

void EventWriter::start() {
  {
    const MutexLock lock(mutex_);
    has_ended_ = false;
  }
  thread_ = Thread("events", [this] { run(); });
}

void EventWriter::stop(Deadline flush_until) {
  closing_.cancel();
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    changed_.notify_all();
    while (!has_ended_) {
      if (!changed_.wait_until(mutex_, flush_until.when())) {
        break;
      }
    }
  }
  cancel_.cancel();
  thread_.join();
}

EventStats EventWriter::stats() const {
  const MutexLock lock(mutex_);
  return stats_;
}

bool EventWriter::is_closing() const { return closing_.is_cancelled(); }

void EventWriter::post(Event event) {
  event.message = cut_text(event.message, kMaxMessageBytes);
  event.reason = cut_text(event.reason, kMaxReasonBytes);
  event.detail = cut_text(event.detail, kMaxDetailBytes);
  if (!event.occurred) {
    event.occurred = parts_.clock->wall_now();
  }
  const bool is_normal = event.severity == EventSeverity::Normal;
  const std::string& object = event.about.uid.empty() ? event.about.name : event.about.uid;
  const MutexLock lock(mutex_);
  const bool is_full = warnings_.size() + normals_.size() >= settings_.queue_limit;
  const bool makes_room = is_full && !is_normal && !normals_.empty();
  if (is_stopped_ || (is_full && !makes_room) || (is_normal && normals_.size() >= normal_limit())) {
    ++stats_.dropped_queue_full;
    return;
  }
  if (!limiter_.allow(object, parts_.clock->steady_now())) {
    ++stats_.dropped_rate;
    return;
  }
  if (makes_room) {
    normals_.pop_back();
    ++stats_.dropped_queue_full;
  }
  (is_normal ? normals_ : warnings_).push_back({std::move(event), parts_.clock->steady_now()});
  normal_count_ = normals_.size();
  changed_.notify_all();
}

bool EventWriter::take(Event& event) {
  // A look at whoever is busy costs nothing.
  constexpr std::chrono::milliseconds kLookAgain{50};
  const MutexLock lock(mutex_);
  while (warnings_.empty() && (normals_.empty() || (!is_stopped_ && is_held()))) {
    if (normals_.empty() && is_stopped_) {
      return false;
    }
    if (normals_.empty()) {
      changed_.wait(mutex_);
    } else {
      changed_.wait_until(mutex_, parts_.clock->steady_now() + kLookAgain);
    }
  }
  std::deque<Waiting>& queue = warnings_.empty() ? normals_ : warnings_;
  if (&queue == &normals_) {
    last_normal_ = parts_.clock->steady_now();
  }
  event = std::move(queue.front().event);
  queue.pop_front();
  normal_count_ = normals_.size();
  return true;
}

// Whether the oldest Normal Event has to wait still.
bool EventWriter::is_held() const {
  if (!parts_.is_busy || !parts_.is_busy()) {
    return false;
  }
  const SteadyTime now = parts_.clock->steady_now();
  return now < normals_.front().since + settings_.normal_patience ||
         now < last_normal_ + settings_.normal_turn;
}

void EventWriter::run() {
  Event event;
  while (!cancel_.is_cancelled() && take(event)) {
    write(event);
  }
  const MutexLock lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

void EventWriter::write(const Event& event) {
  // One name for all tries: when the outcome of one is unknown, the next finds it there.
  std::uint64_t suffix = 0;
  if (event.key.empty()) {
    const auto now =
        static_cast<std::uint64_t>(parts_.clock->wall_now().time_since_epoch().count());
    suffix = last_name_ = std::max(last_name_ + 1, now);
  } else {
    suffix = stable_hash(event.about.uid + '\0' + event.key);
  }
  const std::string name = event_name(event.about, suffix);
  Status status;
  for (std::uint32_t tries = 1;; ++tries) {
    status = write_once(event, name);
    if (status.is_ok() || !is_passing(status) || tries >= settings_.max_tries || is_closing()) {
      break;
    }
    const auto delay = std::max(
        backoff_delay(settings_.backoff, tries, *parts_.random),
        status.retry() == Retry::After ? status.retry_after() : std::chrono::milliseconds{0});
    // Cut short by closing: one last try then.
    static_cast<void>(closing_.token().wait_for(delay));
  }
  if (!status.is_ok()) {
    parts_.log.warn("An Event could not be written and is dropped",
                    {{"object", event.about.kind + " " + event.about.name},
                     {"uid", event.about.uid},
                     {"reason", event.reason},
                     observe::error_field(status)});
    const MutexLock lock(mutex_);
    ++stats_.failed;
  }
}

Status EventWriter::write_once(const Event& event, const std::string& name) {
  CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, settings_.request_timeout);
  options.cancel = cancel_.token();
  options.lane = Lane::Events;
  options.repeatable = true;  // it has a name, and AlreadyExists is taken for done
  const SteadyTime now = parts_.clock->steady_now();
  const std::string time = format_time(event.occurred.value_or(parts_.clock->wall_now()));
  const std::string where = namespace_of(event.about);
  const std::string key = memory_key(event);
  if (event.key.empty()) {
    if (WrittenEvent* known = written_.find(key, now)) {
      const std::string body =
          "{\"count\":" + std::to_string(known->count + 1) + ",\"lastTimestamp\":\"" + time + "\"" +
          (event.detail.empty() ? "" : ",\"message\":" + json_string(whole_message(event))) + "}";
      const Status status =
          parts_.client.patch(event_path(where, known->name), PatchType::Merge, body, options)
              .status();
      if (status.is_ok()) {
        ++known->count;
        known->last = now;
        const MutexLock lock(mutex_);
        ++stats_.counted_up;
        return status;
      }
      if (status.code() != StatusCode::NotFound) {
        return status;
      }
      written_.forget(key);  // expired in the API server: a new one
    }
  }
  Status status =
      parts_.client
          .create(events_path(where), event_json(event, name, settings_.component, time), options)
          .status();
  if (status.is_ok() || status.code() == StatusCode::AlreadyExists) {
    if (event.key.empty()) {
      written_.remember(key, {name, 1, now});
    }
    const MutexLock lock(mutex_);
    stats_.created += status.is_ok() ? 1U : 0U;
    return Status::ok();
  }
  return status;
}

}  // namespace vkhost::kube
