// Lists are made without a resourceVersion, hence consistent: a list from a lagging API server's
// memory could bring back pods that are gone, and they would run once more. A watch that begins with
// its list is as consistent at the bookmark that ends the list, not before: until then, changes of
// what was listed may follow.
#include "kube/list_watch.hpp"

#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"
#include "kube/watch_event.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A watch that lasted so long was worth having, even if nothing happened.
constexpr seconds kWorthwhile{5};
// Listing again from the start because a page expired, before doing it in one piece.
constexpr int kPagedListings = 3;
// Streamed lists that break off before one is made in pages, which gets through in smaller portions.
constexpr int kBrokenStreams = 3;
// Then others have their turn.
constexpr int kEventsAtOnce = 64;

Status read_list_metadata(std::string_view metadata,
                          std::string& version,
                          std::string& continue_token) {
  VKHOST_TRY_ASSIGN(const auto root, read_json(metadata));
  VKHOST_TRY_ASSIGN(const auto object, as_object(root, "metadata"));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(object, "metadata.", {"resourceVersion", "continue"}, found));
  VKHOST_TRY(read_string(found[0], "metadata.resourceVersion", version));
  return read_string(found[1], "metadata.continue", continue_token);
}

// The API server won't begin a watch with the list, now or ever.
bool is_no_offer(const Status& failure) {
  return failure.code() == StatusCode::InvalidArgument ||
         failure.code() == StatusCode::PermissionDenied ||
         failure.code() == StatusCode::DeadlineExceeded;
}

bool ends_list(std::string_view bookmark) {
  const std::string_view annotations =
      find_member(find_member(bookmark, "metadata"), "annotations");
  return plain_string(find_member(annotations, "k8s.io/initial-events-end")) == "true";
}

Status unclear_deletion() {
  return Status(StatusCode::OutOfRange, "a deletion that can't be read");
}

}  // namespace

