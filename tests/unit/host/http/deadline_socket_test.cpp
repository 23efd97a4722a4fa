#include "http/deadline_socket.hpp"

#include "base/cancel.hpp"
#include "base/thread.hpp"
#include "http/socket_exceptions.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::connected_pair;

struct Pair {
  SocketPtr near;
  testing::Descriptor far;
};

Pair make_pair() {
  auto [near, far] = connected_pair();
  return {share_socket(new DeadlineSocketImpl(near.release())), std::move(far)};
}

std::chrono::milliseconds timed(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

TEST(DeadlineSocket, ReceivesWhatArrivesAndThenTheEnd) {
  Pair pair = make_pair();
  ASSERT_EQ(::send(pair.far.get(), "hello", 5, 0), 5);
  pair.far.reset();
  char buffer[16];

  EXPECT_EQ(pair.near->receiveBytes(buffer, sizeof buffer), 5);
  EXPECT_EQ(pair.near->receiveBytes(buffer, sizeof buffer), 0);
}

TEST(DeadlineSocket, GivesUpAtTheReceiveTimeoutAndNotLater) {
  Pair pair = make_pair();
  pair.near->setReceiveTimeout(Poco::Timespan(0, 250'000));
  char byte = 0;

  const auto took =
      timed([&] { EXPECT_THROW(pair.near->receiveBytes(&byte, 1), DeadlineException); });

  EXPECT_GE(took, 250ms);
  EXPECT_LT(took, 490ms) << "a doubled timeout";
}

TEST(DeadlineSocket, HoldsTheDeadlineHoweverOftenBytesTrickleIn) {
  Pair pair = make_pair();
  CancelSource stop;
  Thread trickle("trickle", [&, token = stop.token()] {
    while (!token.wait_for(10ms) && ::send(pair.far.get(), "x", 1, MSG_NOSIGNAL) == 1) {
    }
  });
  pair.near->set_deadline(Deadline::at(std::chrono::steady_clock::now() + 150ms));
  char byte = 0;

  const auto took = timed([&] {
    EXPECT_THROW(
        {
          while (pair.near->receiveBytes(&byte, 1) == 1) {
          }
        },
        DeadlineException);
  });

  stop.cancel();
  EXPECT_GE(took, 140ms);
  EXPECT_LT(took, 1s);
}

TEST(DeadlineSocket, GivesUpWhenTheOtherSideStopsReading) {
  Pair pair = make_pair();
  pair.near->set_deadline(Deadline::at(std::chrono::steady_clock::now() + 100ms));
  const std::vector<char> much(64 * 1024 * 1024);

  EXPECT_THROW(pair.near->sendBytes(much.data(), static_cast<int>(much.size())), DeadlineException);
}

TEST(DeadlineSocket, StopsWaitingWhenAnotherThreadShutsItDown) {
  Pair pair = make_pair();
  CancelSource source;
  const CancelCallback link(source.token(), [&] { pair.near->shutdown(); });
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(30ms));
    source.cancel();
  });
  char byte = 0;

  const auto took =
      timed([&] { EXPECT_THROW(pair.near->receiveBytes(&byte, 1), CancelledException); });

  EXPECT_LT(took, 1s);
  EXPECT_THROW(pair.near->sendBytes("x", 1), CancelledException) << "cancelling is final";
}

TEST(DeadlineSocket, ReportsAResetAndSurvivesTheSignal) {
  Pair pair = make_pair();
  testing::reset_on_close(pair.far.get());
  pair.far.reset();
  char byte = 0;

  EXPECT_THROW(pair.near->receiveBytes(&byte, 1), Poco::Net::ConnectionResetException);
  EXPECT_THROW(pair.near->sendBytes("x", 1), Poco::Net::ConnectionResetException);
}

TEST(DeadlineSocket, IsQuietOnlyWhileNothingArrives) {
  Pair pair = make_pair();
  EXPECT_TRUE(pair.near->is_quiet());

  ASSERT_EQ(::send(pair.far.get(), "x", 1, 0), 1);
  ASSERT_TRUE(pair.near->poll(Poco::Timespan(1, 0), Poco::Net::SocketImpl::SELECT_READ));
  EXPECT_FALSE(pair.near->is_quiet());

  Pair ended = make_pair();
  ended.far.reset();
  ASSERT_TRUE(ended.near->poll(Poco::Timespan(1, 0), Poco::Net::SocketImpl::SELECT_READ));
  EXPECT_FALSE(ended.near->is_quiet());
}

TEST(DeadlineSocket, DoesNotWaitInSingleSteps) {
  Pair pair = make_pair();
  char byte = 0;

  const IoStep nothing = pair.near->try_receive(&byte, 1);
  EXPECT_EQ(nothing.want, Want::Read);

  EXPECT_FALSE(pair.near->poll(Poco::Timespan(0, 0), Poco::Net::SocketImpl::SELECT_READ));
  EXPECT_EQ(pair.near->try_send("x", 1).bytes, 1U);
  EXPECT_EQ(pair.near->bytes_sent(), 1U);
}

TEST(DeadlineSocket, HasNoDatagrams) {
  Pair pair = make_pair();
  Poco::Net::SocketAddress address;
  char byte = 0;

  EXPECT_THROW(pair.near->sendTo(&byte, 1, address), Poco::InvalidAccessException);
  EXPECT_THROW(pair.near->receiveFrom(&byte, 1, address), Poco::InvalidAccessException);
  EXPECT_THROW(pair.near->sendUrgent(1), Poco::InvalidAccessException);
}

TEST(DeadlineSocket, RefusesUseAfterClose) {
  Pair pair = make_pair();
  pair.near->close();
  char byte = 0;

  EXPECT_THROW(pair.near->receiveBytes(&byte, 1), Poco::Net::InvalidSocketException);
  pair.near->shutdown();  // harmless: a canceller may come late
}

}  // namespace
}  // namespace vkhost::http
