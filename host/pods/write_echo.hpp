// WriteEcho: tells, for one pod, whether an object that the watch brings has to be compared with what
// the provider says. Its own write comes back as an event and needs no second look; everything else
// does, an own write made on the ground of an older object included.
//
// Events of one object come in order, each with a resourceVersion of its own, before or after the
// answer to the write that caused them. Versions are compared for equality only. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

class WriteEcho {
 public:
  // A write begins, worked out from the object of that version.
  void write_begins(std::string_view base_version);
  // `version` is that of the answer; empty when nothing was written. `newest_version` is that of the
  // object known now. True: compare again.
  [[nodiscard]] bool write_ends(const std::string& version, std::string_view newest_version);
  // The watch brought an object. True: compare.
  [[nodiscard]] bool object_seen(const std::string& version, bool status_moved);
  // A new list replaces what is known; no event of before it is still to come.
  void relisted();

 private:
  std::string outstanding_;         // version of the own write that has not come back yet
  bool compare_when_back_ = false;  // ... or at the end of one: something has to be looked at then

  bool writing_ = false;
  std::string base_;
  std::vector<std::string> seen_;   // versions that came while the write was under way
  std::vector<std::string> moved_;  // ... of them those that have to be compared, an own one maybe
  bool relisted_ = false;           // ... and a list, after which its echo may never come
};

}  // namespace vkhost::pods
