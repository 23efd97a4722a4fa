#include "kube/pod_watch.hpp"

#include "kube/json_cut.hpp"
#include "kube/paths.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::kube {
namespace {

std::string metadata_text(std::string_view object, std::string_view key) {
  return std::string(plain_string(find_member(find_member(object, "metadata"), key)));
}

ListWatchSettings pods_of_node(PodWatchSettings settings) {
  settings.list_watch.path = pods_path(settings.only_namespace);
  settings.list_watch.field_selector = "spec.nodeName=" + settings.node_name;
  return std::move(settings.list_watch);
}

}  // namespace

PodWatch::PodWatch(PodWatchSettings settings, Parts parts)
    : node_name_(settings.node_name),
      listener_(parts.listener),
      loop_(parts.loop),
      log_(parts.log.with({{"node", settings.node_name}})),
      list_watch_(pods_of_node(std::move(settings)),
                  {parts.client, *this, std::move(parts.clock), std::move(parts.random), log_,
                   parts.metrics}) {}

PodWatch::~PodWatch() { stop(); }

void PodWatch::start() { loop_.add(list_watch_); }

void PodWatch::stop() { loop_.remove(list_watch_); }

PodWatchStats PodWatch::stats() const {
  return {list_watch_.stats(), unreadable_pods_.load(), has_synced_.load()};
}

PodPtr PodWatch::read_pod(std::string_view object) {
  auto pod = parse_pod(object);
  if (pod.is_ok()) {
    // Of a server that ignores the selector we would run what other nodes run.
    return (*pod)->node_name == node_name_ ? std::move(pod).value() : nullptr;
  }
  unreadable_pods_.fetch_add(1);
  log_.error("A pod can't be read and is left as it was",
             {{"pod", metadata_text(object, "namespace") + "/" + metadata_text(object, "name")},
              {"uid", metadata_text(object, "uid")},
              observe::error_field(pod.status())});
  return nullptr;
}

void PodWatch::list_started() { listing_.clear(); }

void PodWatch::listed(std::string_view object) {
  if (PodPtr pod = read_pod(object)) {
    listing_.push_back(std::move(pod));
    return;
  }
  const std::string uid = metadata_text(object, "uid");
  const bool was_listed = std::any_of(listing_.begin(), listing_.end(),
                                      [&](const PodPtr& pod) { return pod->uid == uid; });
  if (const auto old = known_.find(uid); old != known_.end() && !was_listed) {
    listing_.push_back(old->second);
  }
}

bool PodWatch::unlisted(std::string_view object) {
  const std::string uid = metadata_text(object, "uid");
  std::erase_if(listing_, [&](const PodPtr& pod) { return pod->uid == uid; });
  return !uid.empty();
}

void PodWatch::list_complete() {
  known_.clear();
  for (const PodPtr& pod : listing_) {
    known_.insert_or_assign(pod->uid, pod);
  }
  if (known_.size() < listing_.size()) {  // listed again as it changed: the newest counts
    std::erase_if(listing_, [&](const PodPtr& pod) { return known_.at(pod->uid) != pod; });
  }
  listener_.pods_listed(std::exchange(listing_, {}));
  has_synced_.store(true);
}

void PodWatch::applied(std::string_view object) {
  if (PodPtr pod = read_pod(object)) {
    known_.insert_or_assign(pod->uid, pod);
    listener_.pod_applied(std::move(pod));
  }
}

bool PodWatch::removed(std::string_view object) {
  const std::string uid = metadata_text(object, "uid");
  if (uid.empty()) {
    return false;
  }
  known_.erase(uid);
  listener_.pod_removed(uid);
  return true;
}

}  // namespace vkhost::kube
