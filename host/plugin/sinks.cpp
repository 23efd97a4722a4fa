#include "plugin/sinks.hpp"

#include "base/json_text.hpp"
#include "plugin/abi_read.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace vkhost::plugin {
namespace {

constexpr std::size_t kMaxProblems = 256;
constexpr std::size_t kMaxFindings = 1024;
constexpr std::size_t kMaxListedPods = 200'000;
constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kMaxUidBytes = 253;

bool is_json_pointer(std::string_view text) {
  if (!is_utf8(text) || text.size() > VKP_MAX_MESSAGE_BYTES || (!text.empty() && text[0] != '/')) {
    return false;
  }
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) {
      return false;
    }
  }
  return true;
}

// Copies the texts of a reference; those that are wrong stay empty and are named in `fault`.
PodRef read_ref(const vkp_pod_ref* from, std::string& fault) {
  const vkp_pod_ref ref = read_struct(from);
  PodRef copy;
  const auto take = [&](vkp_str text, std::size_t limit, const char* what, std::string& into) {
    const Result<std::string_view> read = read_text(text, limit);
    if (read.is_ok()) {
      into = *read;
    } else {
      fault = std::string(what) + ": " + read.status().message();
    }
  };
  take(ref.pod_namespace, kMaxNameBytes, "namespace", copy.pod_namespace);
  take(ref.name, kMaxNameBytes, "name", copy.name);
  take(ref.handle, VKP_MAX_HANDLE_BYTES, "handle", copy.handle);
  take(ref.uid, kMaxUidBytes, "uid", copy.uid);
  return copy;
}

}  // namespace

// ---- Sink ----

vkp_code Sink::put_text(const char* /*text*/, std::size_t /*size*/) { return VKP_INVALID_ARGUMENT; }
vkp_code Sink::put_problem(const vkp_problem* /*problem*/) { return VKP_INVALID_ARGUMENT; }
vkp_code Sink::put_verdict(const vkp_recovered_pod* /*pod*/) { return VKP_INVALID_ARGUMENT; }
vkp_code Sink::put_update(const vkp_update_answer* /*answer*/) { return VKP_INVALID_ARGUMENT; }
vkp_code Sink::put_listed(const vkp_listed_pod* /*pod*/) { return VKP_INVALID_ARGUMENT; }
vkp_code Sink::put_finding(const vkp_finding* /*finding*/) { return VKP_INVALID_ARGUMENT; }
void Sink::complete() {}

void Sink::close() {
  const MutexLock lock(mutex_);
  closed_ = true;
}

Status Sink::refusal() const {
  const MutexLock lock(mutex_);
  return refused_.empty() ? Status::ok() : invalid_argument(refused_);
}

vkp_code Sink::refuse(std::string what) {
  if (!closed_) {
    refused_ = std::move(what);
  }
  return VKP_INVALID_ARGUMENT;
}

// ---- TextSink ----

vkp_code TextSink::put_text(const char* text, std::size_t size) {
  Result<std::string_view> read = read_text(text, size, max_bytes_);
  const MutexLock lock(mutex_);
  if (closed_ || !read.is_ok()) {
    return refuse("its result was refused: " + read.status().message());
  }
  text_ = std::string(*read);
  refused_.clear();
  return VKP_OK;
}

std::optional<std::string> TextSink::text() const {
  const MutexLock lock(mutex_);
  return text_;
}

// ---- ProblemSink ----

vkp_code ProblemSink::put_problem(const vkp_problem* problem) {
  const vkp_problem from = read_struct(problem);
  const Result<std::string_view> pointer = read_text(from.pointer, VKP_MAX_MESSAGE_BYTES);
  const bool fits = pointer.is_ok() && is_json_pointer(*pointer) &&
                    read_text(from.text, std::numeric_limits<std::size_t>::max()).is_ok();
  const MutexLock lock(mutex_);
  if (closed_ || problems_.size() >= kMaxProblems) {
    return VKP_INVALID_ARGUMENT;
  }
  // A problem is worth showing even when it is told badly.
  problems_.push_back({from.severity == VKP_PROBLEM_WARNING, fits ? std::string(*pointer) : "",
                       shown_text(from.text, VKP_MAX_MESSAGE_BYTES)});
  return fits ? VKP_OK : VKP_INVALID_ARGUMENT;
}

std::vector<ConfigProblem> ProblemSink::problems() const {
  const MutexLock lock(mutex_);
  return problems_;
}

// ---- FindingSink ----

vkp_code FindingSink::put_finding(const vkp_finding* finding) {
  const vkp_finding from = read_struct(finding);
  const Result<std::string_view> pointer = read_text(from.pointer, VKP_MAX_MESSAGE_BYTES);
  const bool fits = pointer.is_ok() && is_json_pointer(*pointer) &&
                    read_text(from.text, std::numeric_limits<std::size_t>::max()).is_ok();
  const MutexLock lock(mutex_);
  if (closed_ || findings_.size() >= kMaxFindings) {
    return VKP_INVALID_ARGUMENT;
  }
  // As with problems: worth showing even when it is told badly.
  findings_.push_back({read_enum(from.kind, FindingKind::Refused, FindingKind::Ignored),
                       fits ? std::string(*pointer) : "",
                       shown_text(from.text, VKP_MAX_MESSAGE_BYTES)});
  return fits ? VKP_OK : VKP_INVALID_ARGUMENT;
}

