#include "http/endpoint.hpp"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <utility>

namespace vkhost::http {
namespace {

Result<std::vector<Poco::Net::SocketAddress>> addresses_of(const std::string& host,
                                                           int port,
                                                           int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const int outcome = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  if (outcome != 0) {
    return unavailable("looking up '" + host + "': " + ::gai_strerror(outcome));
  }
  std::vector<Poco::Net::SocketAddress> addresses;
  for (const addrinfo* it = list; it != nullptr; it = it->ai_next) {
    if (it->ai_family == AF_INET || it->ai_family == AF_INET6) {
      addresses.emplace_back(it->ai_addr, it->ai_addrlen);
    }
  }
  if (addresses.empty()) {
    return unavailable("looking up '" + host + "': no address");
  }
  return addresses;
}

Result<Endpoint> parse(const std::string& url, const std::string& setting) {
  try {
    const Poco::URI uri(url);
    const std::string& scheme = uri.getScheme();
    if (scheme != "http" && scheme != "https") {
      return invalid_argument(setting + ": it must begin with http:// or https://");
    }
    Endpoint endpoint;
    endpoint.tls = scheme == "https";
    endpoint.host = uri.getHost();
    if (endpoint.host.size() > 2 && endpoint.host.front() == '[' && endpoint.host.back() == ']') {
      endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
    }
    if (endpoint.host.empty()) {
      return invalid_argument(setting + ": the host is missing");
    }
    endpoint.port = uri.getPort() != 0 ? uri.getPort() : (endpoint.tls ? 443 : 80);
    if (!uri.getRawQuery().empty() || !uri.getFragment().empty()) {
      return invalid_argument(setting + ": a query or fragment has no meaning here");
    }
    Poco::URI::encode(uri.getPath(), "?#", endpoint.base_path);
    while (!endpoint.base_path.empty() && endpoint.base_path.back() == '/') {
      endpoint.base_path.pop_back();
    }
    Poco::URI::decode(uri.getUserInfo(), endpoint.user_info);
    return endpoint;
  } catch (const Poco::Exception&) {  // its text would show the URL, which may hold a password
    return invalid_argument(setting + ": not a URL");
  }
}

}  // namespace

std::string Endpoint::authority_with_port() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Endpoint::authority() const {
  std::string text = authority_with_port();
  if (port == (tls ? 443 : 80)) {
    text.resize(text.rfind(':'));
  }
  return text;
}

Result<Endpoint> parse_endpoint(const std::string& url, std::string_view setting) {
  VKHOST_TRY_ASSIGN(Endpoint endpoint, parse(url, std::string(setting)));
  if (!endpoint.user_info.empty()) {
    return invalid_argument(std::string(setting) + ": user and password don't belong into it");
  }
  return endpoint;
}

Result<Endpoint> parse_proxy(const std::string& url, std::string_view setting) {
  VKHOST_TRY_ASSIGN(Endpoint endpoint, parse(url, std::string(setting)));
  if (endpoint.tls || !endpoint.base_path.empty()) {
    return invalid_argument(std::string(setting) +
                            ": only http://[user:password@]host:port is supported");
  }
  return endpoint;
}

Resolver::Resolver(std::string host, int port) : host_(std::move(host)), port_(port) {}

Result<std::vector<Poco::Net::SocketAddress>> Resolver::resolve(Deadline deadline,
                                                                const CancelToken& cancel) {
  if (auto literal = addresses_of(host_, port_, AI_NUMERICHOST | AI_NUMERICSERV)) {
    return literal;
  }
  const CancelCallback wake(cancel, [this] {
    const MutexLock lock(mutex_);
    changed_.notify_all();
  });
  const MutexLock lock(mutex_);
  if (started_ == finished_) {
    const std::uint64_t number = ++started_;
    thread_ = Thread("resolve", [this, number] { look_up(number); });
  }
  const std::uint64_t awaited = started_;
  while (finished_ < awaited) {
    if (cancel.is_cancelled()) {
      return cancelled("looking up '" + host_ + "'");
    }
    if (deadline.is_never()) {
      changed_.wait(mutex_);
    } else if (!changed_.wait_until(mutex_, deadline.when())) {
      return deadline_exceeded("looking up '" + host_ + "'");
    }
  }
  if (addresses_.empty()) {
    return unavailable(problem_);
  }
  return addresses_;
}

void Resolver::look_up(std::uint64_t number) {
  auto found = addresses_of(host_, port_, AI_ADDRCONFIG | AI_NUMERICSERV);
  const MutexLock lock(mutex_);
  addresses_.clear();
  problem_.clear();
  if (found) {
    addresses_ = std::move(found).value();
  } else {
    problem_ = found.status().message();
  }
  finished_ = number;
  changed_.notify_all();
}

}  // namespace vkhost::http
