#include "kube/single_watch.hpp"

#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"
#include "kube/paths.hpp"
#include "kube/watch_event.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A watch that lasted so long was worth having, even if nothing happened.
constexpr seconds kWorthwhile{5};
// Then others have their turn.
constexpr int kEventsAtOnce = 64;
// The node authoriser needs a moment to hear of a new pod: not worth a warning.
constexpr std::uint32_t kRefusalsInPassing = 2;
// Begins with the present state, from the API server's memory.
constexpr std::string_view kAnyVersion = "0";

// Names in references may hold anything, and a comma would begin another condition.
std::string selector_of(std::string_view name) {
  std::string selector = "metadata.name=";
  for (const char c : name) {
    if (c == '\\' || c == ',' || c == '=') {
      selector += '\\';
    }
    selector += c;
  }
  return selector;
}

milliseconds part_of(milliseconds whole, double part) {
  return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(whole.count()) * part));
}

}  // namespace

SingleWatch::SingleWatch(SingleWatchSettings settings, Parts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {
  if (parts_.metrics != nullptr) {
    metrics_.emplace(*parts_.metrics, settings_.collection_path);
  }
  if (is_resource_version(settings_.known_version)) {
    state_ = State::Present;
    newest_ = settings_.known_version;
    expect_next_look();
  }
}

bool SingleWatch::may_watch() {
  if (parts_.clock->steady_now() < no_watch_before_) {
    return false;
  }
  if (!has_place_) {
    has_place_ = parts_.group.take_place();
  }
  return has_place_;
}

void SingleWatch::give_back_place() {
  if (std::exchange(has_place_, false)) {
    parts_.group.give_back_place();
  }
}

void SingleWatch::left() {
  is_live_.store(false);
  give_back_place();
}

// The watch begins before the read, so that nothing falls between them; what it then brings of the time
// before is recognised by its version.
NextTurn SingleWatch::open(const CancelToken& cancel) {
  is_live_.store(false);
  if (!may_watch()) {
    return poll(cancel);
  }
  auto stream = open_watch(cancel);
  if (!stream.is_ok()) {
    return not_watched(stream.status(), cancel);
  }
  refusals_ = 0;
  if (must_look_ || state_ == State::Unknown) {
    const Status looked = look(cancel);
    if (!looked.is_ok()) {
      return after(looked);
    }
    if (is_immutable_) {
      return rest();
    }
    is_confirmed_ = true;
  }
  return {NextTurn::Does::Follow, {}, std::move(*stream)};
}

Result<std::unique_ptr<WatchStream>> SingleWatch::open_watch(const CancelToken& cancel) {
  const auto spread =
      static_cast<double>((settings_.longest_watch - settings_.shortest_watch).count());
  const seconds timeout =
      settings_.shortest_watch + seconds(static_cast<std::int64_t>(spread * parts_.random->next()));
  const bool begins_anew = version_.empty();
  const Query query = {{"allowWatchBookmarks", "true"},
                       {"resourceVersion", begins_anew ? std::string(kAnyVersion) : version_},
                       {"timeoutSeconds", std::to_string(timeout.count())},
                       {"fieldSelector", selector_of(settings_.name)}};
  CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, settings_.request_timeout);
  options.cancel = cancel;
  VKHOST_TRY_ASSIGN(auto stream, parts_.client.watch(settings_.collection_path, query, options));
  if (metrics_) {
    metrics_->opened();
  }
  opened_ = parts_.clock->steady_now();
  heard_ = opened_;
  server_end_ = opened_ + timeout;
  bookmarks_come_ = false;
  version_before_ = version_;
  // Of an object that was gone, no news is good news; one that was there is shown at once.
  is_confirmed_ = !begins_anew || state_ == State::Gone;
  return stream;
}

