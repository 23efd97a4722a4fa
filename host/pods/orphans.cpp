#include "pods/orphans.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

std::string OrphanBook::key_of(const Orphan& orphan) {
  // A legacy workload may lack a UID: then name and handle tell it from others.
  return orphan.ref.uid.empty()
             ? "/" + orphan.ref.pod_namespace + "/" + orphan.ref.name + "/" + orphan.ref.handle
             : orphan.ref.uid;
}

void OrphanBook::note_list(const std::vector<Orphan>& orphans) {
  std::map<std::string, Entry> seen;
  for (const Orphan& orphan : orphans) {
    const std::string key = key_of(orphan);
    Entry entry;
    if (const auto before = entries_.find(key); before != entries_.end()) {
      entry = std::move(before->second);
      entries_.erase(before);
    }
    entry.orphan = orphan;
    entry.lists = std::min(entry.lists + 1, 2U);
    seen.insert_or_assign(key, std::move(entry));
  }
  entries_ = std::move(seen);
}

std::vector<OrphanBook::Orphan> OrphanBook::due(SteadyTime now, std::size_t limit) const {
  std::vector<const Entry*> entries;
  for (const auto& [key, entry] : entries_) {
    if (entry.lists >= 2 && entry.look_at <= now) {
      entries.push_back(&entry);
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry* a, const Entry* b) { return a->look_at < b->look_at; });
  std::vector<Orphan> orphans;
  for (std::size_t i = 0; i < std::min(limit, entries.size()); ++i) {
    orphans.push_back(entries[i]->orphan);
  }
  return orphans;
}

void OrphanBook::look_again(const Orphan& orphan, SteadyTime when) {
  if (const auto found = entries_.find(key_of(orphan)); found != entries_.end()) {
    found->second.look_at = when;
  }
}

std::size_t OrphanBook::count(bool is_ours) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return entry.second.lists >= 2 && entry.second.orphan.is_ours == is_ours;
      }));
}

bool OrphanBook::report(const Orphan& orphan) {
  const auto found = entries_.find(key_of(orphan));
  return found != entries_.end() && !std::exchange(found->second.reported, true);
}

}  // namespace vkhost::pods
