#include <vkhost/cpp/stream.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vkhost::sdk {
namespace {

// A host's stream with room for four bytes at a time: it is full after each write until somebody
// waits, and has its input ready after the first wait.
struct TinyStream : vkp_stream {
  TinyStream() : vkp_stream{} {
    size = sizeof(vkp_stream);
    opened = [](const vkp_stream*, std::uint64_t) -> vkp_code { return VKP_OK; };
    try_read = [](const vkp_stream* raw, std::int32_t, char* buffer, std::size_t capacity,
                  std::size_t* read) -> vkp_code {
      TinyStream& self = of(raw);
      if (self.waits.empty()) {
        return VKP_UNAVAILABLE;
      }
      *read = std::min(capacity, self.input.size());
      std::copy_n(self.input.begin(), *read, buffer);
      self.input.erase(0, *read);
      return self.code;
    };
    try_write = [](const vkp_stream* raw, std::int32_t, const char* data, std::size_t data_size,
                   std::size_t* written) -> vkp_code {
      TinyStream& self = of(raw);
      if (self.full) {
        return VKP_UNAVAILABLE;
      }
      *written = std::min<std::size_t>(4, data_size);
      self.output.append(data, *written);
      self.full = true;
      return self.code;
    };
    try_write_log = [](const vkp_stream* raw, const vkp_log_record* record) -> vkp_code {
      TinyStream& self = of(raw);
      if (self.full) {
        return VKP_UNAVAILABLE;
      }
      self.output.append(record->bytes.data, record->bytes.size);
      return self.code;
    };
    wait = [](const vkp_stream* raw, std::uint64_t mask, std::int64_t timeout,
              std::uint64_t* ready) -> vkp_code {
      TinyStream& self = of(raw);
      self.waits.push_back(mask);
      self.full = false;
      *ready = self.ended ? std::uint64_t{VKP_READY_ENDED} : mask;
      return timeout >= 0 ? VKP_DEADLINE_EXCEEDED : VKP_OK;
    };
    terminal_size = [](const vkp_stream* raw, vkp_terminal_size* out) -> vkp_code {
      out->columns = 120;
      out->rows = 40;
      return of(raw).resized ? VKP_OK : VKP_UNAVAILABLE;
    };
    close = [](const vkp_stream*, std::int32_t) -> vkp_code { return VKP_INVALID_ARGUMENT; };
    end_waits = [](const vkp_stream* raw) { of(raw).ended = true; };
  }
  static TinyStream& of(const vkp_stream* raw) {
    return *const_cast<TinyStream*>(static_cast<const TinyStream*>(raw));
  }

  std::string input;
  std::string output;
  std::vector<std::uint64_t> waits;
  vkp_code code = VKP_OK;
  bool full = false;
  bool resized = false;
  bool ended = false;
};

TEST(Stream, WritesAllAndWaitsWhileItIsFull) {
  TinyStream raw;

  Stream(&raw).write(Channel::Stderr, "0123456789");

  EXPECT_EQ(raw.output, "0123456789");
  EXPECT_EQ(raw.waits, std::vector<std::uint64_t>(2, VKP_READY_STDERR));
}

TEST(Stream, ReadsOnceThereIsSomething) {
  TinyStream raw;
  raw.input = "abc";
  const Stream stream(&raw);
  std::array<char, 8> buffer{};

  EXPECT_EQ(stream.read(Channel::Data, buffer.data(), buffer.size()), 3U);
  EXPECT_EQ(raw.waits, std::vector<std::uint64_t>(1, VKP_READY_DATA_READ));
  EXPECT_EQ(stream.read(Channel::Data, buffer.data(), buffer.size()), 0U) << "the end";
}

TEST(Stream, EndsReadingWhenAnotherThreadEndsTheWaits) {
  TinyStream raw;
  const Stream stream(&raw);
  std::array<char, 8> buffer{};

  stream.end_waits();

  EXPECT_EQ(stream.read(Channel::Stdin, buffer.data(), buffer.size()), 0U);
}

TEST(Stream, DoesNotSpinOnAFullChannelAfterTheEndOfWaits) {
  TinyStream raw;
  raw.full = true;
  raw.ended = true;

  EXPECT_THROW(Stream(&raw).write(Channel::Stdout, "abc"), Error);
}

TEST(Stream, ThrowsCancelledWhenTheClientIsGone) {
  TinyStream raw;
  raw.code = VKP_CANCELLED;

  try {
    Stream(&raw).write(Channel::Stdout, "abc");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::Cancelled);
  }
}

TEST(Stream, SaysWhenTheHostWantsNoMoreLogs) {
  TinyStream raw;
  raw.full = true;
  LogRecord record;
  record.bytes = "line";

  EXPECT_TRUE(Stream(&raw).write_log(record));
  EXPECT_EQ(raw.output, "line");

  raw.code = VKP_FAILED_PRECONDITION;
  EXPECT_FALSE(Stream(&raw).write_log(record));
}

TEST(Stream, TellsANewTerminalSizeOnly) {
  TinyStream raw;
  EXPECT_FALSE(Stream(&raw).terminal_size());

  raw.resized = true;

  EXPECT_EQ(Stream(&raw).terminal_size()->columns, 120);
}

TEST(Stream, ReportsNothingReadyWhenTheTimeIsOver) {
  TinyStream raw;

  EXPECT_EQ(Stream(&raw).wait(VKP_READY_STDIN, std::chrono::milliseconds(5)), 0U);
}

TEST(Stream, ThrowsForAChannelThatDoesNotExist) {
  TinyStream raw;

  EXPECT_NO_THROW(Stream(&raw).opened());
  EXPECT_THROW(Stream(&raw).close(Channel::Log), Error);
}

}  // namespace
}  // namespace vkhost::sdk
