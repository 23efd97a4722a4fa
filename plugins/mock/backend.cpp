#include "backend.hpp"

#include "changes.hpp"
#include "record.hpp"

#include <vkhost/provider.hpp>

namespace vkhost::mock {
namespace {

std::string write_record(const Record& record, Millis now, const std::string& material_digest) {
  sdk::JsonWriter json;
  json.begin_object()
      .member("time", sdk::rfc3339(now * 1'000'000))
      .member("at", now)
      .member("call", record.call);
  if (!record.uid.empty()) {
    json.member("uid", record.uid);
  }
  if (!record.outcome.empty()) {
    json.member("outcome", record.outcome);
  }
  if (record.tries) {
    json.member("tries", *record.tries);
  }
  if (record.removed) {
    json.member("removed", true);
  }
  if (record.changed != 0) {
    json.key("changed").begin_array();
    for (const ChangedPart& part : kChangedParts) {
      if ((record.changed & part.bit) != 0) {
        json.value(part.name);
      }
    }
    json.end_array();
  }
  if (!material_digest.empty()) {
    json.member("material", material_digest);
  }
  if (record.workload) {
    write_workload(json.key("workload"), *record.workload);
  }
  return json.end_object().take();
}

Record read_record(const Json& json) {
  Record record;
  record.call = json["call"].text();
  record.uid = json["uid"].text();
  record.removed = json["removed"].boolean();
  if (const Json tries = json["tries"]; !tries.is_null()) {
    record.tries = tries.number();
  }
  if (const Json workload = json["workload"]; !workload.is_null()) {
    record.workload = read_workload(workload);
  }
  return record;
}

}  // namespace

Backend::Backend(const std::string& folder,
                 Ipv4Range range,
                 std::uint64_t first_address,
                 const std::function<void(const std::string&)>& warn,
                 KeepMaterial keep_material)
    : journal_(folder), material_(folder, keep_material), addresses_(range, first_address) {
  replay(warn);
  material_.keep_only([this](const std::string& uid) { return find(uid) != nullptr; });
}

void Backend::replay(const std::function<void(const std::string&)>& warn) {
  const std::lock_guard lock(mutex_);
  journal_.replay(
      [this](const Json& snapshot) {
        for (const Json& workload : snapshot["workloads"].elements()) {
          put(read_workload(workload), 0);
        }
        for (const auto& [uid, tries] : snapshot["tries"].members()) {
          tries_[uid] = tries.number();
        }
      },
      [this](const Json& line) { take_effect(read_record(line), 0); }, warn);
  sdk::JsonWriter json;
  json.begin_array();
  for (const auto& [uid, entry] : entries_) {
    write_workload(json, *entry.workload);
  }
  const std::string members = "\"workloads\":" + json.end_array().take();
  json.begin_object();
  for (const auto& [uid, tries] : tries_) {
    json.member(uid, tries);
  }
  journal_.write_snapshot(members + ",\"tries\":" + json.end_object().take());
}

void Backend::apply(const Record& record, Millis now, Millis due) {
  std::string digest;
  if (!record.material.empty()) {
    digest = material_.put(record.uid, record.material);
  }
  journal_.append(write_record(record, now, digest));
  {
    const std::lock_guard lock(mutex_);
    take_effect(record, due);
  }
  if (record.removed) {
    material_.remove(record.uid);
  }
  if (record.workload && wake_) {
    wake_(due);
  }
}

void Backend::take_effect(const Record& record, Millis due) {
  if (record.removed) {
    remove(record.uid);
  }
  if (record.workload) {
    put(*record.workload, due);
  }
  if (record.tries) {
    tries_[record.uid] = *record.tries;
  }
}

void Backend::put(Workload workload, Millis due) {
  const std::string uid = workload.uid;
  if (!workload.ip.empty()) {
    addresses_.keep(workload.ip);
  }
  Entry& entry = entries_[uid];
  entry.workload = std::make_shared<const Workload>(std::move(workload));
  entry.due = due;
  due_.emplace(due, uid);
}

void Backend::remove(const std::string& uid) {
  tries_.erase(uid);
  const auto found = entries_.find(uid);
  if (found != entries_.end()) {
    addresses_.release(found->second.workload->ip);
    entries_.erase(found);
  }
}

WorkloadPtr Backend::find(std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(std::string(uid));
  return found == entries_.end() ? nullptr : found->second.workload;
}

std::vector<WorkloadPtr> Backend::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<WorkloadPtr> result;
  result.reserve(entries_.size());
  for (const auto& [uid, entry] : entries_) {
    result.push_back(entry.workload);
  }
  return result;
}

std::int64_t Backend::tries(std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  const auto found = tries_.find(std::string(uid));
  return found == tries_.end() ? 0 : found->second;
}

std::string Backend::take_address() {
  const std::lock_guard lock(mutex_);
  std::string address = addresses_.take();
  if (address.empty()) {
    throw sdk::Error(sdk::Code::ResourceExhausted, "AddressesExhausted",
                     "every address of pod_cidr is taken; delete pods or widen the range")
        .with_effect(sdk::Effect::None);
  }
  return address;
}

void Backend::release_address(std::string_view address) {
  const std::lock_guard lock(mutex_);
  addresses_.release(address);
}

std::vector<WorkloadPtr> Backend::take_due(Millis now) {
  const std::lock_guard lock(mutex_);
  std::vector<WorkloadPtr> result;
  while (!due_.empty() && due_.top().first <= now) {
    const auto [due, uid] = due_.top();
    due_.pop();
    const auto found = entries_.find(uid);
    if (found != entries_.end() && found->second.due == due) {
      found->second.due.reset();
      result.push_back(found->second.workload);
    }
  }
  return result;
}

std::optional<Millis> Backend::next_due() const {
  const std::lock_guard lock(mutex_);
  return due_.empty() ? std::nullopt : std::optional<Millis>(due_.top().first);
}

void Backend::set_due(const WorkloadPtr& workload, Millis due) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(workload->uid);
  if (found != entries_.end() && found->second.workload == workload) {
    found->second.due = due;
    due_.emplace(due, workload->uid);
  }
}

}  // namespace vkhost::mock
