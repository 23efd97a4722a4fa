// The daemon's log: entries of a certain level and above, one line each, to a file descriptor.
// Built once by `daemon` or `cli` and passed on as a Logger; the level may be changed at any time.
// [any-thread]; a write blocks as long as the descriptor does. Lines that cannot be written are lost.
#pragma once

#include "base/clock.hpp"
#include "observe/log.hpp"

#include <memory>

namespace vkhost::observe {

enum class LogFormat { Auto, Text, Json };  // Auto: text on a terminal, else JSON

struct LogSettings {
  Level level = Level::Info;
  LogFormat format = LogFormat::Auto;
  bool no_colour = false;  // even on a terminal
  int descriptor = 2;      // stays the caller's
};

class Log {
 public:
  Log(const LogSettings& settings, std::shared_ptr<const Clock> clock);

  [[nodiscard]] Logger logger() const { return Logger(sink_); }
  void set_level(Level level);
  [[nodiscard]] Level level() const;

 private:
  class Sink;
  std::shared_ptr<Sink> real_;
  std::shared_ptr<LogSink> sink_;
};

}  // namespace vkhost::observe
