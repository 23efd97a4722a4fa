#include "resolve/object_store.hpp"

#include "kube/json_cut.hpp"
#include "resolve/trust_bundles.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace vkhost::resolve {
namespace {

// Of what pods are given of an object: new labels are no news. Never 0, which stands for no object.
std::uint64_t content_of(std::string_view json) {
  std::uint64_t hash = 1;
  for (const std::string_view member : {"data", "binaryData", "stringData"}) {
    hash = hash * 31 + std::hash<std::string_view>()(kube::find_member(json, member));
  }
  return hash == 0 ? 1 : hash;
}

// What is selected comes in any order, and with versions that say nothing of it.
Result<ObjectPtr> parse_selection(std::string_view json) {
  VKHOST_TRY_ASSIGN(ReferencedObject object, parse_trust_bundles(json));
  object.content =
      std::max<std::uint64_t>(1, std::hash<std::string>()(object.items.begin()->second.reveal()));
  return std::make_shared<const ReferencedObject>(std::move(object));
}

Result<ObjectPtr> parse(ObjectKind kind, std::string_view json) {
  if (kind == ObjectKind::TrustBundles) {
    return parse_selection(json);
  }
  VKHOST_TRY_ASSIGN(ReferencedObject object,
                    kind == ObjectKind::Secret ? parse_secret(json) : parse_config_map(json));
  object.content = content_of(json);
  object.version =
      kube::plain_string(kube::find_member(kube::find_member(json, "metadata"), "resourceVersion"));
  object.immutable = kube::find_member(json, "immutable") == "true";
  return std::make_shared<const ReferencedObject>(std::move(object));
}

}  // namespace

// One object that pods refer to. All but the reference is guarded by the store's mutex.
struct ObjectStore::Entry final : public kube::ObjectListener {
  Entry(ObjectStore& its_store, ObjectReference its_object)
      : store(its_store), object(std::move(its_object)) {}

  void object_changed(std::string json) override { store.take_news(*this, json); }
  void object_gone() override { store.take_end(*this); }

  // Whether there has to be a look-out for changes.
  [[nodiscard]] bool is_wanted() const {
    const bool never_changes = latest != nullptr && latest->immutable && !is_gone;
    return std::any_of(uses.begin(), uses.end(), [&](const auto& use) {
      return use.second.is_awaited || (use.second.changes != 0 && !never_changes);
    });
  }
  // `latest` is what the API server would say.
  [[nodiscard]] bool is_current() const {
    return latest != nullptr && !is_gone && (followed ? followed->is_live() : latest->immutable);
  }

  ObjectStore& store;
  const ObjectReference object;
  std::unordered_map<std::string, Use> uses;  // by the UID of the pod
  ObjectPtr latest;                           // null: not known, or kept for nobody
  bool is_gone = false;                       // deleted since then
  SteadyTime news_at = SteadyTime::min();     // from the feed
  std::unique_ptr<FollowedObject> followed;
};

ObjectStore::ObjectStore(Parts parts, std::chrono::milliseconds max_age, std::size_t max_bytes)
    : parts_(std::move(parts)),
      max_age_(max_age),
      flights_(parts_.clock),
      fresh_(parts_.clock, max_age, max_bytes) {}

ObjectStore::~ObjectStore() {
  {
    const MutexLock lock(mutex_);
    for (auto& [object, entry] : entries_) {
      discarded_.emplace_back(entry, std::move(entry->followed));
    }
  }
  tidy();
}

// ---- Reading

Result<ObjectPtr> ObjectStore::read(const ObjectReference& object, const CancelToken& cancel) {
  if (ObjectPtr latest = known(object)) {
    return latest;
  }
  return flights_.run(object, parts_.clock.steady_now() - max_age_, cancel,
                      [&] { return fetch(object, cancel); });
}

ObjectPtr ObjectStore::known(const ObjectReference& object) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(object);
  if (found != entries_.end() && found->second->is_current()) {
    return found->second->latest;
  }
  return fresh_.find(object);
}

Result<std::string> ObjectStore::ask(const ObjectReference& object, const CancelToken& cancel) {
  switch (object.kind) {
    case ObjectKind::Secret:
      return parts_.source.get_secret(object.object_namespace, object.name, cancel);
    case ObjectKind::TrustBundles:
      return parts_.source.list_trust_bundles(object.name, cancel);
    case ObjectKind::ConfigMap:
      break;
  }
  return parts_.source.get_config_map(object.object_namespace, object.name, cancel);
}

