#include "http/dialer.hpp"

#include "http/response_head.hpp"
#include "http/socket_exceptions.hpp"
#include "http/tls_context.hpp"
#include "http/tls_socket.hpp"

#include <Poco/Base64Encoder.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

namespace vkhost::http {
namespace {

constexpr std::chrono::milliseconds kLeastPerAddress{250};
constexpr std::size_t kMostProxyHeadBytes = 16 * 1024;

std::string text_of(int error) { return std::generic_category().message(error); }

// The share of one address when `left` are still to be tried, so that one that swallows packets does
// not use up the time of all.
Deadline share_of(Deadline whole, std::size_t left) {
  const auto now = std::chrono::steady_clock::now();
  if (whole.is_never() || left <= 1) {
    return whole;
  }
  const auto part = std::max<SteadyTime::duration>(
      (whole.when() - now) / static_cast<SteadyTime::rep>(left), kLeastPerAddress);
  return whole.earlier(Deadline::at(now + part));
}

}  // namespace

std::string basic_credentials(const std::string& user_info) {
  std::ostringstream out;
  Poco::Base64Encoder encoder(out);
  encoder.rdbuf()->setLineLength(0);
  encoder << user_info;
  encoder.close();
  return "Basic " + out.str();
}

Dialer::Dialer(Endpoint server,
               std::optional<Endpoint> proxy,
               std::shared_ptr<const TlsContext> tls,
               std::string tls_name)
    : server_(std::move(server)),
      proxy_(std::move(proxy)),
      tls_(std::move(tls)),
      tls_name_(std::move(tls_name)),
      resolver_(proxy_ ? proxy_->host : server_.host, proxy_ ? proxy_->port : server_.port) {}

Result<SocketPtr> Dialer::dial(Deadline deadline, const CancelToken& cancel) {
  VKHOST_TRY_ASSIGN(SocketPtr socket, connect_any(deadline, cancel));
  if (tls_ == nullptr) {
    return socket;
  }
  if (proxy_) {
    VKHOST_TRY(ask_proxy(socket, cancel).while_doing("proxy " + proxy_->authority_with_port()));
  }
  return begin_tls(socket, deadline, cancel);
}

Result<SocketPtr> Dialer::connect_any(Deadline deadline, const CancelToken& cancel) {
  VKHOST_TRY_ASSIGN(const auto addresses, resolver_.resolve(deadline, cancel));
  Status last = unavailable("no address to connect to");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto socket = connect(addresses[i], share_of(deadline, addresses.size() - i), cancel);
    if (socket) {
      (*socket)->set_deadline(deadline);
      return socket;
    }
    last = socket.status().while_doing("connecting to " + addresses[i].toString());
    if (cancel.is_cancelled()) {
      return last;
    }
  }
  return last;
}

Result<SocketPtr> Dialer::connect(const Poco::Net::SocketAddress& address,
                                  Deadline deadline,
                                  const CancelToken& cancel) const {
  const int descriptor =
      ::socket(address.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) {
    return unavailable("socket: " + text_of(errno));
  }
  try {
    SocketPtr socket = share_socket(new DeadlineSocketImpl(descriptor));
    socket->set_deadline(deadline);
    tune_connection(descriptor);
    if (::connect(descriptor, address.addr(), address.length()) != 0) {
      if (errno != EINPROGRESS && errno != EINTR) {
        return unavailable(text_of(errno));
      }
      const CancelCallback link(cancel, [socket] { socket->shutdown(); });
      socket->wait(Want::Write);
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
      return unavailable(text_of(error));
    }
    return socket;
  } catch (...) {
    return status_of_current_exception();
  }
}

Status Dialer::ask_proxy(const SocketPtr& socket, const CancelToken& cancel) const {
  const std::string target = server_.authority_with_port();
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_->user_info.empty()) {
    request += "Proxy-Authorization: " + basic_credentials(proxy_->user_info) + "\r\n";
  }
  request += "\r\n";
  try {
    const CancelCallback link(cancel, [socket] { socket->shutdown(); });
    socket->sendBytes(request.data(), static_cast<int>(request.size()));
    std::string early;
    const ResponseHead head = receive_head(*socket, early, kMostProxyHeadBytes);
    if (head.status < 200 || head.status > 299) {
      return unavailable(
          "refuses to connect to " + target + ": HTTP " + std::to_string(head.status) +
          (head.status == 407 ? " (user and password of the proxy are needed)" : ""));
    }
    if (!early.empty()) {
      return unavailable("sent bytes of its own before TLS began");
    }
    return Status::ok();
  } catch (...) {
    return status_of_current_exception();
  }
}

Result<SocketPtr> Dialer::begin_tls(const SocketPtr& socket,
                                    Deadline deadline,
                                    const CancelToken& cancel) const {
  try {
    const auto secure = TlsSocketImpl::connect_side(socket->release_descriptor(), tls_, tls_name_);
    secure->set_deadline(deadline);
    const CancelCallback link(cancel, [secure] { secure->shutdown(); });
    secure->handshake();
    return SocketPtr(secure);
  } catch (...) {
    return status_of_current_exception().while_doing("TLS handshake");
  }
}

}  // namespace vkhost::http
