// Descriptors a server waits on: a listening socket, and an eventfd that wakes its thread.
#pragma once

#include "base/status.hpp"

#include <string>
#include <utility>

namespace vkhost::http {

// Owns a descriptor.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int number = -1) : number_(number) {}
  ~OwnedDescriptor();
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  OwnedDescriptor(OwnedDescriptor&& other) noexcept;
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
  [[nodiscard]] int get() const { return number_; }
  int release();

 private:
  int number_;
};

struct BoundListener {
  OwnedDescriptor descriptor;
  int port = 0;
};
// Non-blocking. INVALID_ARGUMENT when `address` is no IP address, UNAVAILABLE when it can't be had.
Result<BoundListener> bind_listener(const std::string& address, int port);

struct Accepted {
  OwnedDescriptor descriptor;  // non-blocking; -1 when there was none
  std::string remote_address;
  bool out_of_descriptors = false;
};
[[nodiscard]] Accepted accept_connection(int listener);  // [no-block]

// Ends the poll(2) of the thread that owns it. [any-thread] [no-block]
class WakeUp {
 public:
  static Result<WakeUp> create();
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  void wake() const;
  void clear() const;  // by the thread that was woken

 private:
  explicit WakeUp(OwnedDescriptor descriptor) : descriptor_(std::move(descriptor)) {}
  OwnedDescriptor descriptor_;
};

}  // namespace vkhost::http
