#include "http/deadline_socket.hpp"

#include "http/socket_exceptions.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace vkhost::http {
namespace {

constexpr int kKeepIdleSeconds = 30;
constexpr int kKeepIntervalSeconds = 10;
constexpr int kKeepCount = 3;
constexpr int kUserTimeoutMillis = 60'000;

void set_option(int descriptor, int level, int option, int value) {
  static_cast<void>(::setsockopt(descriptor, level, option, &value, sizeof value));
}

int poll_timeout(SteadyTime until) {
  if (until == SteadyTime::max()) {
    return -1;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(
      std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

void tune_connection(int descriptor) {
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
  set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMillis);
}

DeadlineSocketImpl::DeadlineSocketImpl(int descriptor)
    : StreamSocketImpl(descriptor), deadline_(SteadyTime::max().time_since_epoch().count()) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) {
    error();
  }
}

DeadlineSocketImpl::~DeadlineSocketImpl() {
  const MutexLock lock(mutex_);
  close_descriptor();
}

void DeadlineSocketImpl::set_deadline(Deadline deadline) {
  deadline_ = deadline.when().time_since_epoch().count();
}

SteadyTime DeadlineSocketImpl::limit(const Poco::Timespan& timeout) const {
  const SteadyTime deadline{SteadyTime::duration{deadline_.load()}};
  if (timeout.totalMicroseconds() <= 0) {
    return deadline;
  }
  const auto now = std::chrono::steady_clock::now();
  return std::min(deadline, now + std::chrono::microseconds{timeout.totalMicroseconds()});
}

// False when `until` passed first. The lock is not held: a thread that writes must not wait for one
// that waits to read.
bool DeadlineSocketImpl::wait_until(Want want, SteadyTime until) {
  pollfd entry{sockfd(), static_cast<short>(want == Want::Write ? POLLOUT : POLLIN), 0};
  for (;;) {
    const int ready = ::poll(&entry, 1, poll_timeout(until));
    if (shut_down_) {
      throw CancelledException("the connection was shut down by this side");
    }
    if (ready > 0) {
      return true;
    }
    if (ready == 0 && std::chrono::steady_clock::now() >= until) {
      return false;
    }
    if (ready < 0 && errno != EINTR) {
      error();
    }
  }
}

void DeadlineSocketImpl::wait(Want want) {
  if (want != Want::Nothing && !wait_until(want, limit(Poco::Timespan()))) {
    throw DeadlineException("waiting for the other side");
  }
}

void DeadlineSocketImpl::check_usable() {
  if (shut_down_) {
    throw CancelledException("the connection was shut down by this side");
  }
  if (sockfd() == POCO_INVALID_SOCKET) {
    throw Poco::Net::InvalidSocketException("the connection is closed");
  }
}

IoStep DeadlineSocketImpl::try_receive(void* buffer, std::size_t capacity) {
  const MutexLock lock(mutex_);
  check_usable();
  return receive_step(buffer, capacity);
}

IoStep DeadlineSocketImpl::try_send(const void* data, std::size_t size) {
  const MutexLock lock(mutex_);
  check_usable();
  return send_step(data, size);
}

IoStep DeadlineSocketImpl::complete(const Poco::Timespan& timeout,
                                    const std::function<IoStep()>& step) {
  const SteadyTime until = limit(timeout);
  for (;;) {
    const IoStep result = step();
    if (result.want == Want::Nothing) {
      return result;
    }
    if (!wait_until(result.want, until)) {
      throw DeadlineException(result.want == Want::Write
                                  ? "the other side does not take what is sent"
                                  : "the other side does not send");
    }
  }
}

int DeadlineSocketImpl::sendBytes(const void* buffer, int length, int /*flags*/) {
  const Poco::Timespan timeout(send_timeout_.load());
  const char* data = static_cast<const char*>(buffer);
  auto left = static_cast<std::size_t>(std::max(length, 0));
  while (left > 0) {
    const IoStep done = complete(timeout, [&] { return try_send(data, left); });
    data += done.bytes;
    left -= done.bytes;
  }
  return length;
}

int DeadlineSocketImpl::sendBytes(const Poco::Net::SocketBufVec& buffers, int flags) {
  int sent = 0;
  for (const auto& part : buffers) {
    sent += sendBytes(part.iov_base, static_cast<int>(part.iov_len), flags);
  }
  return sent;
}

int DeadlineSocketImpl::receiveBytes(void* buffer, int length, int /*flags*/) {
  const auto capacity = static_cast<std::size_t>(std::max(length, 0));
  const IoStep done = complete(Poco::Timespan(receive_timeout_.load()),
                               [&] { return try_receive(buffer, capacity); });
  return static_cast<int>(done.bytes);
}

int DeadlineSocketImpl::receiveBytes(Poco::Net::SocketBufVec& buffers, int flags) {
  for (auto& part : buffers) {
    if (part.iov_len > 0) {  // like readv(2), which may stop early
      return receiveBytes(part.iov_base, static_cast<int>(part.iov_len), flags);
    }
  }
  return 0;
}

int DeadlineSocketImpl::receiveBytes(Poco::Buffer<char>& buffer,
                                     int flags,
                                     const Poco::Timespan& timeout) {
  constexpr std::size_t kPiece = 16 * 1024;
  if (!poll(timeout, SELECT_READ)) {
    return 0;
  }
  buffer.resize(kPiece, false);
  const int received = receiveBytes(buffer.begin(), static_cast<int>(kPiece), flags);
  buffer.resize(static_cast<std::size_t>(received), true);
  return received;
}

bool DeadlineSocketImpl::poll(const Poco::Timespan& timeout, int mode) {
  if ((mode & SELECT_READ) != 0 && available() > 0) {
    return true;
  }
  // Unlike elsewhere, a timeout of zero means "do not wait" here.
  const SteadyTime until =
      std::min(SteadyTime{SteadyTime::duration{deadline_.load()}},
               std::chrono::steady_clock::now() +
                   std::chrono::microseconds{
                       std::max<Poco::Timespan::TimeDiff>(timeout.totalMicroseconds(), 0)});
  return wait_until((mode & SELECT_WRITE) != 0 ? Want::Write : Want::Read, until);
}

int DeadlineSocketImpl::available() {
  const MutexLock lock(mutex_);
  check_usable();
  return static_cast<int>(buffered_step());
}

bool DeadlineSocketImpl::is_quiet() {
  const MutexLock lock(mutex_);
  if (shut_down_ || sockfd() == POCO_INVALID_SOCKET) {
    return false;
  }
  char byte = 0;
  // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): the descriptor does not block
  return ::recv(sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN);
}

void DeadlineSocketImpl::close() {
  const MutexLock lock(mutex_);
  finish_step();
  close_descriptor();
}

void DeadlineSocketImpl::close_descriptor() {
  if (sockfd() != POCO_INVALID_SOCKET) {
    StreamSocketImpl::close();
  }
}

int DeadlineSocketImpl::release_descriptor() {
  const MutexLock lock(mutex_);
  const int descriptor = sockfd();
  reset();
  return descriptor;
}

void DeadlineSocketImpl::shutdown() {
  // The lock keeps close() from giving the number to another connection in between.
  const MutexLock lock(mutex_);
  shut_down_ = true;
  if (sockfd() != POCO_INVALID_SOCKET) {
    static_cast<void>(::shutdown(sockfd(), SHUT_RDWR));
  }
}

void DeadlineSocketImpl::shutdownSend() {
  const MutexLock lock(mutex_);
  check_usable();
  finish_step();
  static_cast<void>(::shutdown(sockfd(), SHUT_WR));
}

IoStep DeadlineSocketImpl::receive_step(void* buffer, std::size_t capacity) {
  for (;;) {
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): the descriptor does not block
    const ssize_t got = ::recv(sockfd(), buffer, capacity, 0);
    if (got >= 0) {
      return {static_cast<std::size_t>(got), Want::Nothing, got == 0};
    }
    if (errno == EAGAIN) {
      return {0, Want::Read, false};
    }
    if (errno != EINTR) {
      error(errno, "receiving");
    }
  }
}

