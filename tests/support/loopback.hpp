// TCP on loopback for tests of sockets: no fixed ports, nothing leaves the machine. Failures end the
// test with an exception. [any-thread]
#pragma once

#include <utility>

namespace vkhost::testing {

// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

struct Listener {
  Descriptor socket;
  int port = 0;
};

// On 127.0.0.1 and a free port. After ::shutdown() of the socket connections are refused, until
// ::listen() makes it listen again at the same port.
Listener listen_on_loopback(int backlog = 64);
// The same for accept loops: a connection that vanished again must not block accept().
Listener listen_without_blocking();
Descriptor accept_one(const Listener& listener);
Descriptor connect_to(int port);
// Both ends of one TCP connection.
std::pair<Descriptor, Descriptor> connected_pair();
// Closing it then sends a reset instead of an orderly end.
void reset_on_close(int descriptor);

}  // namespace vkhost::testing
