// DeadlineSocketImpl: a TCP connection below Poco's socket classes that can always be ended in time.
//
// Its descriptor never blocks; waits happen in poll(2), are bounded by the timeouts of Poco's
// interface and by one absolute deadline, and end at once when another thread calls shutdown().
// One thread may read while another writes, and any thread may call shutdown(); close() belongs to
// the owner, when nobody else uses the socket. Failures are exceptions: Poco's own and those of
// socket_exceptions.hpp. TlsSocketImpl puts TLS into it.
#pragma once

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/mutex.hpp"
#include "http/io_step.hpp"

#include <Poco/Net/StreamSocketImpl.h>

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace vkhost::http {

// No Nagle delay; keep-alive and TCP_USER_TIMEOUT notice within about a minute that the other host
// is gone. Options that the descriptor does not know (a pair of local sockets) are skipped.
void tune_connection(int descriptor);

class DeadlineSocketImpl : public Poco::Net::StreamSocketImpl {
 public:
  // Takes over a connected stream descriptor.
  explicit DeadlineSocketImpl(int descriptor);
  DeadlineSocketImpl(const DeadlineSocketImpl&) = delete;
  DeadlineSocketImpl& operator=(const DeadlineSocketImpl&) = delete;

  // Bounds every wait from now on, on the real steady clock; DeadlineException when it is past.
  void set_deadline(Deadline deadline);

  // [no-block]
  IoStep try_receive(void* buffer, std::size_t capacity);
  IoStep try_send(const void* data, std::size_t size);
  // Waits until a step that wanted `want` may succeed. [may-block]
  void wait(Want want);
  // Nothing has arrived, the end of the stream neither: fit to carry another request.
  [[nodiscard]] bool is_quiet();
  // After the end of the stream: it was no cut. Plain TCP has no word for that beyond the end itself.
  [[nodiscard]] virtual bool ended_cleanly() { return true; }
  // Bytes given to the kernel so far, TLS records included.
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] bool is_shut_down() const { return shut_down_; }

  // Gives the descriptor up without closing it, e.g. to put TLS on it. Only the owner, when nobody
  // else uses the socket.
  int release_descriptor();

  // Poco's interface. receiveBytes returns 0 at the end of the stream.
  int sendBytes(const void* buffer, int length, int flags = 0) override;
  int sendBytes(const Poco::Net::SocketBufVec& buffers, int flags = 0) override;
  int receiveBytes(void* buffer, int length, int flags = 0) override;
  int receiveBytes(Poco::Net::SocketBufVec& buffers, int flags = 0) override;
  int receiveBytes(Poco::Buffer<char>& buffer,
                   int flags = 0,
                   const Poco::Timespan& timeout = 100000) override;
  bool poll(const Poco::Timespan& timeout, int mode) override;
  int available() override;
  void close() override;
  // Ends all waits and the connection, from any thread. [no-block]
  void shutdown() override;
  void shutdownSend() override;
  // These only store numbers: the descriptor never blocks, so the kernel's timeouts mean nothing.
  void setSendTimeout(const Poco::Timespan& timeout) override;
  Poco::Timespan getSendTimeout() override;
  void setReceiveTimeout(const Poco::Timespan& timeout) override;
  Poco::Timespan getReceiveTimeout() override;
  void setBlocking(bool flag) override;
  [[nodiscard]] bool getBlocking() const override;
  // Datagram and urgent-data calls would go around TLS.
  int sendTo(const void* buffer,
             int length,
             const Poco::Net::SocketAddress& address,
             int flags = 0) override;
  int sendTo(const Poco::Net::SocketBufVec& buffers,
             const Poco::Net::SocketAddress& address,
             int flags = 0) override;
  int receiveFrom(void* buffer,
                  int length,
                  Poco::Net::SocketAddress& address,
                  int flags = 0) override;
  int receiveFrom(Poco::Net::SocketBufVec& buffers,
                  Poco::Net::SocketAddress& address,
                  int flags = 0) override;
  void sendUrgent(unsigned char data) override;

 protected:
  ~DeadlineSocketImpl() override;

  // One attempt with the lock held and the descriptor open.
  virtual IoStep receive_step(void* buffer, std::size_t capacity) VKHOST_REQUIRES(mutex_);
  virtual IoStep send_step(const void* data, std::size_t size) VKHOST_REQUIRES(mutex_);
  // Bytes already taken from the kernel.
  virtual std::size_t buffered_step() VKHOST_REQUIRES(mutex_);
  // Says goodbye while the descriptor is still ours.
  virtual void finish_step() VKHOST_REQUIRES(mutex_) {}

  // Repeats `step` until it wants nothing, waiting in between; `timeout` counts from now.
  IoStep complete(const Poco::Timespan& timeout, const std::function<IoStep()>& step);
  ssize_t raw_send(const void* data, std::size_t size);
  void close_descriptor() VKHOST_REQUIRES(mutex_);
  void check_usable() VKHOST_REQUIRES(mutex_);

  Mutex mutex_;  // around each single call into OpenSSL or the kernel, never around a wait

 private:
  [[nodiscard]] SteadyTime limit(const Poco::Timespan& timeout) const;
  bool wait_until(Want want, SteadyTime until);

  std::atomic<SteadyTime::rep> deadline_;
  std::atomic<bool> shut_down_ = false;
  std::atomic<std::uint64_t> bytes_sent_ = 0;
  std::atomic<Poco::Timespan::TimeDiff> send_timeout_ = 0;  // 0: none
  std::atomic<Poco::Timespan::TimeDiff> receive_timeout_ = 0;
  std::atomic<bool> blocking_ = true;
};

using SocketPtr = std::shared_ptr<DeadlineSocketImpl>;

// Poco counts references by itself; ours hold one of them together.
template <typename Socket>
std::shared_ptr<Socket> share_socket(Socket* socket) {
  return {socket, [](Socket* it) { it->release(); }};
}

}  // namespace vkhost::http
