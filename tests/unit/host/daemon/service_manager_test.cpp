#include "daemon/service_manager.hpp"

#include "support/test_folder.hpp"

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

TEST(ServiceManager, IsToldOverItsSocket) {
  const testing::TestFolder folder;
  const std::string path = folder.path() / "notify";
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(socket, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[0], path.c_str(), path.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);

  EXPECT_TRUE(notify_service_manager("READY=1"));

  std::array<char, 64> text{};
  const ssize_t size = ::recv(socket, text.data(), text.size(), MSG_DONTWAIT);
  EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(size < 0 ? 0 : size)), "READY=1");
  ::unsetenv("NOTIFY_SOCKET");
  ::close(socket);
}

TEST(ServiceManager, IsNotMissedWhereThereIsNone) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(notify_service_manager("READY=1"));

  ::setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
  EXPECT_FALSE(notify_service_manager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace vkhost::daemon
