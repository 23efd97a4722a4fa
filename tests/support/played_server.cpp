#include "support/played_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <utility>

namespace vkhost::testing {

PlayedServer::PlayedServer(Play play)
    : play_(std::move(play)),
      context_(TlsContext::server(issue_for_loopback(ca_))),
      accept_thread_("played-accept", [this] { accept_connections(); }) {}

PlayedServer::~PlayedServer() {
  stop_accepting_.raise();
  accept_thread_.join();
  std::list<Running> running;
  {
    const MutexLock lock(mutex_);
    running.swap(running_);
  }
  for (const auto& each : running) {
    {
      const MutexLock lock(each.connection->mutex);
      each.connection->stopping = true;
    }
    each.connection->wake.raise();
  }
}

void PlayedServer::push(const std::string& bytes) {
  const MutexLock lock(mutex_);
  for (const auto& each : running_) {
    const MutexLock connection_lock(each.connection->mutex);
    if (each.connection->open) {
      each.connection->to_send += bytes;
      each.connection->wake.raise();
    }
  }
}

PlayedServer::Answer PlayedServer::json(const std::string& body) {
  return {.bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body};
}

PlayedServer::Answer PlayedServer::open_stream() {
  return {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .then = Then::StayOpen};
}

std::string PlayedServer::chunk(const std::string& payload) {
  std::array<char, 20> size{};
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", payload.size());
  return std::string(size.data(), static_cast<std::size_t>(length)) + payload + "\r\n";
}

void PlayedServer::accept_connections() {
  for (;;) {
    if (wait_for_fd(listener_.socket.get(), POLLIN, {.wake_fd = stop_accepting_.get()}) != Io::Ok) {
      return;
    }
    auto socket = std::make_shared<Descriptor>(
        ::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (socket->get() < 0) {
      continue;
    }
    ++connections_so_far_;
    auto connection = std::make_shared<Connection>();
    const MutexLock lock(mutex_);  // push() finds a connection before anybody has seen a byte of it
    running_.push_back({connection, Thread("played-conn", [this, connection, socket] {
                          serve(*connection, std::move(*socket));
                        })});
  }
}

void PlayedServer::serve(Connection& connection, Descriptor socket) {
  const auto tls = TlsStream::serve(context_, std::move(socket));
  const Wait wait{.wake_fd = connection.wake.get()};
  MessageReader reader;
  Head head;
  if (tls->handshake(wait) != Io::Ok) {
    return;
  }
  while (reader.read_head(*tls, wait, &head) == Io::Ok) {
    std::string payload;
    BodyDecoder body = BodyDecoder::of_request(head);
    if (reader.read_body(*tls, wait, &body, &payload) != Io::Ok) {
      return;
    }
    const Answer answer = play_(head, payload);
    if (answer.then == Then::StayOpen) {
      // Before the first byte is out, so that who saw it can push.
      const MutexLock lock(connection.mutex);
      connection.open = true;
    }
    if (tls->write(answer.bytes, {}).outcome != Io::Ok || answer.then == Then::Close ||
        (answer.then == Then::StayOpen && !stream(connection, *tls))) {
      return;
    }
  }
}

bool PlayedServer::stream(Connection& connection, TlsStream& tls) {
  for (;;) {
    std::array<char, 1> unexpected{};
    const IoResult read = tls.read(unexpected, {.wake_fd = connection.wake.get()});
    if (read.outcome != Io::Woken) {
      return false;
    }
    connection.wake.lower();
    std::string bytes;
    {
      const MutexLock lock(connection.mutex);
      if (connection.stopping) {
        return false;
      }
      bytes.swap(connection.to_send);
    }
    if (tls.write(bytes, {}).outcome != Io::Ok) {
      return false;
    }
    // The last chunk ends the answer, not the connection.
    if (bytes.ends_with("0\r\n\r\n")) {
      const MutexLock lock(connection.mutex);
      connection.open = false;
      return true;
    }
  }
}

}  // namespace vkhost::testing
