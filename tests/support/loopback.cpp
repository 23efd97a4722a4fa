#include "support/loopback.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vkhost::testing {
namespace {

int checked(int outcome, const char* what) {
  if (outcome < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return outcome;
}

sockaddr_in loopback_address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

Descriptor make_socket() {
  return Descriptor(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

Listener bind_to_loopback(int port) {
  Listener listener{make_socket(), 0};
  const int on = 1;
  checked(::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on),
          "SO_REUSEADDR");
  sockaddr_in address = loopback_address(port);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  checked(::bind(listener.socket.get(), raw, size), "bind");
  checked(::getsockname(listener.socket.get(), raw, &size), "getsockname");
  listener.port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  reset();
  number_ = other.release();
  return *this;
}

Descriptor::~Descriptor() { reset(); }

void Descriptor::reset() {
  if (number_ >= 0) {
    ::close(release());
  }
}

Listener listen_on_loopback(int backlog) {
  // A port that was asked for by number stays with the socket when it is shut down and listens again;
  // one that the kernel chose does not.
  const Listener chosen = bind_to_loopback(0);
  Listener listener = bind_to_loopback(chosen.port);
  checked(::listen(listener.socket.get(), backlog), "listen");
  return listener;
}

Listener listen_without_blocking() {
  Listener listener = listen_on_loopback(SOMAXCONN);
  checked(::fcntl(listener.socket.get(), F_SETFL, O_NONBLOCK), "O_NONBLOCK");
  return listener;
}

Descriptor accept_one(const Listener& listener) {
  return Descriptor(
      checked(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

Descriptor connect_to(int port) {
  Descriptor socket = make_socket();
  sockaddr_in address = loopback_address(port);
  checked(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
          "connect");
  return socket;
}

std::pair<Descriptor, Descriptor> connected_pair() {
  const Listener listener = listen_on_loopback(1);
  Descriptor near = connect_to(listener.port);
  Descriptor far = accept_one(listener);
  return {std::move(near), std::move(far)};
}

void reset_on_close(int descriptor) {
  const linger at_once{1, 0};
  checked(::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "SO_LINGER");
}

}  // namespace vkhost::testing
