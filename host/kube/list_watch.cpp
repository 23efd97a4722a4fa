// Lists are made without a resourceVersion, hence consistent: a list from a lagging API server's
// memory could bring back pods that are gone, and they would run once more.
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

}  // namespace

ListWatch::ListWatch(ListWatchSettings settings, Parts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {}

ListWatchStats ListWatch::stats() const {
  return {lists_.load(), watches_.load(), reconnects_.load(), events_.load(), is_connected_.load()};
}

milliseconds ListWatch::delay_after(const Status& failure, std::uint32_t failures) {
  const milliseconds backoff = failures <= 1
                                   ? milliseconds{0}
                                   : backoff_delay(settings_.backoff, failures - 1, *parts_.random);
  return failure.retry() == Retry::After ? std::max(failure.retry_after(), backoff) : backoff;
}

void ListWatch::run(const CancelToken& cancel) {
  std::uint32_t failures = 0;
  while (!cancel.is_cancelled()) {
    Progress progress = Progress::None;
    const bool is_list = version_.empty();
    const Status status = is_list ? list_all(cancel) : watch_once(cancel, progress);
    if (cancel.is_cancelled()) {
      return;
    }
    if (status.is_ok()) {
      failures = is_list ? failures : 0;  // a list proves nothing for the watch behind it
      continue;
    }
    failures = progress == Progress::Some ? 1 : failures + 1;
    // The client has repeated a failed list several times before it said so: no immediate one.
    const milliseconds delay = delay_after(status, is_list ? failures + 1 : failures);
    reconnects_.fetch_add(1);
    if (must_list_again(status)) {
      version_.clear();
    }
    parts_.log.log(
        failures > 1 ? observe::Level::Warn : observe::Level::Info,
        is_list ? "Listing failed, will be repeated" : "A watch broke off, will be resumed",
        {{"path", settings_.path},
         {"delay_ms", std::to_string(delay.count())},
         observe::error_field(status)});
    if (cancel.wait_for(delay)) {
      return;
    }
  }
}

Status ListWatch::list_all(const CancelToken& cancel) {
  for (int round = 1;; ++round) {
    parts_.sink.list_started();
    const bool in_pages = round <= kPagedListings;
    auto version = list_pages(cancel, in_pages);
    if (version.is_ok()) {
      version_ = std::move(*version);
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
  Query query = {{"allowWatchBookmarks", "true"},
                 {"resourceVersion", version_},
                 {"timeoutSeconds", std::to_string(timeout.count())}};
  if (!settings_.field_selector.empty()) {
    query.emplace_back("fieldSelector", settings_.field_selector);
  }
  CallOptions options;
  options.cancel = cancel;
  VKHOST_TRY_ASSIGN(const auto stream, parts_.client.watch(settings_.path, query, options));
  watches_.fetch_add(1);
  is_connected_.store(true);
  const SteadyTime started = parts_.clock->steady_now();
  const std::string version_before = version_;
  Status status = follow(*stream, started + timeout);
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

// OK at the proper end.
Status ListWatch::follow(WatchStream& stream, SteadyTime server_end) {
  const Deadline end = Deadline::at(server_end + settings_.end_grace);
  bool bookmarks_come = false;
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
  std::string_view type;
  std::string_view object;
  JsonMembers members(line);
  JsonMember member;
  while (members.next(member)) {
    if (member.key == "type") {
      type = plain_string(member.value);
    } else if (member.key == "object") {
      object = member.value;
    }
  }
  if (!members.is_complete() || type.empty() || object.empty()) {
    return unavailable("the watch brought an event that can't be read");
  }
  if (type == "ERROR") {
    return api_error_from_object(object);
  }
  is_bookmark = type == "BOOKMARK";
  if (type == "ADDED" || type == "MODIFIED") {
    events_.fetch_add(1);
    parts_.sink.applied(object);
  } else if (type == "DELETED") {
    events_.fetch_add(1);
    if (!parts_.sink.removed(object)) {
      return Status(StatusCode::OutOfRange, "a deletion that can't be read");
    }
  }
  if (const std::string_view version = version_of(object); is_version(version)) {
    version_ = version;
  }
  return Status::ok();
}

}  // namespace vkhost::kube