ListWatch::ListWatch(ListWatchSettings settings, Parts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {
  if (parts_.metrics != nullptr) {
    metrics_.emplace(*parts_.metrics, settings_.path);
  }
}

ListWatchStats ListWatch::stats() const {
  return {lists_.load(), watches_.load(), reconnects_.load(), events_.load(), is_connected_.load()};
}

milliseconds ListWatch::delay_after(const Status& failure, std::uint32_t failures) {
  const BackoffLimits& limits = failure.code() == StatusCode::PermissionDenied
                                    ? settings_.forbidden_backoff
                                    : settings_.backoff;
  const milliseconds backoff =
      failures <= 1 ? milliseconds{0} : backoff_delay(limits, failures - 1, *parts_.random);
  return failure.retry() == Retry::After ? std::max(failure.retry_after(), backoff) : backoff;
}

bool ListWatch::may_stream() const {
  return settings_.stream_lists && broken_streams_ < kBrokenStreams &&
         parts_.clock->steady_now() >= no_streams_before_;
}

NextTurn ListWatch::open(const CancelToken& cancel) {
  if (version_.empty() && !may_stream()) {
    const Status listed = list_all(cancel);
    if (!listed.is_ok()) {
      return after(listed, Asked::ListInPages, Progress::None);
    }
    note_success(true);  // which proves nothing for the watch behind it
  }
  auto stream = open_watch(cancel);
  if (!stream.is_ok()) {
    return after(stream.status(), Asked::Watch, Progress::None);
  }
  return {NextTurn::Does::Follow, {}, std::move(*stream)};
}

NextTurn ListWatch::follow(WatchStream& stream) {
  is_connected_.store(!is_listing_);
  Status late = is_listing_ ? overdue() : Status::ok();  // events alone don't make a list
  for (int taken = 0; taken < kEventsAtOnce && late.is_ok(); ++taken) {
    auto line = stream.try_next();
    if (!line.is_ok()) {
      return ended(line.status());
    }
    if (!*line) {
      late = overdue();
      if (late.is_ok()) {
        return {NextTurn::Does::Follow, patience_ends(), {}};
      }
      break;
    }
    if ((*line)->empty()) {
      return ended(is_listing_
                       ? unavailable("the server ended the watch before the list was complete")
                       : Status::ok());
    }
    heard_ = parts_.clock->steady_now();
    const Status status = is_listing_ ? take_listed(**line) : take_event(**line);
    if (!status.is_ok()) {
      return ended(status);
    }
  }
  return late.is_ok() ? NextTurn{NextTurn::Does::Follow, SteadyTime::min(), {}} : ended(late);
}

SteadyTime ListWatch::patience_ends() const {
  if (is_listing_) {
    return std::min(heard_ + settings_.stream_patience, opened_ + settings_.stream_limit);
  }
  const SteadyTime end = server_end_ + settings_.end_grace;
  return bookmarks_come_ ? std::min(end, heard_ + settings_.bookmark_patience) : end;
}

Status ListWatch::overdue() const {
  if (parts_.clock->steady_now() < patience_ends()) {
    return Status::ok();
  }
  return is_listing_
             ? deadline_exceeded("the watch does not come to the end of the list")
             : unavailable("the watch has stalled: neither events nor bookmarks nor its end");
}

// OK: by the server, as it should.
NextTurn ListWatch::ended(Status status) {
  is_connected_.store(false);
  const bool was_worthwhile = !is_listing_ && (version_ != version_before_ ||
                                               parts_.clock->steady_now() - opened_ >= kWorthwhile);
  if (status.is_ok() && !was_worthwhile) {
    // A server or proxy that ends every watch at once must not be asked again in a tight loop.
    status = unavailable("the server ended the watch as soon as it was open");
  }
  if (!status.is_ok()) {
    return after(status, Asked::Watch, was_worthwhile ? Progress::Some : Progress::None);
  }
  failures_ = 0;
  note_success(false);
  return {};
}

NextTurn ListWatch::after(const Status& failure, Asked asked, Progress progress) {
  if (failure.code() == StatusCode::Cancelled) {
    return {};  // nothing follows
  }
  const bool is_list = version_.empty();
  if (is_list && asked == Asked::Watch) {
    note_broken_stream(failure);
    if (is_no_offer(failure)) {
      return {};  // at once, in pages
    }
  }
  failures_ = progress == Progress::Some ? 1 : failures_ + 1;
  // The client has repeated a failed list several times before it said so: no immediate one.
  const milliseconds delay =
      delay_after(failure, asked == Asked::ListInPages ? failures_ + 1 : failures_);
  reconnects_.fetch_add(1);
  if (metrics_) {
    metrics_->restarted(failure.code());
  }
  if (is_version_lost(failure)) {
    version_.clear();
  }
  report(failure, is_list, failures_, delay);
  return {NextTurn::Does::Open, parts_.clock->steady_now() + delay, {}};
}

void ListWatch::note_broken_stream(const Status& failure) {
  ++broken_streams_;
  if (is_no_offer(failure)) {
    const bool is_news = no_streams_before_ == SteadyTime{};
    no_streams_before_ = parts_.clock->steady_now() + settings_.stream_pause;
    parts_.log.log(is_news ? observe::Level::Info : observe::Level::Debug,
                   "The API server does not begin watches with a list, lists come in pages",
                   {{"path", settings_.path}, observe::error_field(failure)});
  }
}

void ListWatch::note_list() {
  lists_.fetch_add(1);
  if (metrics_) {
    metrics_->listed();
  }
}

void ListWatch::note_event() {
  events_.fetch_add(1);
  if (metrics_) {
    metrics_->brought_event();
  }
}

void ListWatch::note_success(bool was_list) {
  if (reported_ == (was_list ? "list" : "watch")) {
    parts_.log.info("What was forbidden is allowed now",
                    {{"path", settings_.path}, {"verb", reported_}});
    reported_.clear();
  }
}

// A refusal stays until somebody changes a role: said once, not each time.
void ListWatch::report(const Status& failure,
                       bool is_list,
                       std::uint32_t failures,
                       milliseconds delay) {
  observe::Level level = failures > 1 ? observe::Level::Warn : observe::Level::Info;
  if (failure.code() == StatusCode::PermissionDenied) {
    const std::string_view verb = is_list ? "list" : "watch";
    level = reported_ == verb ? observe::Level::Debug : observe::Level::Warn;
    reported_ = verb;
  }
  parts_.log.log(
      level, is_list ? "Listing failed, will be repeated" : "A watch broke off, will be resumed",
      {{"path", settings_.path},
       {"delay_ms", std::to_string(delay.count())},
       observe::error_field(failure)});
}

Status ListWatch::list_all(const CancelToken& cancel) {
  for (int round = 1;; ++round) {
    parts_.sink.list_started();
    const bool in_pages = round <= kPagedListings;
    auto version = list_pages(cancel, in_pages);
    if (version.is_ok()) {
      version_ = std::move(*version);
      broken_streams_ = 0;
      parts_.sink.list_complete();
      note_list();
      return Status::ok();
    }
    // The state that the pages were cut from was compacted meanwhile.
    if (version.status().code() != StatusCode::OutOfRange || !in_pages) {
      return version.status();
    }
  }
}

Result<std::string> ListWatch::list_pages(const CancelToken& cancel, bool in_pages) {
  std::string version;
  std::string continue_token;
  do {
    Query query;
    if (!settings_.field_selector.empty()) {
      query.emplace_back("fieldSelector", settings_.field_selector);
    }
    if (in_pages) {
      query.emplace_back("limit", std::to_string(settings_.page_size));
    }
    if (!continue_token.empty()) {
      query.emplace_back("continue", continue_token);
    }
    CallOptions options;
    options.cancel = cancel;
    VKHOST_TRY_ASSIGN(const std::string body, parts_.client.get(settings_.path, query, options));
    continue_token.clear();
    VKHOST_TRY(take_page(body, version, continue_token));
  } while (!continue_token.empty());
  return version;
}

// Strict, since what is missing in a complete list counts as deleted.
Status ListWatch::take_page(std::string_view body,
                            std::string& version,
                            std::string& continue_token) {
  std::string_view metadata;
  std::string_view items;
  std::string_view kind;
  JsonMembers members(body);
  JsonMember member;
  while (members.next(member)) {
    if (member.key == "metadata") {
      metadata = member.value;
    } else if (member.key == "items") {
      items = member.value;
    } else if (member.key == "kind") {
      kind = plain_string(member.value);
    }
  }
  std::string page_version;
  if (!members.is_complete() || kind.size() < 4 || kind.substr(kind.size() - 4) != "List" ||
      items.empty() || metadata.empty() ||
      !read_list_metadata(metadata, page_version, continue_token).is_ok() ||
      !is_resource_version(page_version)) {
    return unavailable("listing " + settings_.path + ": the answer is not a complete list");
  }
  if (version.empty()) {
    version = std::move(page_version);
  }
  if (items == "null") {
    return Status::ok();
  }
  JsonElements elements(items);
  std::string_view object;
  while (elements.next(object)) {
    parts_.sink.listed(object);
  }
  return elements.is_complete()
             ? Status::ok()
             : unavailable("listing " + settings_.path + ": broken off in the list of items");
}

Result<std::unique_ptr<WatchStream>> ListWatch::open_watch(const CancelToken& cancel) {
  const auto spread =
      static_cast<double>((settings_.longest_watch - settings_.shortest_watch).count());
  const seconds timeout =
      settings_.shortest_watch + seconds(static_cast<std::int64_t>(spread * parts_.random->next()));
  Query query = {{"allowWatchBookmarks", "true"}};
  is_listing_ = version_.empty();
  CallOptions options;
  options.cancel = cancel;
  if (is_listing_) {
    query.emplace_back("sendInitialEvents", "true");
    query.emplace_back("resourceVersionMatch", "NotOlderThan");
    options.deadline = Deadline::after(*parts_.clock, settings_.stream_patience);
  } else {
    query.emplace_back("resourceVersion", version_);
  }
  query.emplace_back("timeoutSeconds", std::to_string(timeout.count()));
  if (!settings_.field_selector.empty()) {
    query.emplace_back("fieldSelector", settings_.field_selector);
  }
  VKHOST_TRY_ASSIGN(auto stream, parts_.client.watch(settings_.path, query, options));
  watches_.fetch_add(1);
  if (metrics_) {
    metrics_->opened();
  }
  opened_ = parts_.clock->steady_now();
  heard_ = opened_;
  server_end_ = opened_ + timeout;
  bookmarks_come_ = is_listing_;
  version_before_ = version_;
  if (is_listing_) {
    parts_.sink.list_started();
  }
  return stream;
}

// As strict as with a page: what the stream did not bring counts as deleted.
Status ListWatch::take_listed(std::string_view line) {
  VKHOST_TRY_ASSIGN(const WatchEvent event, read_watch_event(line));
  if (event.type == "ADDED" || event.type == "MODIFIED") {
    parts_.sink.listed(event.object);
  } else if (event.type == "DELETED") {
    if (!parts_.sink.unlisted(event.object)) {
      return unclear_deletion();
    }
  } else if (event.type == "BOOKMARK" && ends_list(event.object)) {
    const std::string_view version = resource_version_of(event.object);
    if (!is_resource_version(version)) {
      return unavailable("the end of the list names no version");
    }
    version_ = version;
    version_before_ = version;
    broken_streams_ = 0;
    is_listing_ = false;
    is_connected_.store(true);
    parts_.sink.list_complete();
    note_list();
  }
  return Status::ok();
}

Status ListWatch::take_event(std::string_view line) {
  VKHOST_TRY_ASSIGN(const WatchEvent event, read_watch_event(line));
  if (event.type == "ADDED" || event.type == "MODIFIED") {
    note_event();
    parts_.sink.applied(event.object);
  } else if (event.type == "DELETED") {
    note_event();
    if (!parts_.sink.removed(event.object)) {
      return unclear_deletion();
    }
  } else if (event.type == "BOOKMARK") {
    bookmarks_come_ = true;
  }
  if (const std::string_view version = resource_version_of(event.object);
      is_resource_version(version)) {
    version_ = version;
  }
  return Status::ok();
}

}  // namespace vkhost::kube
