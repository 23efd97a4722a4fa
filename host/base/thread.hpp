// Thread: a named std::thread that is always joined, starts with asynchronous signals blocked (so
// that they reach only the thread that waits for them), and whose top frame ends the process with a
// sentence if an exception ever gets there. [any-thread]
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace vkhost {

class Thread {
 public:
  Thread() = default;
  // `name` shows in the process list; the kernel keeps 15 bytes of it.
  Thread(std::string name, std::function<void()> body);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;

  void join();  // returns at once when there is nothing to join
  [[nodiscard]] bool joinable() const { return thread_.joinable(); }

 private:
  std::thread thread_;
};

}  // namespace vkhost
