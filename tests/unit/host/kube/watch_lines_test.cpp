#include "kube/watch_lines.hpp"

#include "support/fake_transport.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using vkhost::testing::FakeServer;
using vkhost::testing::FakeTransport;
using vkhost::testing::StreamEnd;
using vkhost::testing::StreamStep;

std::unique_ptr<WatchLines> lines_of(std::vector<StreamStep> steps,
                                     std::size_t max_line_bytes = 1'000'000) {
  auto server = std::make_shared<FakeServer>();
  server->stream(std::move(steps));
  auto transport = std::make_shared<FakeTransport>(server);
  auto body = transport->open({}, Deadline::never(), {});
  return std::make_unique<WatchLines>(std::move(body).value(), transport, max_line_bytes);
}

TEST(WatchLines, JoinsAndSplitsWhatArrives) {
  const auto lines = lines_of({"{\"a\"", ":1}\n{\"b\":2}\n", "\n\r\n{\"c\"", ":3}\n", StreamEnd{}});

  EXPECT_EQ(**lines->try_next(), "{\"a\":1}");
  EXPECT_EQ(**lines->try_next(), "{\"b\":2}");
  EXPECT_EQ(**lines->try_next(), "\r");
  EXPECT_EQ(**lines->try_next(), "{\"c\":3}");
  EXPECT_EQ(**lines->try_next(), "");
  EXPECT_EQ(**lines->try_next(), "") << "the end stays the end";
}

TEST(WatchLines, KeepsLargeEventsWhole) {
  const std::string large(700'000, 'x');
  const auto lines = lines_of({large + "\n" + large + "y\nz\n", StreamEnd{}});

  EXPECT_EQ(**lines->try_next(), large);
  EXPECT_EQ(**lines->try_next(), large + "y");
  EXPECT_EQ(**lines->try_next(), "z");
}

TEST(WatchLines, TakesAHalfEventForACutConnection) {
  const auto lines = lines_of({"{\"a\":1}\n{\"b", StreamEnd{}});

  EXPECT_TRUE(lines->try_next().is_ok());
  EXPECT_EQ(lines->try_next().status().code(), StatusCode::Unavailable);
}

TEST(WatchLines, RefusesAnEndlessEvent) {
  const auto lines = lines_of({std::string(30'000, 'x'), StreamEnd{}}, 10'000);

  EXPECT_EQ(lines->try_next().status().code(), StatusCode::ResourceExhausted);
}

TEST(WatchLines, PassesTheFailureOn) {
  const auto lines = lines_of({"{}\n", unavailable("reset")});

  EXPECT_TRUE(lines->try_next().is_ok());
  EXPECT_EQ(lines->try_next().status().message(), "reset");
}

TEST(WatchLines, SaysThatMoreHasToArrive) {
  const auto lines = lines_of({"{\"a\":1}\n{\"b"});

  EXPECT_EQ(**lines->try_next(), "{\"a\":1}");
  for (int i = 0; i < 2; ++i) {
    const auto nothing = lines->try_next();
    ASSERT_TRUE(nothing.is_ok());
    EXPECT_FALSE(nothing->has_value());
  }
}

}  // namespace
}  // namespace vkhost::kube
