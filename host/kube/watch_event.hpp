// WatchEvent: one line of a watch, and the versions of objects by which watches go on.
//
// Pure functions over raw text, whose inside is not validated; used by all kinds of watches.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <string_view>

namespace vkhost::kube {

struct WatchEvent {  // views into the line
  std::string_view type;
  std::string_view object;
};

// UNAVAILABLE for what is no event; the failure that an ERROR event carries, as api_error() would.
Result<WatchEvent> read_watch_event(std::string_view line);

// metadata.resourceVersion; empty when there is none.
[[nodiscard]] std::string_view resource_version_of(std::string_view object);
[[nodiscard]] std::string_view name_of_object(std::string_view object);  // metadata.name
// Versions are opaque, but what could break out of a query or a log line is none.
[[nodiscard]] bool is_resource_version(std::string_view text);
// Whether `version` is that of an earlier state than `than`. Of versions that aren't decimal numbers
// nobody can tell: false.
[[nodiscard]] bool is_earlier_version(std::string_view version, std::string_view than);
// No watch can go on from that version any more: it is too old (410), not understood (400), or from the
// future, as after the API server's store was restored from a backup (504 with reason Timeout).
[[nodiscard]] bool is_version_lost(const Status& failure);

}  // namespace vkhost::kube
