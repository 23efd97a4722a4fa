// One log entry as one line: for people at a terminal, or as a JSON object for collectors. Pure
// functions. Whatever stands in message and fields, the result is one line, valid UTF-8, and cannot
// steer a terminal. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "observe/log.hpp"

#include <string>
#include <string_view>

namespace vkhost::observe {

struct LogEntry {
  WallTime time;
  Level level;
  std::string_view message;
  const Fields& fields;  // of two with the same key the later counts
};

[[nodiscard]] std::string_view level_name(Level level);  // "warn"

// "14:05:09.123 WARN  message  pod=default/web uid=…", with local time, without the newline.
[[nodiscard]] std::string text_line(const LogEntry& entry, bool colour);
// {"time":"…","level":"warn","message":"…","pod":"default/web",…}
[[nodiscard]] std::string json_line(const LogEntry& entry);

}  // namespace vkhost::observe