Result<ObjectPtr> ObjectStore::fetch(const ObjectReference& object, const CancelToken& cancel) {
  if (ObjectPtr latest = known(object)) {
    return latest;  // the flight before has just ended
  }
  const SteadyTime began = parts_.clock.steady_now();
  const auto json = ask(object, cancel);
  if (json.status().code() == StatusCode::NotFound) {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(object);
    if (found != entries_.end() && began >= found->second->news_at) {
      mark_gone(*found->second);
    }
  }
  if (!json) {
    return json.status();
  }
  VKHOST_TRY_ASSIGN(ObjectPtr version, parse(object.kind, *json));
  Aftermath after;
  {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(object);
    const EntryPtr entry = found == entries_.end() ? nullptr : found->second;
    if (entry && entry->is_current()) {
      return entry->latest;  // newer than an answer that may have been on its way for long
    }
    if (!entry || began >= entry->news_at) {
      fresh_.put(object, version, version->bytes + kEntryBytes, began);
    }
    if (entry && began >= entry->news_at) {
      take_version(*entry, version, &after);
      settle(entry, &after);
    }
  }
  tell(after);
  return version;
}

ObjectPtr ObjectStore::last(const ObjectReference& object) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(object);
  return found == entries_.end() ? nullptr : found->second->latest;
}

// ---- News

void ObjectStore::take_news(Entry& entry, std::string_view json) {
  const Result<ObjectPtr> version = parse(entry.object.kind, json);
  if (!version.is_ok()) {
    return;  // as if it had not changed; who reads it hears what is wrong with it
  }
  Aftermath after;
  {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(entry.object);
    if (found == entries_.end() || found->second.get() != &entry || !entry.followed) {
      return;  // it is being ended
    }
    const EntryPtr kept = found->second;
    entry.news_at = parts_.clock.steady_now();
    fresh_.put(entry.object, *version, (*version)->bytes + kEntryBytes, entry.news_at);
    take_version(entry, *version, &after);
    settle(kept, &after);
  }
  tell(after);
}

void ObjectStore::take_end(Entry& entry) {
  const MutexLock lock(mutex_);
  entry.news_at = parts_.clock.steady_now();
  fresh_.forget(entry.object);
  mark_gone(entry);
}

void ObjectStore::mark_gone(Entry& entry) {
  entry.is_gone = true;
  for (auto& [uid, use] : entry.uses) {
    if (use.is_awaited) {
      use.content = 0;  // the same content again is what it waits for
    }
  }
}

void ObjectStore::take_version(Entry& entry, const ObjectPtr& version, Aftermath* after) {
  entry.is_gone = false;
  entry.latest = version;
  for (auto& [uid, use] : entry.uses) {
    add_news(uid, use, version->content, after);
  }
}

void ObjectStore::add_news(const std::string& pod_uid,
                           Use& use,
                           std::uint64_t content,
                           Aftermath* after) {
  if (std::exchange(use.content, content) != content && (use.changes != 0 || use.is_awaited)) {
    after->news.push_back({use.user, pod_uid, use.changes});
  }
}

// ---- Who uses what

void ObjectStore::use(const std::string& pod_uid,
                      const std::vector<UsedObject>& objects,
                      Extent extent,
                      ObjectUser& user) {
  Aftermath after;
  {
    const MutexLock lock(mutex_);
    const auto known = pods_.find(pod_uid);
    if (known == pods_.end() && objects.empty()) {
      return;  // nearly every pod
    }
    std::vector<EntryPtr> before;
    if (known != pods_.end()) {
      before = std::exchange(known->second, {});
    }
    for (const UsedObject& object : objects) {
      add_use(pod_uid, object, user, &after);
    }
    std::vector<EntryPtr>& now = pods_[pod_uid];
    for (const EntryPtr& entry : before) {
      if (std::find(now.begin(), now.end(), entry) != now.end()) {
        continue;
      }
      if (extent == Extent::Some) {
        now.push_back(entry);
      } else {
        drop_use(pod_uid, entry, &after);
      }
    }
    for (const EntryPtr& entry : now) {
      settle(entry, &after);
    }
    if (now.empty()) {
      pods_.erase(pod_uid);
    }
  }
  tell(after);
}

