#include "http/stream_connection.hpp"

#include "http/deadline_socket.hpp"
#include "http/handler.hpp"
#include "http/socket_exceptions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vkhost::http {
namespace {

constexpr std::size_t kMostAtOnce = 1024 * 1024;

template <typename Work>
auto fenced(const Work& work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (...) {
    return status_of_current_exception();
  }
}

}  // namespace

StreamConnection::StreamConnection(std::shared_ptr<DeadlineSocketImpl> socket,
                                   std::string early,
                                   CancelToken cancel)
    : socket_(std::move(socket)), early_(std::move(early)), cancel_(std::move(cancel)) {
  socket_->set_deadline(Deadline::never());
}

StreamConnection::~StreamConnection() {
  // Others may still hold the socket, to shut it down; the client shall see the end now.
  static_cast<void>(fenced([&] {
    socket_->close();
    return true;
  }));
}

int StreamConnection::descriptor() const { return socket_->sockfd(); }

bool StreamConnection::has_buffered() const {
  if (early_at_ < early_.size()) {
    return true;
  }
  const auto waiting = fenced([&] { return socket_->available(); });
  return waiting.is_ok() && *waiting > 0;
}

Result<IoStep> StreamConnection::try_read(char* buffer, std::size_t capacity) {
  if (early_at_ < early_.size()) {
    const std::size_t size = std::min(capacity, early_.size() - early_at_);
    std::copy_n(early_.data() + early_at_, size, buffer);
    early_at_ += size;
    if (early_at_ == early_.size()) {
      early_ = {};
      early_at_ = 0;
    }
    return IoStep{size, Want::Nothing, false};
  }
  return fenced([&] { return socket_->try_receive(buffer, capacity); });
}

Result<IoStep> StreamConnection::try_write(const char* data, std::size_t size) {
  return fenced([&] { return socket_->try_send(data, size); });
}

Result<std::size_t> StreamConnection::read(char* buffer, std::size_t capacity, Deadline deadline) {
  if (early_at_ < early_.size()) {
    auto step = try_read(buffer, capacity);
    return step->bytes;
  }
  return fenced([&] {
    socket_->set_deadline(deadline);
    return static_cast<std::size_t>(
        socket_->receiveBytes(buffer, static_cast<int>(std::min(capacity, kMostAtOnce))));
  });
}

Status StreamConnection::write(std::string_view bytes, Deadline deadline) {
  return fenced([&] {
           socket_->set_deadline(deadline);
           for (std::size_t at = 0; at < bytes.size(); at += kMostAtOnce) {
             socket_->sendBytes(bytes.data() + at,
                                static_cast<int>(std::min(kMostAtOnce, bytes.size() - at)));
           }
           return true;
         })
      .status();
}

Status StreamConnection::write_head(int status, const Headers& headers, Deadline deadline) {
  return write(render_reply_head(status, headers), deadline);
}

Status StreamConnection::write_chunk(std::string_view bytes, Deadline deadline) {
  if (bytes.empty()) {  // would be the end
    return Status::ok();
  }
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  std::string chunk;
  chunk.reserve(bytes.size() + size.size() + 4);
  chunk.append(size.data(), end);
  chunk += "\r\n";
  chunk += bytes;
  chunk += "\r\n";
  return write(chunk, deadline);
}

Status StreamConnection::end_chunks(Deadline deadline) { return write("0\r\n\r\n", deadline); }

void StreamConnection::finish(Deadline deadline) {
  std::array<char, 4096> discarded{};
  const auto done = fenced([&] {
    socket_->set_deadline(deadline);
    socket_->shutdownSend();
    while (socket_->receiveBytes(discarded.data(), static_cast<int>(discarded.size())) > 0) {
    }
    return true;
  });
  static_cast<void>(done);  // whatever happened, nothing more is to be done with it
}

}  // namespace vkhost::http
