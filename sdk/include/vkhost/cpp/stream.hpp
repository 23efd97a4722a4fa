// Stream: the session under logs, exec, attach and port-forward, with blocking reads and writes.
// The host has given the call a thread to block on; a client that goes away ends every wait with
// Error(Code::Cancelled), which may be left to fly; end_waits ends them for reasons of the provider. Different channels may be used from different
// threads, one channel from one thread at a time. [any-thread] [may-block]
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/ext/stream.h>
#include <vkhost/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vkhost::sdk {

enum class Channel : std::int32_t {
  Stdin = VKP_CHANNEL_STDIN,
  Stdout = VKP_CHANNEL_STDOUT,
  Stderr = VKP_CHANNEL_STDERR,
  Data = VKP_CHANNEL_DATA,
  Log = VKP_CHANNEL_LOG,
};

struct TerminalSize {
  std::uint16_t columns = 0;
  std::uint16_t rows = 0;
};

enum class LogStream : std::int32_t {
  Unknown = VKP_LOG_STREAM_UNKNOWN,
  Stdout = VKP_LOG_STREAM_STDOUT,
  Stderr = VKP_LOG_STREAM_STDERR,
};

struct LogRecord {
  std::string_view bytes;         // one line without its newline, or a part of one
  std::int64_t time_unix_ns = 0;  // 0: not known
  LogStream stream = LogStream::Unknown;
  bool partial = false;  // the line goes on in the next record
};

class Stream {
 public:
  explicit Stream(const vkp_stream* raw) noexcept : raw_(raw) {}

  // The session exists; once, before the first write. `applied`: VKP_OPENED_... bits, for logs.
  void opened(std::uint64_t applied = 0) const {
    require(raw_->opened(raw_, applied), "opening the stream");
  }

  // Waits for at least one byte; 0 is the end of the channel, or that of all waits.
  [[nodiscard]] std::size_t read(Channel channel, char* buffer, std::size_t capacity) const {
    for (;;) {
      std::size_t count = 0;
      const vkp_code answer = raw_->try_read(raw_, number(channel), buffer, capacity, &count);
      if (answer != VKP_UNAVAILABLE) {
        require(answer, "reading from the stream");
        return count;
      }
      if ((wait(readable(channel)) & VKP_READY_ENDED) != 0) {
        return 0;
      }
    }
  }

  // Waits until all of it was accepted.
  void write(Channel channel, std::string_view data) const {
    while (!data.empty()) {
      std::size_t count = 0;
      const vkp_code answer =
          raw_->try_write(raw_, number(channel), data.data(), data.size(), &count);
      if (answer == VKP_UNAVAILABLE) {
        wait_for_room(writable(channel));
        continue;
      }
      require(answer, "writing to the stream");
      data.remove_prefix(count);
    }
  }

  // Waits until the record was accepted; false when the host wants no more: return from the call.
  [[nodiscard]] bool write_log(const LogRecord& record) const {
    auto raw = sized<vkp_log_record>();
    raw.bytes = str(record.bytes);
    raw.time_unix_ns = record.time_unix_ns;
    raw.stream = static_cast<std::int32_t>(record.stream);
    raw.partial = record.partial;
    for (;;) {
      const vkp_code answer = raw_->try_write_log(raw_, &raw);
      if (answer == VKP_FAILED_PRECONDITION) {
        return false;
      }
      if (answer != VKP_UNAVAILABLE) {
        require(answer, "writing a log record");
        return true;
      }
      wait_for_room(VKP_READY_LOG);
    }
  }

  // This provider will write no more to the channel.
  void close(Channel channel) const {
    require(raw_->close(raw_, number(channel)), "closing a channel");
  }

  // The newest size of the terminal, if it has changed since the last call.
  [[nodiscard]] std::optional<TerminalSize> terminal_size() const noexcept {
    auto raw = sized<vkp_terminal_size>();
    if (raw_->terminal_size(raw_, &raw) != VKP_OK) {
      return std::nullopt;
    }
    return TerminalSize{raw.columns, raw.rows};
  }

  // Wakes every wait of this session, now and later: for the thread that saw the end while another
  // waits for input.
  void end_waits() const noexcept { raw_->end_waits(raw_); }

  // Waits until one of the VKP_READY_... bits holds and returns those that do; none when the time
  // was over. Without a time: for as long as it takes. A mask of 0 is a pause.
  [[nodiscard]] std::uint64_t wait(
      std::uint64_t mask, std::optional<std::chrono::milliseconds> at_most = std::nullopt) const {
    std::uint64_t ready = 0;
    const vkp_code answer = raw_->wait(raw_, mask, at_most ? at_most->count() : -1, &ready);
    if (answer == VKP_DEADLINE_EXCEEDED) {
      return 0;
    }
    require(answer, "waiting for the stream");
    return ready;
  }

  [[nodiscard]] const vkp_stream* raw() const noexcept { return raw_; }

 private:
  void wait_for_room(std::uint64_t mask) const {
    if ((wait(mask) & VKP_READY_ENDED) != 0) {
      throw Error(Code::Cancelled, "StreamEnded", "the session ended with output left to write");
    }
  }

  static std::int32_t number(Channel channel) noexcept {
    return static_cast<std::int32_t>(channel);
  }
  static std::uint64_t readable(Channel channel) noexcept {
    return channel == Channel::Data ? VKP_READY_DATA_READ : VKP_READY_STDIN;
  }
  static std::uint64_t writable(Channel channel) noexcept {
    switch (channel) {
      case Channel::Stderr:
        return VKP_READY_STDERR;
      case Channel::Data:
        return VKP_READY_DATA_WRITE;
      case Channel::Log:
        return VKP_READY_LOG;
      default:
        return VKP_READY_STDOUT;
    }
  }

  const vkp_stream* raw_;
};

}  // namespace vkhost::sdk
