#include "pods/end_order.hpp"

#include "base/json_text.hpp"
#include "kube/json_cut.hpp"
#include "pods/status_json.hpp"

#include <Poco/Exception.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

namespace vkhost::pods {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kDeadlineReason = "DeadlineExceeded";
// What no clock can count is more patience than anybody has.
constexpr std::int64_t kLongestSeconds = std::int64_t{366} * 24 * 3600;
constexpr std::size_t kMaxMarkBytes = 16 * 1024;

// Users copy manifests, annotations and all: only a mark that names this UID counts.
std::shared_ptr<EndOrder> read_mark(const kube::PodRecord& pod) {
  const std::string_view metadata = kube::find_member(pod.raw, "metadata");
  const auto annotations =
      parse_object(kube::find_member(metadata, "annotations"), "the annotations");
  if (!annotations.is_ok()) {
    return nullptr;
  }
  const std::string text = string_member(**annotations, std::string(kube::kEvictionAnnotation));
  if (text.size() > kMaxMarkBytes || !validate_json_object(text, 2).is_ok()) {
    return nullptr;
  }
  const auto mark = parse_object(text, "the mark of an eviction");
  if (!mark.is_ok() || string_member(**mark, "uid") != pod.uid) {
    return nullptr;
  }
  auto order = std::make_shared<EndOrder>();
  order->reason = string_member(**mark, "reason");
  order->message = string_member(**mark, "message");
  if ((*mark)->has("graceMs")) {
    const auto grace = (*mark)->getValue<std::int64_t>("graceMs");
    order->grace = milliseconds{std::clamp<std::int64_t>(grace, 0, kLongestSeconds * 1000)};
  }
  order->is_marked = true;
  order->was_called = true;
  order->is_concluded = pod.is_terminal();
  return order;
}

// The pod was failed for its deadline; what is left of it in the back end has to go still.
bool was_failed_for_deadline(const kube::PodRecord& pod) {
  return pod.active_deadline_seconds && pod.phase == "Failed" &&
         kube::plain_string(kube::find_member(pod.status_json(), "reason")) == kDeadlineReason;
}

// `state.terminated` of each regular container; nothing where one of them has not ended.
std::vector<Object::Ptr> ends_of(const kube::PodRecord& pod, std::string_view status_json) {
  if (status_json.find("\"terminated\"") == std::string_view::npos) {
    return {};
  }
  try {
    const auto status = parse_object(status_json, "a status");
    const Array::Ptr list =
        status.is_ok() ? (*status)->getArray("containerStatuses") : Array::Ptr();
    std::vector<Object::Ptr> ends;
    for (const std::string& name : pod.containers) {
      const Object::Ptr found = list.isNull() ? Object::Ptr() : find_named(list, "name", name);
      const Object::Ptr state = found.isNull() ? Object::Ptr() : found->getObject("state");
      const Object::Ptr end = state.isNull() ? Object::Ptr() : state->getObject("terminated");
      if (end.isNull()) {
        return {};
      }
      ends.push_back(end);
    }
    return ends;
  } catch (const Poco::Exception&) {
    return {};  // not a status that shows anything
  }
}

}  // namespace

EndOrder deadline_order() {
  EndOrder order;
  order.why = EndOrder::Why::Deadline;
  order.reason = kDeadlineReason;
  order.message = "Pod was active on the node longer than the specified deadline";
  order.is_marked = true;
  return order;
}

std::string eviction_mark(const kube::PodRecord& pod, const EndOrder& order) {
  std::string out = "{\"uid\":" + json_string(pod.uid) +
                    ",\"reason\":" + json_string(order.reason) +
                    ",\"message\":" + json_string(order.message);
  if (order.grace) {
    out += ",\"graceMs\":" + std::to_string(order.grace->count());
  }
  return out + "}";
}

std::shared_ptr<EndOrder> order_of_earlier_process(const kube::PodRecord& pod,
                                                   bool native_deadline) {
  if (!native_deadline && was_failed_for_deadline(pod)) {
    auto order = std::make_shared<EndOrder>(deadline_order());
    order->was_called = true;
    order->is_concluded = true;
    return order;
  }
  if (pod.raw.find(kube::kEvictionAnnotation) == std::string::npos) {
    return nullptr;  // as for nearly every pod
  }
  try {
    return read_mark(pod);
  } catch (const Poco::Exception&) {
    return nullptr;  // somebody else wrote it
  }
}

std::optional<WallTime> active_deadline(const kube::PodRecord& pod) {
  if (!pod.active_deadline_seconds || pod.start_time.empty()) {
    return std::nullopt;
  }
  const auto began = parse_time(pod.start_time);
  if (!began) {
    return std::nullopt;
  }
  constexpr std::int64_t kMost = INT32_MAX;  // as the API server has it
  return *began + seconds{std::clamp<std::int64_t>(*pod.active_deadline_seconds, 0, kMost)};
}

milliseconds own_grace(const kube::PodRecord& pod) {
  constexpr std::int64_t kDefault = 30;
  const std::string_view text =
      kube::find_member(kube::find_member(pod.raw, "spec"), "terminationGracePeriodSeconds");
  std::int64_t grace = kDefault;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), grace);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    grace = kDefault;
  }
  return seconds{std::clamp<std::int64_t>(grace, 0, kLongestSeconds)};
}

std::optional<WallTime> last_end(const kube::PodRecord& pod, std::string_view status_json) {
  std::optional<WallTime> last;
  for (const Object::Ptr& end : ends_of(pod, status_json)) {
    const auto finished = parse_time(string_member(*end, "finishedAt"));
    if (!finished) {
      return std::nullopt;
    }
    last = std::max(last.value_or(*finished), *finished);
  }
  return last;
}

bool have_containers_ended(const kube::PodRecord& pod, std::string_view status_json) {
  return !ends_of(pod, status_json).empty();
}

}  // namespace vkhost::pods
