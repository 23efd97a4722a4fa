#include "daemon/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

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

}  // namespace vkhost::daemon