std::vector<Finding> FindingSink::findings() const {
  const MutexLock lock(mutex_);
  return findings_;
}

// ---- RecoverSink ----

RecoverSink::RecoverSink(const std::vector<RecoverPod>& batch)
    : verdicts_(batch.size(), RecoverVerdict::Unknown) {
  for (std::size_t place = 0; place < batch.size(); ++place) {
    places_.emplace(batch[place].ref.uid, place);
  }
}

vkp_code RecoverSink::put_verdict(const vkp_recovered_pod* pod) {
  const vkp_recovered_pod from = read_struct(pod);
  const Result<std::string_view> uid = read_text(from.uid, kMaxUidBytes);
  const auto place = uid.is_ok() ? places_.find(std::string(*uid)) : places_.end();
  const MutexLock lock(mutex_);
  if (closed_ || place == places_.end()) {
    return VKP_NOT_FOUND;
  }
  verdicts_[place->second] =
      read_enum(from.verdict, RecoverVerdict::Absent, RecoverVerdict::Unknown);
  return VKP_OK;
}

std::vector<RecoverVerdict> RecoverSink::verdicts() const {
  const MutexLock lock(mutex_);
  return verdicts_;
}

// ---- UpdateSink ----

vkp_code UpdateSink::put_update(const vkp_update_answer* answer) {
  const vkp_update_answer from = read_struct(answer);
  const MutexLock lock(mutex_);
  if (closed_ || from.changed == 0 || (from.changed & ~asked_) != 0) {
    return VKP_INVALID_ARGUMENT;
  }
  for (UpdateAnswer& earlier : answers_) {
    earlier.changed &= ~from.changed;
  }
  std::erase_if(answers_, [](const UpdateAnswer& earlier) { return earlier.changed == 0; });
  answers_.push_back({from.changed,
                      read_enum(from.outcome, UpdateOutcome::Unsupported, UpdateOutcome::Deferred),
                      shown_text(from.text, VKP_MAX_MESSAGE_BYTES)});
  return VKP_OK;
}

std::vector<UpdateAnswer> UpdateSink::answers() const {
  const MutexLock lock(mutex_);
  std::vector<UpdateAnswer> all = answers_;
  std::uint64_t unanswered = asked_;
  for (const UpdateAnswer& answer : all) {
    unanswered &= ~answer.changed;
  }
  if (unanswered != 0) {
    all.push_back({unanswered, UpdateOutcome::Unsupported, ""});
  }
  return all;
}

// ---- ListSink ----

vkp_code ListSink::put_listed(const vkp_listed_pod* pod) {
  const vkp_listed_pod item = read_struct(pod);
  std::string fault = item.ref == nullptr ? "an item without a reference" : "";
  ListedPod listed;
  listed.ref = read_ref(item.ref, fault);
  listed.seq = item.seq;
  listed.marks = read_enum(item.marks, Marks::Ours, Marks::Legacy);
  listed.verdict = read_enum(item.verdict, ListVerdict::Absent, ListVerdict::Unknown);
  if (listed.verdict == ListVerdict::Present && fault.empty()) {
    const Result<std::string_view> status = read_text(item.status_json, VKP_MAX_STATUS_BYTES);
    const Status valid =
        status.is_ok() ? validate_json_object(*status, VKP_MAX_JSON_DEPTH) : status.status();
    if (valid.is_ok()) {
      listed.status_json = *status;
    } else {
      fault = "the status of pod " + listed.ref.uid + ": " + valid.message();
    }
  }

  const bool is_named =
      !listed.ref.uid.empty() ||
      (listed.marks == Marks::Legacy && !(listed.ref.name.empty() && listed.ref.handle.empty()));
  const MutexLock lock(mutex_);
  if (closed_) {
    return VKP_INVALID_ARGUMENT;
  }
  if (!is_named || list_.pods.size() >= kMaxListedPods) {
    lost_item_ = true;
    fault_ = !fault.empty() ? fault : is_named ? "too many items" : "an item names no pod";
    return VKP_INVALID_ARGUMENT;
  }
  if (!asked_.empty() && asked_.count(listed.ref.uid) == 0) {
    fault_ = "pod " + listed.ref.uid + " was not asked for";
    return VKP_INVALID_ARGUMENT;
  }
  if (!fault.empty() && listed.verdict == ListVerdict::Present) {
    // The pod is there, that much is known; what was said about it is not.
    listed.verdict = ListVerdict::PresentStatusUnknown;
  }
  list_.pods.push_back(std::move(listed));
  if (!fault.empty()) {
    fault_ = std::move(fault);
    return VKP_INVALID_ARGUMENT;
  }
  return VKP_OK;
}

std::string ListSink::fault() const {
  const MutexLock lock(mutex_);
  return fault_;
}

void ListSink::complete() {
  const MutexLock lock(mutex_);
  if (!closed_) {
    list_.complete = true;
  }
}

PodList ListSink::take() {
  const MutexLock lock(mutex_);
  PodList taken = std::exchange(list_, {});
  taken.complete = taken.complete && !lost_item_;
  return taken;
}

}  // namespace vkhost::plugin
