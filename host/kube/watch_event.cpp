#include "kube/watch_event.hpp"

#include "kube/api_error.hpp"
#include "kube/json_cut.hpp"

#include <algorithm>

namespace vkhost::kube {
namespace {

constexpr std::size_t kMaxVersionBytes = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_number(std::string_view text) {
  return !text.empty() && text.front() != '0' && std::all_of(text.begin(), text.end(), is_digit);
}

std::string_view metadata_text(std::string_view object, std::string_view key) {
  return plain_string(find_member(find_member(object, "metadata"), key));
}

}  // namespace

Result<WatchEvent> read_watch_event(std::string_view line) {
  WatchEvent event;
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

std::string_view resource_version_of(std::string_view object) {
  return metadata_text(object, "resourceVersion");
}

std::string_view name_of_object(std::string_view object) { return metadata_text(object, "name"); }

bool is_resource_version(std::string_view text) {
  return !text.empty() && text.size() <= kMaxVersionBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_' || c == '.';
         });
}

bool is_earlier_version(std::string_view version, std::string_view than) {
  if (!is_number(version) || !is_number(than)) {
    return false;
  }
  return version.size() != than.size() ? version.size() < than.size() : version < than;
}

bool is_version_lost(const Status& failure) {
  return failure.code() == StatusCode::OutOfRange ||
         failure.code() == StatusCode::InvalidArgument || failure.reason() == "Timeout";
}

}  // namespace vkhost::kube
