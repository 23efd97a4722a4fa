// OrphanBook: workloads that the provider lists and no pod here stands for. Remembers how often in a
// row each was seen and when it deserves the next look, and forgets those that a list does not name
// any more, so that it grows with the orphans of now only. Not thread-safe: guarded by its owner.
#pragma once

#include "base/clock.hpp"
#include "plugin/provider.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace vkhost::pods {

class OrphanBook {
 public:
  struct Orphan {
    plugin::PodRef ref;
    bool is_ours = false;  // bears our marks with UID and name: only such a one may be deleted
  };

  // One complete round of orphans, as a full list named them.
  void note_list(const std::vector<Orphan>& orphans);
  // Those seen in two lists in a row that are due for a look, the longest overdue first.
  [[nodiscard]] std::vector<Orphan> due(SteadyTime now, std::size_t limit) const;
  void look_again(const Orphan& orphan, SteadyTime when);
  // True the first time.
  bool report(const Orphan& orphan);
  // Those seen in two lists in a row, with our marks or without.
  [[nodiscard]] std::size_t count(bool is_ours) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Orphan orphan;
    unsigned lists = 0;  // in a row
    SteadyTime look_at{};
    bool reported = false;
  };
  static std::string key_of(const Orphan& orphan);

  std::map<std::string, Entry> entries_;
};

}  // namespace vkhost::pods
