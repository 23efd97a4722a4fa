#include "http/listener.hpp"

#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <poll.h>

namespace vkhost::http {
namespace {

TEST(Listener, TakesAFreePortAndSaysWhich) {
  const auto bound = bind_listener("127.0.0.1", 0);
  ASSERT_TRUE(bound.is_ok()) << bound.status().to_string();
  EXPECT_EQ(accept_connection(bound->descriptor.get()).descriptor.get(), -1);

  const testing::Descriptor client = testing::connect_to(bound->port);
  const Accepted accepted = accept_connection(bound->descriptor.get());

  EXPECT_GE(accepted.descriptor.get(), 0);
  EXPECT_EQ(accepted.remote_address.rfind("127.0.0.1:", 0), 0U);
}

TEST(Listener, HearsBothFamiliesOnTheAddressThatStandsForAll) {
  const auto bound = bind_listener("::", 0);
  if (bound.status().code() == StatusCode::Unavailable) {
    GTEST_SKIP() << "a machine without IPv6: " << bound.status().message();
  }
  ASSERT_TRUE(bound.is_ok()) << bound.status().to_string();

  const testing::Descriptor client = testing::connect_to(bound->port);  // over IPv4

  EXPECT_GE(accept_connection(bound->descriptor.get()).descriptor.get(), 0);
}

TEST(Listener, ReportsWhatItCannotHave) {
  const auto taken = bind_listener("127.0.0.1", 0);
  ASSERT_TRUE(taken.is_ok());

  const Status again = bind_listener("127.0.0.1", taken->port).status();
  EXPECT_EQ(again.code(), StatusCode::Unavailable);
  EXPECT_NE(again.message().find(std::to_string(taken->port)), std::string::npos);
  EXPECT_EQ(bind_listener("localhost", 0).status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(bind_listener("127.0.0.1", 70'000).status().code(), StatusCode::InvalidArgument);
}

TEST(WakeUp, StaysUntilItIsCleared) {
  const auto wake_up = WakeUp::create();
  ASSERT_TRUE(wake_up.is_ok());
  pollfd entry{wake_up->descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 0), 0);

  wake_up->wake();
  wake_up->wake();
  EXPECT_EQ(::poll(&entry, 1, 0), 1);

  wake_up->clear();
  EXPECT_EQ(::poll(&entry, 1, 0), 0);
}

}  // namespace
}  // namespace vkhost::http