ObjectStore::EntryPtr& ObjectStore::entry_for(const ObjectReference& object) {
  EntryPtr& entry = entries_[object];
  if (!entry) {
    entry = std::make_shared<Entry>(*this, object);
  }
  return entry;
}

void ObjectStore::add_use(const std::string& pod_uid,
                          const UsedObject& object,
                          ObjectUser& user,
                          Aftermath* after) {
  const EntryPtr& entry = entry_for(object.object);
  const ObjectPtr& known = object.is_unread ? entry->latest : object.given;
  const std::uint64_t given = known ? known->content : 0;
  Use& use = entry->uses[pod_uid];
  use = {object.changes, object.is_awaited, given, &user};
  pods_[pod_uid].push_back(entry);
  if (!entry->latest) {
    entry->latest = object.given;
  } else if (entry->followed && !entry->is_gone) {
    add_news(pod_uid, use, entry->latest->content,
             after);  // it changed while the material was made
  }
}

void ObjectStore::drop_use(const std::string& pod_uid, const EntryPtr& entry, Aftermath* after) {
  entry->uses.erase(pod_uid);
  settle(entry, after);
}

// Follows what has to be followed, and lets go of what is needed no longer.
void ObjectStore::settle(const EntryPtr& entry, Aftermath* after) {
  const bool is_wanted = parts_.feed != nullptr && entry->is_wanted();
  if (is_wanted && !entry->followed) {
    const bool is_known = entry->latest != nullptr && !entry->is_gone;
    entry->followed = parts_.feed->follow(
        entry->object, is_known ? entry->latest->version : std::string(), *entry);
  } else if (!is_wanted && entry->followed) {
    discarded_.emplace_back(entry, std::move(entry->followed));
    after->is_untidy = true;
  }
  if (!entry->followed && (entry->is_gone || !entry->latest || !entry->latest->immutable)) {
    entry->latest.reset();  // nobody tells when it is out of date
    entry->is_gone = false;
  }
  if (entry->uses.empty()) {
    entries_.erase(entry->object);
  }
}

void ObjectStore::forget(const std::string& pod_uid) {
  Aftermath after;
  {
    const MutexLock lock(mutex_);
    drop_pod(pod_uid, &after);
  }
  tell(after);
}

void ObjectStore::drop_pod(const std::string& pod_uid, Aftermath* after) {
  const auto found = pods_.find(pod_uid);
  if (found == pods_.end()) {
    return;
  }
  const std::vector<EntryPtr> entries = std::move(found->second);
  pods_.erase(found);
  for (const EntryPtr& entry : entries) {
    drop_use(pod_uid, entry, after);
  }
}

void ObjectStore::leave(const ObjectUser& user) {
  Aftermath after;
  {
    const MutexLock lock(mutex_);
    std::vector<std::string> pods;
    for (const auto& [uid, entries] : pods_) {
      if (entries.front()->uses.at(uid).user == &user) {
        pods.push_back(uid);
      }
    }
    for (const std::string& uid : pods) {
      drop_pod(uid, &after);
    }
    while (telling_ > 0) {
      told_.wait(mutex_);
    }
  }
  tell(after);
}

// ---- Afterwards

void ObjectStore::tell(const Aftermath& after) {
  for (const News& news : after.news) {
    {
      // Who has left meanwhile is not called any more.
      const MutexLock lock(mutex_);
      const auto pod = pods_.find(news.pod_uid);
      if (pod == pods_.end() || pod->second.front()->uses.at(news.pod_uid).user != news.user) {
        continue;
      }
      ++telling_;
    }
    news.user->object_changed(news.pod_uid, news.changes);
    const MutexLock lock(mutex_);
    --telling_;
    told_.notify_all();
  }
  if (after.is_untidy && parts_.untidy) {
    parts_.untidy();
  }
}

void ObjectStore::tidy() {
  std::vector<std::pair<EntryPtr, std::unique_ptr<FollowedObject>>> discarded;  // outlives the lock
  const MutexLock lock(mutex_);
  discarded.swap(discarded_);
}

ObjectStore::Counts ObjectStore::counts() const {
  const MutexLock lock(mutex_);
  Counts counts{fresh_.size(), entries_.size(), 0};
  for (const auto& [object, entry] : entries_) {
    counts.followed += entry->followed ? 1U : 0U;
  }
  return counts;
}

}  // namespace vkhost::resolve
