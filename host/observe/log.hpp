// Logger: structured log entries, passed to whoever logs. Copies are cheap and share one sink.
//
// A message is a plain sentence (never a format with user text); what varies goes into fields with
// the words of the glossary: pod (namespace/name), uid, node, provider, trace_id, error. Secrets have
// no way in: the types that hold them do not convert to text. [any-thread], blocks at most for the
// write of one line
#pragma once

#include "base/status.hpp"

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::observe {

enum class Level { Trace, Debug, Info, Warn, Error, Off };

struct Field {
  std::string key;
  std::string value;
};
using Fields = std::vector<Field>;

// Where entries end: spdlog in the daemon, a recording one in tests.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  [[nodiscard]] virtual bool accepts(Level level) const = 0;
  virtual void write(Level level, std::string_view message, const Fields& fields) = 0;
};

class Logger {
 public:
  Logger() = default;  // discards everything
  explicit Logger(std::shared_ptr<LogSink> sink) : sink_(std::move(sink)) {}

  // A logger that adds these fields to each entry.
  [[nodiscard]] Logger with(Fields fields) const;

  [[nodiscard]] bool accepts(Level level) const { return sink_ && sink_->accepts(level); }
  void log(Level level, std::string_view message, std::initializer_list<Field> fields = {}) const;
  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const {
    log(Level::Debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const {
    log(Level::Info, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<Field> fields = {}) const {
    log(Level::Warn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const {
    log(Level::Error, message, fields);
  }

 private:
  std::shared_ptr<LogSink> sink_;
  std::shared_ptr<const Fields> fields_;
};

// {"error", "UNAVAILABLE: …"}
[[nodiscard]] Field error_field(const Status& status);

}  // namespace vkhost::observe