NextTurn SingleWatch::not_watched(const Status& failure, const CancelToken& cancel) {
  if (failure.code() == StatusCode::Cancelled) {
    return {};  // nothing follows
  }
  if (failure.code() == StatusCode::PermissionDenied) {
    give_back_place();
    version_.clear();
    ++refusals_;
    no_watch_before_ = parts_.clock->steady_now() +
                       backoff_delay(settings_.refused_backoff, refusals_, *parts_.random);
    if (refusals_ > kRefusalsInPassing) {
      parts_.group.note_refusal(settings_.collection_path, failure);
    }
    return poll(cancel);
  }
  if (look_is_due()) {
    const Status looked = look(cancel);
    if (looked.is_ok() && is_immutable_) {
      return rest();
    }
  }
  return after(failure);
}

bool SingleWatch::look_is_due() const {
  return must_look_ || state_ == State::Unknown || parts_.clock->steady_now() >= next_look_;
}

void SingleWatch::expect_next_look() {
  next_look_ =
      parts_.clock->steady_now() + part_of(settings_.poll_interval, 1 - parts_.random->next() / 3);
}

NextTurn SingleWatch::poll(const CancelToken& cancel) {
  if (look_is_due()) {
    const Status looked = look(cancel);
    if (!looked.is_ok()) {
      return after(looked);
    }
    if (is_immutable_) {
      return rest();
    }
  }
  failures_ = 0;
  const bool is_refused = parts_.clock->steady_now() < no_watch_before_;
  return {
      NextTurn::Does::Open, is_refused ? std::min(next_look_, no_watch_before_) : next_look_, {}};
}

// What a read says counts, however its version compares: it may be that of a store restored from a backup.
Status SingleWatch::look(const CancelToken& cancel) {
  CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, settings_.request_timeout);
  options.cancel = cancel;
  options.once = true;  // repeated by this watch, with more patience
  const auto body = parts_.client.get(
      settings_.collection_path + "/" + path_segment(settings_.name), {}, options);
  if (body.is_ok() && is_usable(*body)) {
    take_state(*body);
  } else if (body.is_ok()) {
    return unavailable("the answer is not the object that was asked for");
  } else if (body.status().code() == StatusCode::NotFound) {
    take_deletion({});
  } else {
    return body.status();
  }
  must_look_ = false;
  expect_next_look();
  return Status::ok();
}

NextTurn SingleWatch::follow(WatchStream& stream) {
  for (int taken = 0; taken < kEventsAtOnce; ++taken) {
    auto line = stream.try_next();
    if (!line.is_ok()) {
      return ended(line.status());
    }
    if (!*line) {
      if (parts_.clock->steady_now() >= patience_ends()) {
        return out_of_patience();
      }
      is_live_.store(is_confirmed_);
      return {NextTurn::Does::Follow, patience_ends(), {}};
    }
    if ((*line)->empty()) {
      return ended(Status::ok());
    }
    heard_ = parts_.clock->steady_now();
    const Status status = take_event(**line);
    if (!status.is_ok()) {
      return ended(status);
    }
    if (is_immutable_) {
      return rest();
    }
  }
  return {NextTurn::Does::Follow, SteadyTime::min(), {}};
}

Status SingleWatch::take_event(std::string_view line) {
  VKHOST_TRY_ASSIGN(const WatchEvent event, read_watch_event(line));
  const std::string_view version = resource_version_of(event.object);
  if (event.type == "BOOKMARK") {
    bookmarks_come_ = true;
  } else if (name_of_object(event.object) != settings_.name) {
    return Status::ok();  // of a server that ignores the selector
  } else if (event.type == "DELETED") {
    if (!is_earlier_version(version, newest_)) {
      is_confirmed_ = true;
      take_deletion(version);
    }
  } else if (event.type == "ADDED" || event.type == "MODIFIED") {
    is_confirmed_ = is_confirmed_ || !is_earlier_version(version, newest_);
    if (!is_past(version)) {
      is_confirmed_ = is_usable(event.object);
      if (is_confirmed_) {
        take_state(event.object);
      }
    }
  }
  if (metrics_ && event.type != "BOOKMARK") {
    metrics_->brought_event();
  }
  if (is_resource_version(version)) {
    version_ = version;
  }
  return Status::ok();
}

