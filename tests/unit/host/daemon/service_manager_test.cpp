#include "daemon/service_manager.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

namespace vkhost::daemon {
namespace {

class ServiceManager : public ::testing::Test {
 protected:
  ServiceManager() {
    const std::string path = folder_.path() / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(&address.sun_path[0], path.c_str(), path.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~ServiceManager() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  [[nodiscard]] std::string told() const {
    std::array<char, 128> text{};
    const ssize_t size = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), static_cast<std::size_t>(size < 0 ? 0 : size)};
  }

  const testing::TestFolder folder_;
  const int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(ServiceManager, IsToldOverItsSocket) {
  EXPECT_TRUE(notify_service_manager("READY=1"));

  EXPECT_EQ(told(), "READY=1");
}

TEST_F(ServiceManager, HearsOfAReloadWithItsTime) {
  EXPECT_TRUE(notify_reloading());

  EXPECT_THAT(told(), ::testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+"));
}

TEST(NoServiceManager, IsNotMissed) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(notify_service_manager("READY=1"));

  ::setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
  EXPECT_FALSE(notify_service_manager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace vkhost::daemon
