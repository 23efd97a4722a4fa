#include <vkhost/provider.hpp>
#include <vkhost/support/fake_host.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace vkhost::sdk {
namespace {

TEST(FakeHost, WaitsForAPushThatIsStillToCome) {
  FakeHost host;
  std::thread provider([&] {
    PodChange change;
    change.uid = "uid-1";
    change.gone = true;
    Host(host.raw()).pod_changed(change);
  });

  const auto push = host.wait_for_push([](const FakeHost::Push& news) { return news.gone; });

  provider.join();
  ASSERT_TRUE(push);
  EXPECT_EQ(push->uid, "uid-1");
}

TEST(FakeHost, GivesUpOnAPushThatDoesNotCome) {
  FakeHost host;

  EXPECT_FALSE(
      host.wait_for_push([](const FakeHost::Push&) { return true; }, std::chrono::milliseconds(1)));
}

TEST(FakeHost, RefusesAHandleThatIsTooLong) {
  FakeHost host;

  EXPECT_EQ(Host(host.raw()).save_handle("uid-1", std::string(VKP_MAX_HANDLE_BYTES + 1, 'x')),
            Code::InvalidArgument);
}

TEST(FakeCall, KeepsTheLastError) {
  const FakeCall call;
  const Error first(Code::Internal, "First", "");
  const Error last(Code::Internal, "Last", "");
  const vkp_error raw_first = first.raw();
  const vkp_error raw_last = last.raw();

  call.raw()->fail(call.raw(), &raw_first);
  call.raw()->fail(call.raw(), &raw_last);

  EXPECT_EQ(call.error()->reason, "Last");
}

}  // namespace
}  // namespace vkhost::sdk
