// RecordingLogSink: keeps log entries as text, "warn: message key=value …", for tests to look at.
// [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "observe/log.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

class RecordingLogSink final : public observe::LogSink {
 public:
  explicit RecordingLogSink(observe::Level least = observe::Level::Trace) : least_(least) {}

  [[nodiscard]] bool accepts(observe::Level level) const override { return level >= least_; }

  void write(observe::Level level,
             std::string_view message,
             const observe::Fields& fields) override {
    static constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info",
                                                               "warn",  "error", "off"};
    std::string line(kNames.at(static_cast<std::size_t>(level)));
    line += ": ";
    line += message;
    for (const observe::Field& field : fields) {
      line += " " + field.key + "=" + field.value;
    }
    MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
  }

  [[nodiscard]] std::vector<std::string> lines() const {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  const observe::Level least_;
  mutable Mutex mutex_;
  std::vector<std::string> lines_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
