// Journal: the disk of the mock's back end. `calls.log` gets one JSON line for everything that
// happens, before it takes effect; `workloads.json` is what came of the first so many bytes of it,
// so that opening need not read all of a long log. A process killed at any instant leaves at worst
// half a last line, which had no effect and is skipped. A folder belongs to one process at a time.
//
// append is [any-thread] and makes one write(2) of a whole line; the rest is for one thread.
#pragma once

#include "json.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

namespace vkhost::mock {

class Journal {
 public:
  // Without a folder nothing is kept. Throws Error(FailedPrecondition) when the folder cannot be
  // made, read or locked.
  explicit Journal(const std::string& folder);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Hands over the snapshot (`workloads.json`, if there is one) and then each later line of the log.
  // What cannot be read is told to `skipped` and left out.
  void replay(const std::function<void(const Json&)>& snapshot,
              const std::function<void(const Json&)>& line,
              const std::function<void(const std::string&)>& skipped);

  // `members` are those of a JSON object, to which the size of the log is added. That of all lines
  // so far must be in it.
  void write_snapshot(std::string_view members);

  // Throws Error(Unavailable) when the line was not written.
  void append(std::string line);

 private:
  std::string folder_;
  int log_ = -1;
  std::atomic<bool> torn_{false};  // the log does not end with a whole line
};

}  // namespace vkhost::mock
