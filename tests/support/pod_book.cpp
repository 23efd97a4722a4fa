#include "support/pod_book.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

namespace vkhost::testing {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::string_view kWatchQuery = "?watch=true&resourceVersion=";
constexpr std::chrono::minutes kWatchWithin{10};

std::string text(const Object& object, const std::string& name) {
  return object.optValue<std::string>(name, "");
}

Object::Ptr child(const Object& object, const std::string& name) {
  const Object::Ptr found = object.getObject(name);
  return found.isNull() ? Object::Ptr(new Object) : found;
}

bool is_ready(const Object& status) {
  const Array::Ptr conditions = status.getArray("conditions");
  return !conditions.isNull() &&
         std::any_of(conditions->begin(), conditions->end(), [](const auto& each) {
           const auto condition = each.template extract<Object::Ptr>();
           return text(*condition, "type") == "Ready" && text(*condition, "status") == "True";
         });
}

void read_containers(const Object& status, PodSight* sight) {
  const Array::Ptr containers = status.getArray("containerStatuses");
  for (unsigned i = 0; !containers.isNull() && i < containers->size(); ++i) {
    const Object::Ptr state = child(*containers->getObject(i), "state");
    if (state->isObject("terminated")) {
      sight->exit_codes.push_back(state->getObject("terminated")->getValue<int>("exitCode"));
    }
    if (i == 0 && state->isObject("waiting")) {
      sight->waiting_reason = text(*state->getObject("waiting"), "reason");
    }
  }
}

PodSight sight_of(const Object& pod) {
  const Object::Ptr status = child(pod, "status");
  PodSight sight;
  sight.phase = text(*status, "phase");
  sight.reason = text(*status, "reason");
  sight.start_time = text(*status, "startTime");
  sight.ip = text(*status, "podIP");
  sight.node = text(*child(pod, "spec"), "nodeName");
  sight.ready = is_ready(*status);
  sight.deleting = child(pod, "metadata")->has("deletionTimestamp");
  read_containers(*status, &sight);
  std::ostringstream json;
  pod.stringify(json);
  sight.json = json.str();
  return sight;
}

std::string state_of(const PodHistory& page) {
  return page.gone ? "gone"
                   : page.last().phase + (page.last().ready ? ", Ready" : "") +
                         (page.last().deleting ? ", being deleted" : "") +
                         (page.last().reason.empty() ? "" : ", " + page.last().reason);
}

}  // namespace

bool PodHistory::was_running() const {
  return std::any_of(sights.begin(), sights.end(),
                     [](const PodSight& sight) { return sight.phase == "Running"; });
}

bool PodHistory::was_ready() const {
  return std::any_of(sights.begin(), sights.end(),
                     [](const PodSight& sight) { return sight.ready; });
}

std::vector<std::string> PodHistory::start_times() const {
  std::set<std::string> times;
  for (const PodSight& sight : sights) {
    if (!sight.start_time.empty()) {
      times.insert(sight.start_time);
    }
  }
  return {times.begin(), times.end()};
}

PodBook::PodBook(const Cluster& cluster, std::string namespace_name)
    : path_("/api/v1/namespaces/" + std::move(namespace_name) + "/pods"),
      api_(cluster.port(), cluster.ca_pem(), cluster.token("admin")),
      follower_("pod-book", [this] { follow(); }) {}

PodBook::~PodBook() {
  stopping_ = true;
  stop_.raise();
  follower_.join();
}

void PodBook::follow() {
  std::string version;
  while (!stopping_) {
    if (version.empty()) {
      take_list(api_.get(path_).body, &version);
    }
    api_.watch(
        path_ + std::string(kWatchQuery) + version, kWatchWithin,
        [&](std::string_view event) {
          take(event, &version);
          return !version.empty();
        },
        nullptr, stop_.get());
  }
}

void PodBook::take_list(const std::string& list, std::string* version) {
  Poco::JSON::Parser parser;
  const auto object = parser.parse(list).extract<Object::Ptr>();
  const Array::Ptr items = object->getArray("items");
  const MutexLock lock(mutex_);
  std::set<std::string> present;
  for (unsigned i = 0; !items.isNull() && i < items->size(); ++i) {
    const Object::Ptr pod = items->getObject(i);
    const Object::Ptr metadata = child(*pod, "metadata");
    present.insert(text(*metadata, "uid"));
    PodHistory& page = pages_[text(*metadata, "uid")];
    page.name = text(*metadata, "name");
    page.sights.push_back(sight_of(*pod));
    uids_[page.name] = text(*metadata, "uid");
  }
  for (auto& [uid, page] : pages_) {
    page.gone = page.gone || !present.contains(uid);
  }
  *version = text(*child(*object, "metadata"), "resourceVersion");
  changed_.notify_all();
}

void PodBook::take(std::string_view event, std::string* version) {
  Poco::JSON::Parser parser;
  const auto object = parser.parse(std::string(event)).extract<Object::Ptr>();
  const std::string type = text(*object, "type");
  if (type == "ERROR") {
    version->clear();
    return;
  }
  const Object::Ptr pod = child(*object, "object");
  const Object::Ptr metadata = child(*pod, "metadata");
  *version = text(*metadata, "resourceVersion");
  PodSight sight = sight_of(*pod);
  const MutexLock lock(mutex_);
  PodHistory& page = pages_[text(*metadata, "uid")];
  page.name = text(*metadata, "name");
  page.gone = type == "DELETED";
  page.sights.push_back(std::move(sight));
  uids_[page.name] = text(*metadata, "uid");
  changed_.notify_all();
}

PodPages PodBook::pages() const {
  const MutexLock lock(mutex_);
  return pages_;
}

PodHistory PodBook::page(std::string_view name) const {
  const MutexLock lock(mutex_);
  const auto uid = uids_.find(name);
  return uid == uids_.end() ? PodHistory{.sights = {{}}} : pages_.at(uid->second);
}

bool PodBook::wait_until(const std::function<bool(const PodPages&)>& condition,
                         std::chrono::milliseconds within) const {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  const MutexLock lock(mutex_);
  bool in_time = true;
  while (!condition(pages_)) {
    if (!in_time) {
      return false;
    }
    in_time = changed_.wait_until(mutex_, until);
  }
  return true;
}

bool PodBook::wait_until_running(std::size_t count, std::chrono::milliseconds within) const {
  return wait_until(
      [&](const PodPages& pages) {
        std::size_t there = 0;
        std::size_t running = 0;
        for (const auto& [uid, page] : pages) {
          there += page.gone ? 0U : 1U;
          const PodSight& last = page.last();
          running +=
              !page.gone && last.phase == "Running" && last.ready && !last.deleting ? 1U : 0U;
        }
        return there == count && running == count;
      },
      within);
}

bool PodBook::wait_until_empty(std::chrono::milliseconds within) const {
  return wait_until(
      [](const PodPages& pages) {
        return std::all_of(pages.begin(), pages.end(),
                           [](const auto& each) { return each.second.gone; });
      },
      within);
}

std::string PodBook::summary() const {
  std::map<std::string, std::pair<int, std::string>> states;
  for (const auto& [uid, page] : pages()) {
    auto& [count, example] = states[state_of(page)];
    ++count;
    example = page.name + " " + page.last().json;
  }
  std::string summary;
  for (const auto& [state, found] : states) {
    summary += std::to_string(found.first) + " " + state +
               (state == "gone" ? std::string() : ", such as " + found.second) + "\n";
  }
  return summary.empty() ? "no pods" : summary;
}

}  // namespace vkhost::testing
