// Lists are made without a resourceVersion, hence consistent: a list from a lagging API server's
// memory could bring back pods that are gone, and they would run once more. A watch that begins with
// its list is as consistent at the bookmark that ends the list, not before: until then, changes of
// what was listed may follow.
#include "kube/list_watch.hpp"

#include "kube/api_error.hpp"
#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"

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

// Versions are opaque, but what could break out of a query or a log line is none.
bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string_view version_of(std::string_view object) {
  return plain_string(find_member(find_member(object, "metadata"), "resourceVersion"));
}

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

// The version is no use any more: too old (410), not understood (400), or from the future, as after
// the API server's store was restored from a backup (504 with reason Timeout).
bool must_list_again(const Status& failure) {
  return failure.code() == StatusCode::OutOfRange ||
         failure.code() == StatusCode::InvalidArgument || failure.reason() == "Timeout";
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

struct Event {
  std::string_view type;
  std::string_view object;
};

Result<Event> read_event(std::string_view line) {
  Event event;
  JsonMembers members(line);
  JsonMember member;
  while (members.next(member)) {
    if (member.key == "type") {
      event.type = plain_string(member.value);
    } else if (member.key == "object") {
      event.object = member.value;
    }
  }
  if (!members.is_complete() || event.type.empty() || event.object.empty()) {
    return unavailable("the watch brought an event that can't be read");
  }
  if (event.type == "ERROR") {
    return api_error_from_object(event.object);
  }
  return event;
}

Status unclear_deletion() {
  return Status(StatusCode::OutOfRange, "a deletion that can't be read");
}

}  // namespace

ListWatch::ListWatch(ListWatchSettings settings, Parts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {}

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
  return settings_.stream_lists && offers_streams_ && broken_streams_ < kBrokenStreams;
}

void ListWatch::run(const CancelToken& cancel) {
  std::uint32_t failures = 0;
  while (!cancel.is_cancelled()) {
    Progress progress = Progress::None;
    const bool in_pages = version_.empty() && !may_stream();
    const Status status = in_pages ? list_all(cancel) : watch_once(cancel, progress);
    if (cancel.is_cancelled()) {
      return;
    }
    if (status.is_ok()) {
      failures = in_pages ? failures : 0;  // a list proves nothing for the watch behind it
      note_success(in_pages);
      continue;
    }
    const bool is_list = version_.empty();
    if (is_list && !in_pages) {
      note_broken_stream(status);
      if (!offers_streams_) {
        continue;  // at once, in pages
      }
    }
    failures = progress == Progress::Some ? 1 : failures + 1;
    // The client has repeated a failed list several times before it said so: no immediate one.
    const milliseconds delay = delay_after(status, in_pages ? failures + 1 : failures);
    reconnects_.fetch_add(1);
    if (must_list_again(status)) {
      version_.clear();
    }
    report(status, is_list, failures, delay);
    if (cancel.wait_for(delay)) {
      return;
    }
  }
}

void ListWatch::note_broken_stream(const Status& failure) {
  ++broken_streams_;
  if (is_no_offer(failure)) {
    offers_streams_ = false;
    parts_.log.info("The API server does not begin watches with a list, lists come in pages",
                    {{"path", settings_.path}, observe::error_field(failure)});
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
      lists_.fetch_add(1);
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
      !is_version(page_version)) {
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

Status ListWatch::watch_once(const CancelToken& cancel, Progress& progress) {
  const auto spread =
      static_cast<double>((settings_.longest_watch - settings_.shortest_watch).count());
  const seconds timeout =
      settings_.shortest_watch + seconds(static_cast<std::int64_t>(spread * parts_.random->next()));
  Query query = {{"allowWatchBookmarks", "true"}};
  const bool begins_with_list = version_.empty();
  CallOptions options;
  options.cancel = cancel;
  if (begins_with_list) {
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
  VKHOST_TRY_ASSIGN(const auto stream, parts_.client.watch(settings_.path, query, options));
  watches_.fetch_add(1);
  const SteadyTime started = parts_.clock->steady_now();
  if (begins_with_list) {
    VKHOST_TRY(take_streamed_list(*stream));
  }
  is_connected_.store(true);
  const std::string version_before = version_;
  Status status = follow(*stream, started + timeout, begins_with_list);
  is_connected_.store(false);
  const bool was_worthwhile =
      version_ != version_before || parts_.clock->steady_now() - started >= kWorthwhile;
  progress = was_worthwhile ? Progress::Some : Progress::None;
  if (status.is_ok() && !was_worthwhile) {
    // A server or proxy that ends every watch at once must not be asked again in a tight loop.
    status = unavailable("the server ended the watch as soon as it was open");
  }
  return status;
}

// As strict as with a page: what the stream did not bring counts as deleted.
Status ListWatch::take_streamed_list(WatchStream& stream) {
  parts_.sink.list_started();
  for (;;) {
    VKHOST_TRY_ASSIGN(const std::string line,
                      stream.next(Deadline::after(*parts_.clock, settings_.stream_patience)));
    if (line.empty()) {
      return unavailable("the server ended the watch before the list was complete");
    }
    VKHOST_TRY_ASSIGN(const Event event, read_event(line));
    if (event.type == "ADDED" || event.type == "MODIFIED") {
      parts_.sink.listed(event.object);
    } else if (event.type == "DELETED") {
      if (!parts_.sink.unlisted(event.object)) {
        return unclear_deletion();
      }
    } else if (event.type == "BOOKMARK" && ends_list(event.object)) {
      const std::string_view version = version_of(event.object);
      if (!is_version(version)) {
        return unavailable("the end of the list names no version");
      }
      version_ = version;
      broken_streams_ = 0;
      parts_.sink.list_complete();
      lists_.fetch_add(1);
      return Status::ok();
    }
  }
}

// OK at the proper end.
Status ListWatch::follow(WatchStream& stream, SteadyTime server_end, bool bookmarks_come) {
  const Deadline end = Deadline::at(server_end + settings_.end_grace);
  for (;;) {
    const Deadline deadline =
        bookmarks_come ? end.earlier(Deadline::after(*parts_.clock, settings_.bookmark_patience))
                       : end;
    auto line = stream.next(deadline);
    if (!line.is_ok()) {
      return line.status().code() == StatusCode::DeadlineExceeded
                 ? unavailable("the watch has stalled: neither events nor bookmarks nor its end")
                 : line.status();
    }
    if (line->empty()) {
      return Status::ok();
    }
    bool is_bookmark = false;
    VKHOST_TRY(take_event(*line, is_bookmark));
    bookmarks_come = bookmarks_come || is_bookmark;
  }
}

Status ListWatch::take_event(std::string_view line, bool& is_bookmark) {
  VKHOST_TRY_ASSIGN(const Event event, read_event(line));
  is_bookmark = event.type == "BOOKMARK";
  if (event.type == "ADDED" || event.type == "MODIFIED") {
    events_.fetch_add(1);
    parts_.sink.applied(event.object);
  } else if (event.type == "DELETED") {
    events_.fetch_add(1);
    if (!parts_.sink.removed(event.object)) {
      return unclear_deletion();
    }
  }
  if (const std::string_view version = version_of(event.object); is_version(version)) {
    version_ = version;
  }
  return Status::ok();
}

}  // namespace vkhost::kube
