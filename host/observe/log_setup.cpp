#include "observe/log_setup.hpp"

#include "observe/log_entry.hpp"

#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace vkhost::observe {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Trace:
      return spdlog::level::trace;
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
    case Level::Off:
      break;
  }
  return spdlog::level::off;
}

// The payload is a finished line: spdlog's own patterns do not escape what stands in it.
class LineFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    out.append(message.payload.data(), message.payload.data() + message.payload.size());
    out.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>();
  }
};

// One write(2) for each line, so that lines of several processes on one pipe do not mix.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit DescriptorSink(int descriptor)
      : base_sink(std::make_unique<LineFormatter>()), descriptor_(descriptor) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view rest(line.data(), line.size());
    while (!rest.empty()) {
      const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written < 0 && errno != EINTR) {
        return;  // nowhere to report it
      }
      rest.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
  }
  void flush_() override {}

 private:
  const int descriptor_;
};

}  // namespace

class Log::Sink final : public LogSink {
 public:
  Sink(const LogSettings& settings, std::shared_ptr<const Clock> clock)
      : clock_(std::move(clock)),
        json_(settings.format == LogFormat::Json ||
              (settings.format == LogFormat::Auto && ::isatty(settings.descriptor) == 0)),
        colour_(!settings.no_colour && ::isatty(settings.descriptor) == 1),
        level_(settings.level),
        logger_("vkhost", std::make_shared<DescriptorSink>(settings.descriptor)) {
    logger_.set_level(to_spdlog(settings.level));
    logger_.set_error_handler([](const std::string&) {});
  }

  [[nodiscard]] bool accepts(Level level) const override {
    return level != Level::Off && logger_.should_log(to_spdlog(level));
  }

  void write(Level level, std::string_view message, const Fields& fields) override {
    const LogEntry entry{clock_->wall_now(), level, message, fields};
    const std::string line = json_ ? json_line(entry) : text_line(entry, colour_);
    logger_.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

  void set_level(Level level) {
    level_.store(level);
    logger_.set_level(to_spdlog(level));
  }
  [[nodiscard]] Level level() const { return level_.load(); }

 private:
  const std::shared_ptr<const Clock> clock_;
  const bool json_;
  const bool colour_;
  std::atomic<Level> level_;
  spdlog::logger logger_;
};

Log::Log(const LogSettings& settings, std::shared_ptr<const Clock> clock)
    : real_(std::make_shared<Sink>(settings, std::move(clock))), sink_(real_) {}

void Log::set_level(Level level) { real_->set_level(level); }

Level Log::level() const { return real_->level(); }

}  // namespace vkhost::observe
