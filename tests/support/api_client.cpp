#include "support/api_client.hpp"

#include <array>
#include <stdexcept>
#include <utility>

namespace vkhost::testing {

ApiClient::ApiClient(int port, const std::string& ca_pem, std::string token)
    : port_(port), context_(TlsContext::client(ca_pem)), token_(std::move(token)) {}

ApiClient::ApiClient(int port, const std::string& ca_pem, const IssuedCertificate& own)
    : port_(port), context_(TlsContext::client(ca_pem, own)) {}

std::string ApiClient::request_text(std::string_view method,
                                    std::string_view path,
                                    std::string_view body,
                                    std::string_view content_type) const {
  Head head{.start_line = std::string(method).append(" ").append(path).append(" HTTP/1.1")};
  head.fields = {{"Host", "127.0.0.1:" + std::to_string(port_)}, {"Accept", "application/json"}};
  if (!token_.empty()) {
    head.fields.emplace_back("Authorization", "Bearer " + token_);
  }
  if (!body.empty()) {
    head.fields.emplace_back("Content-Type", content_type);
    head.fields.emplace_back("Content-Length", std::to_string(body.size()));
  }
  return head.text().append(body);
}

std::unique_ptr<ApiClient::Connection> ApiClient::connect() const {
  std::string why;
  auto connection = std::make_unique<Connection>();
  connection->tls = TlsStream::connect(
      context_, port_, {.until = std::chrono::steady_clock::now() + timeout_}, &why);
  if (connection->tls == nullptr) {
    throw std::runtime_error(why);
  }
  return connection;
}

std::unique_ptr<ApiClient::Connection> ApiClient::take_idle() {
  const MutexLock lock(mutex_);
  if (idle_.empty()) {
    return nullptr;
  }
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

bool ApiClient::exchange(Connection& connection,
                         std::string_view request,
                         std::string_view method,
                         ApiAnswer* answer) const {
  const Wait wait{.until = std::chrono::steady_clock::now() + timeout_};
  TlsStream& tls = *connection.tls;
  if (tls.write(request, wait).outcome != Io::Ok ||
      connection.reader.read_head(tls, wait, &answer->head) != Io::Ok) {
    return false;
  }
  answer->status = answer->head.status();
  BodyDecoder body = BodyDecoder::of_response(answer->head, method);
  if (connection.reader.read_body(tls, wait, &body, &answer->body) != Io::Ok) {
    throw std::runtime_error("the answer to " + std::string(request.substr(0, request.find('\r'))) +
                             " was cut after " + std::to_string(answer->body.size()) + " bytes");
  }
  return true;
}

ApiAnswer ApiClient::send(std::string_view method,
                          std::string_view path,
                          std::string_view body,
                          std::string_view content_type) {
  const std::string request = request_text(method, path, body, content_type);
  std::unique_ptr<Connection> connection = take_idle();
  const bool kept = connection != nullptr;
  ApiAnswer answer;
  if (!kept || !exchange(*connection, request, method, &answer)) {
    connection = connect();  // a kept one may have been closed meanwhile
    if (!exchange(*connection, request, method, &answer)) {
      throw std::runtime_error("no answer to " + std::string(method) + " " + std::string(path));
    }
  }
  if (!equals_ignoring_case(answer.head.field("Connection"), "close")) {
    const MutexLock lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  return answer;
}

ApiClient::WatchEnd ApiClient::watch(std::string_view path,
                                     std::chrono::milliseconds within,
                                     const std::function<bool(std::string_view)>& on_event,
                                     ApiAnswer* refusal,
                                     int wake_fd) {
  const Wait wait{.until = std::chrono::steady_clock::now() + within, .wake_fd = wake_fd};
  const auto connection = connect();
  Head head;
  TlsStream& tls = *connection->tls;
  if (tls.write(request_text("GET", path, "", ""), wait).outcome != Io::Ok ||
      connection->reader.read_head(tls, wait, &head) != Io::Ok) {
    return WatchEnd::Cut;
  }
  BodyDecoder body = BodyDecoder::of_response(head, "GET");
  if (head.status() != 200) {
    if (refusal != nullptr) {
      refusal->status = head.status();
      refusal->head = head;
      static_cast<void>(connection->reader.read_body(tls, wait, &body, &refusal->body));
    }
    return WatchEnd::Refused;
  }
  std::string raw = connection->reader.take_buffered();
  std::string lines;
  std::array<char, std::size_t{16} * 1024> buffer{};
  for (;;) {
    body.feed(raw, &lines);
    for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n')) {
      const std::string event = lines.substr(0, end);
      lines.erase(0, end + 1);
      if (!on_event(event)) {
        return WatchEnd::ByCaller;
      }
    }
    if (body.done()) {
      return WatchEnd::ByServer;
    }
    const IoResult result = tls.read(buffer, wait);
    switch (result.outcome) {
      case Io::Ok:
        break;
      case Io::TimedOut:
        return WatchEnd::TimedOut;
      case Io::Woken:
        return WatchEnd::ByCaller;
      default:
        return WatchEnd::Cut;
    }
    raw.assign(buffer.data(), result.bytes);
  }
}

}  // namespace vkhost::testing
