#include "daemon/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace vkhost::daemon {

bool notify_service_manager(std::string_view message) {
  const char* path = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): never written
  sockaddr_un address{};
  if (path == nullptr || *path == '\0' || std::strlen(path) >= sizeof(address.sun_path)) {
    return false;
  }
  const std::size_t path_size = std::strlen(path);
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[0], path, path_size);
  if (path[0] == '@') {
    address.sun_path[0] = '\0';  // the abstract name space
  }
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    return false;
  }
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_size);
  const bool sent = ::sendto(socket, message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size) >= 0;
  ::close(socket);
  return sent;
}

// With the time, by which the manager knows the READY=1 that answers its own request from an earlier one.
bool notify_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto since_boot = std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(since_boot);
  return notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" +
                                std::to_string(microseconds.count()));
}

}  // namespace vkhost::daemon
