#include "http/stream_connection.hpp"

#include "base/thread.hpp"
#include "http/deadline_socket.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;

Deadline in_time(std::chrono::milliseconds time = 20s) {
  return Deadline::at(std::chrono::steady_clock::now() + time);
}

struct StreamPair {
  std::unique_ptr<StreamConnection> stream;
  testing::Descriptor far;
};

StreamPair make_stream(std::string early = "") {
  auto [near, far] = testing::connected_pair();
  return {std::make_unique<StreamConnection>(share_socket(new DeadlineSocketImpl(near.release())),
                                             std::move(early), CancelToken()),
          std::move(far)};
}

std::string all_from(const testing::Descriptor& from) {
  std::string all;
  char buffer[256];
  for (ssize_t got = 0; (got = ::recv(from.get(), buffer, sizeof buffer, 0)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

TEST(StreamConnection, ReadsFirstWhatArrivedBehindTheHead) {
  StreamPair pair = make_stream("early");
  ASSERT_EQ(::send(pair.far.get(), "late", 4, 0), 4);
  char buffer[16];

  EXPECT_TRUE(pair.stream->has_buffered());
  EXPECT_EQ(pair.stream->try_read(buffer, 3)->bytes, 3U);
  EXPECT_EQ(*pair.stream->read(buffer, sizeof buffer, in_time()), 2U);
  EXPECT_EQ(*pair.stream->read(buffer, sizeof buffer, in_time()), 4U);
  EXPECT_EQ(pair.stream->try_read(buffer, sizeof buffer)->want, Want::Read);
}

TEST(StreamConnection, WritesHeadsAndChunksRaw) {
  StreamPair pair = make_stream();

  EXPECT_TRUE(pair.stream->write_head(200, {{"Transfer-Encoding", "chunked"}}, in_time()).is_ok());
  EXPECT_TRUE(pair.stream->write_chunk("hello, world of chunks", in_time()).is_ok());
  EXPECT_TRUE(pair.stream->write_chunk("", in_time()).is_ok());
  EXPECT_TRUE(pair.stream->end_chunks(in_time()).is_ok());
  pair.stream.reset();

  EXPECT_EQ(all_from(pair.far),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\nhello, world of chunks\r\n"
            "0\r\n\r\n");
}

TEST(StreamConnection, GivesUpOnAReaderThatStopped) {
  StreamPair pair = make_stream();
  const std::string much(64 * 1024 * 1024, 'x');

  EXPECT_EQ(pair.stream->write(much, in_time(50ms)).code(), StatusCode::DeadlineExceeded);
}

TEST(StreamConnection, FinishesOnlyWhenTheOtherSideHasReadAll) {
  StreamPair pair = make_stream();
  ASSERT_EQ(::send(pair.far.get(), "unread", 6, 0), 6);
  ASSERT_TRUE(pair.stream->write("last words", in_time()).is_ok());
  std::string heard;
  Thread reader("reader", [&] {
    heard = all_from(pair.far);
    pair.far.reset();
  });

  pair.stream->finish(in_time());
  reader.join();

  EXPECT_EQ(heard, "last words");
}

TEST(StreamConnection, ReportsThatThePeerIsGone) {
  StreamPair pair = make_stream();
  testing::reset_on_close(pair.far.get());
  pair.far.reset();
  char byte = 0;

  EXPECT_EQ(pair.stream->read(&byte, 1, in_time()).status().code(), StatusCode::Unavailable);
}

}  // namespace
}  // namespace vkhost::http