IoStep DeadlineSocketImpl::send_step(const void* data, std::size_t size) {
  const ssize_t sent = raw_send(data, size);
  if (sent >= 0) {
    return {static_cast<std::size_t>(sent), Want::Nothing, false};
  }
  if (errno == EAGAIN) {
    return {0, Want::Write, false};
  }
  if (errno == EPIPE) {
    throw Poco::Net::ConnectionResetException("the other side closed the connection");
  }
  error(errno, "sending");
  return {};
}

std::size_t DeadlineSocketImpl::buffered_step() {
  int bytes = 0;
  return ::ioctl(sockfd(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

// Never SIGPIPE, whatever the process does with signals.
ssize_t DeadlineSocketImpl::raw_send(const void* data, std::size_t size) {
  ssize_t sent = 0;
  do {
    sent = ::send(sockfd(), data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent > 0) {
    bytes_sent_ += static_cast<std::uint64_t>(sent);
  }
  return sent;
}

void DeadlineSocketImpl::setSendTimeout(const Poco::Timespan& timeout) {
  send_timeout_ = timeout.totalMicroseconds();
}
Poco::Timespan DeadlineSocketImpl::getSendTimeout() { return {send_timeout_.load()}; }
void DeadlineSocketImpl::setReceiveTimeout(const Poco::Timespan& timeout) {
  receive_timeout_ = timeout.totalMicroseconds();
}
Poco::Timespan DeadlineSocketImpl::getReceiveTimeout() { return {receive_timeout_.load()}; }
void DeadlineSocketImpl::setBlocking(bool flag) { blocking_ = flag; }
bool DeadlineSocketImpl::getBlocking() const { return blocking_; }

namespace {
[[noreturn]] void refuse_datagrams() {
  throw Poco::InvalidAccessException("a stream connection has no datagrams and no urgent data");
}
}  // namespace

int DeadlineSocketImpl::sendTo(const void* /*buffer*/,
                               int /*length*/,
                               const Poco::Net::SocketAddress& /*address*/,
                               int /*flags*/) {
  refuse_datagrams();
}
int DeadlineSocketImpl::sendTo(const Poco::Net::SocketBufVec& /*buffers*/,
                               const Poco::Net::SocketAddress& /*address*/,
                               int /*flags*/) {
  refuse_datagrams();
}
int DeadlineSocketImpl::receiveFrom(void* /*buffer*/,
                                    int /*length*/,
                                    Poco::Net::SocketAddress& /*address*/,
                                    int /*flags*/) {
  refuse_datagrams();
}
int DeadlineSocketImpl::receiveFrom(Poco::Net::SocketBufVec& /*buffers*/,
                                    Poco::Net::SocketAddress& /*address*/,
                                    int /*flags*/) {
  refuse_datagrams();
}
void DeadlineSocketImpl::sendUrgent(unsigned char /*data*/) { refuse_datagrams(); }

}  // namespace vkhost::http
