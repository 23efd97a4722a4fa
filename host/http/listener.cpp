#include "http/listener.hpp"

#include "http/deadline_socket.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SocketAddress.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace vkhost::http {
namespace {

constexpr int kBacklog = 256;

Status system_failure(const std::string& what) {
  return unavailable(what + ": " + std::generic_category().message(errno));
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (number_ >= 0) {
    ::close(number_);
  }
}
OwnedDescriptor::OwnedDescriptor(OwnedDescriptor&& other) noexcept : number_(other.release()) {}
OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}
int OwnedDescriptor::release() { return std::exchange(number_, -1); }

Result<BoundListener> bind_listener(const std::string& address, int port) {
  Poco::Net::IPAddress ip;
  in6_addr wide{};
  if (::inet_pton(AF_INET6, address.c_str(), &wide) == 1) {
    ip = Poco::Net::IPAddress(&wide, sizeof wide);  // tryParse takes "::" for no address
  } else if (!Poco::Net::IPAddress::tryParse(address, ip)) {
    return invalid_argument("listen address '" + address + "' is no IP address");
  }
  if (port < 0 || port > 65535) {
    return invalid_argument("port " + std::to_string(port) + " is not between 0 and 65535");
  }
  const Poco::Net::SocketAddress wanted(ip, static_cast<std::uint16_t>(port));
  const std::string name = "listening on " + wanted.toString();
  BoundListener bound{OwnedDescriptor(::socket(
                          wanted.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)),
                      0};
  const int descriptor = bound.descriptor.get();
  if (descriptor < 0) {
    return system_failure(name);
  }
  const int on = 1;
  const int off = 0;
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  if (wanted.af() == AF_INET6) {
    static_cast<void>(::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
  }
  sockaddr_storage got{};
  socklen_t size = sizeof got;
  if (::bind(descriptor, wanted.addr(), wanted.length()) != 0 ||
      ::listen(descriptor, kBacklog) != 0 ||
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&got), &size) != 0) {
    return system_failure(name);
  }
  bound.port = Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&got), size).port();
  return bound;
}

Accepted accept_connection(int listener) {
  Accepted accepted;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  auto* raw = reinterpret_cast<sockaddr*>(&from);
  int descriptor = -1;
  do {  // ECONNABORTED: one that was gone before its turn
    size = sizeof from;
    descriptor = ::accept4(listener, raw, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (descriptor < 0) {
    accepted.out_of_descriptors =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return accepted;
  }
  accepted.descriptor = OwnedDescriptor(descriptor);
  try {
    accepted.remote_address = Poco::Net::SocketAddress(raw, size).toString();
  } catch (const Poco::Exception&) {
    accepted.remote_address = "unknown";
  }
  tune_connection(descriptor);
  return accepted;
}

Result<WakeUp> WakeUp::create() {
  OwnedDescriptor descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (descriptor.get() < 0) {
    return system_failure("eventfd");
  }
  return WakeUp(std::move(descriptor));
}

void WakeUp::wake() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake already.
  static_cast<void>(!::write(descriptor_.get(), &one, sizeof one));
}

void WakeUp::clear() const {
  std::uint64_t count = 0;
  static_cast<void>(!::read(descriptor_.get(), &count, sizeof count));
}

}  // namespace vkhost::http