// Older than what a read has brought, or the same.
bool SingleWatch::is_past(std::string_view version) const {
  return !newest_.empty() && (version == newest_ || is_earlier_version(version, newest_));
}

bool SingleWatch::is_usable(std::string_view object) const {
  const auto root = read_json(object);
  const Status status = root.is_ok() ? as_object(*root, "the object").status() : root.status();
  if (!status.is_ok()) {
    parts_.log.error("An object of the API server can't be read and is left as it was",
                     {{"path", settings_.collection_path},
                      {"object", settings_.name},
                      observe::error_field(status)});
  }
  return status.is_ok() && name_of_object(object) == settings_.name;
}

void SingleWatch::take_state(std::string_view object) {
  const std::string_view version = resource_version_of(object);
  const bool is_known = state_ == State::Present && !newest_.empty() && version == newest_;
  is_immutable_ = find_member(object, "immutable") == "true";
  state_ = State::Present;
  newest_ = version;
  if (!is_known) {
    parts_.listener.object_changed(std::string(object));
  }
}

void SingleWatch::take_deletion(std::string_view version) {
  const bool is_known = state_ == State::Gone;
  state_ = State::Gone;
  newest_ = version;
  if (!is_known) {
    parts_.listener.object_gone();
  }
}

SteadyTime SingleWatch::patience_ends() const {
  SteadyTime end = server_end_ + settings_.end_grace;
  if (bookmarks_come_) {
    end = std::min(end, heard_ + settings_.bookmark_patience);
  }
  return is_confirmed_ ? end : std::min(end, opened_ + settings_.confirm_patience);
}

NextTurn SingleWatch::out_of_patience() {
  is_live_.store(false);
  if (!is_confirmed_) {
    must_look_ = true;
    return {};  // at once
  }
  return ended(unavailable("the watch has stalled: neither events nor bookmarks nor its end"));
}

// OK: by the server, as it should.
NextTurn SingleWatch::ended(Status status) {
  is_live_.store(false);
  const bool was_worthwhile =
      version_ != version_before_ || parts_.clock->steady_now() - opened_ >= kWorthwhile;
  if (was_worthwhile) {
    failures_ = 0;
  }
  if (status.is_ok()) {
    if (was_worthwhile) {
      return {};
    }
    status = unavailable("the server ended the watch as soon as it was open");
  }
  return after(status);
}

NextTurn SingleWatch::after(const Status& failure) {
  if (failure.code() == StatusCode::Cancelled) {
    return {};  // nothing follows
  }
  ++failures_;
  if (metrics_) {
    metrics_->restarted(failure.code());
  }
  if (is_version_lost(failure)) {
    version_.clear();
    must_look_ = true;
  }
  BackoffLimits limits = settings_.backoff;
  if (failure.code() == StatusCode::PermissionDenied) {
    limits = {settings_.refused_backoff.first, settings_.poll_interval};
  }
  const SteadyTime now = parts_.clock->steady_now();
  milliseconds delay = failures_ == 1 ? part_of(settings_.spread, parts_.random->next())
                                      : backoff_delay(limits, failures_ - 1, *parts_.random);
  if (next_look_ > now) {
    delay = std::min(delay, std::chrono::ceil<milliseconds>(next_look_ - now));
  }
  if (failure.retry() == Retry::After) {
    delay = std::max(delay, failure.retry_after());
  }
  // Many watches break off together, and those of the nodes' pods say so.
  parts_.log.debug("An object can't be followed for now",
                   {{"path", settings_.collection_path},
                    {"object", settings_.name},
                    {"delay_ms", std::to_string(delay.count())},
                    observe::error_field(failure)});
  return {NextTurn::Does::Open, now + delay, {}};
}

NextTurn SingleWatch::rest() {
  is_live_.store(false);
  give_back_place();
  return {NextTurn::Does::Open, SteadyTime::max(), {}};
}

}  // namespace vkhost::kube
