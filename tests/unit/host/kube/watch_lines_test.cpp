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

  EXPECT_EQ(*lines->next(Deadline::never()), "{\"a\":1}");
  EXPECT_EQ(*lines->next(Deadline::never()), "{\"b\":2}");
  EXPECT_EQ(*lines->next(Deadline::never()), "\r");
  EXPECT_EQ(*lines->next(Deadline::never()), "{\"c\":3}");
  EXPECT_EQ(*lines->next(Deadline::never()), "");
  EXPECT_EQ(*lines->next(Deadline::never()), "") << "the end stays the end";
}

TEST(WatchLines, KeepsLargeEventsWhole) {
  const std::string large(700'000, 'x');
  const auto lines = lines_of({large + "\n" + large + "y\nz\n", StreamEnd{}});

  EXPECT_EQ(*lines->next(Deadline::never()), large);
  EXPECT_EQ(*lines->next(Deadline::never()), large + "y");
  EXPECT_EQ(*lines->next(Deadline::never()), "z");
}

TEST(WatchLines, TakesAHalfEventForACutConnection) {
  const auto lines = lines_of({"{\"a\":1}\n{\"b", StreamEnd{}});

  EXPECT_TRUE(lines->next(Deadline::never()).is_ok());
  EXPECT_EQ(lines->next(Deadline::never()).status().code(), StatusCode::Unavailable);
}

TEST(WatchLines, RefusesAnEndlessEvent) {
  const auto lines = lines_of({std::string(30'000, 'x'), StreamEnd{}}, 10'000);

  EXPECT_EQ(lines->next(Deadline::never()).status().code(), StatusCode::ResourceExhausted);
}

TEST(WatchLines, PassesTheFailureOn) {
  const auto lines = lines_of({"{}\n", unavailable("reset")});

  EXPECT_TRUE(lines->next(Deadline::never()).is_ok());
  EXPECT_EQ(lines->next(Deadline::never()).status().message(), "reset");
}

TEST(WatchLines, EndsAtTheDeadline) {
  const auto lines = lines_of({});

  EXPECT_EQ(lines->next(Deadline::at(SystemClock().steady_now())).status().code(),
            StatusCode::DeadlineExceeded);
}

}  // namespace
}  // namespace vkhost::kube
