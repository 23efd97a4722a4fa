#include "http/response_head.hpp"

#include "http/socket_exceptions.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;

TEST(ResponseHead, HoldsStatusAndFieldsInOrder) {
  const ResponseHead head = parse_response_head(
      "HTTP/1.1 410 Gone\r\nB: 2\r\nA: 1\r\nA:  x y \r\nContent-Length: 3\r\n\r\n");

  EXPECT_EQ(head.status, 410);
  ASSERT_EQ(head.headers.size(), 4U);
  EXPECT_EQ(find_header(head.headers, "a"), "1");
  EXPECT_TRUE(head.keep_alive);
}

TEST(ResponseHead, TellsWhetherTheConnectionStays) {
  EXPECT_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").keep_alive);
  EXPECT_FALSE(parse_response_head("HTTP/1.0 200 OK\r\n\r\n").keep_alive);
  EXPECT_TRUE(parse_response_head("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(ResponseHead, ThatIsNoneIsAnErrorOfTheNetwork) {
  for (const std::string_view text :
       {"SSH-2.0-x\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc X\r\n\r\n", "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 99 X\r\n\r\n", "HTTP/1.1 1000 X\r\n\r\n"}) {
    EXPECT_THROW(static_cast<void>(parse_response_head(text)), Poco::Net::NetException) << text;
  }
}

struct Received {
  ResponseHead head;
  std::string rest;
};

Received receive_all(const std::string& wire, std::size_t most = 1024) {
  auto [near, far] = testing::connected_pair();
  SocketPtr socket = share_socket(new DeadlineSocketImpl(near.release()));
  socket->set_deadline(Deadline::at(std::chrono::steady_clock::now() + 10s));
  EXPECT_EQ(::send(far.get(), wire.data(), wire.size(), 0), static_cast<ssize_t>(wire.size()));
  far.reset();
  Received received;
  received.head = receive_head(*socket, received.rest, most);
  return received;
}

TEST(ResponseHead, LeavesWhatFollowsIt) {
  const Received got = receive_all("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");

  EXPECT_EQ(got.head.status, 200);
  EXPECT_EQ(got.rest, "body");
}

TEST(ResponseHead, ComesAfterInterimAnswers) {
  const Received got = receive_all(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 201 Created\r\n\r\n");

  EXPECT_EQ(got.head.status, 201);
}

TEST(ResponseHead, IsBounded) {
  EXPECT_THROW(receive_all("HTTP/1.1 200 OK\r\nA: " + std::string(5000, 'a') + "\r\n\r\n"),
               TooLargeException);
  std::string interim;
  for (int i = 0; i < 20; ++i) {
    interim += "HTTP/1.1 100 X\r\n\r\n";
  }
  EXPECT_THROW(receive_all(interim), Poco::Net::MessageException);
}

TEST(ResponseHead, ThatIsCutIsReported) {
  EXPECT_THROW(receive_all("HTTP/1.1 200 OK\r\nA: b\r\n"), TruncatedException);
  EXPECT_THROW(receive_all(""), TruncatedException);
}

}  // namespace
}  // namespace vkhost::http
