#include "http/client.hpp"

#include "http/body_decoder.hpp"
#include "http/connection_pool.hpp"
#include "http/dialer.hpp"
#include "http/endpoint.hpp"
#include "http/response_head.hpp"
#include "http/socket_exceptions.hpp"
#include "http/tls_context.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vkhost::http {
namespace {

constexpr std::size_t kMostHeadBytes = 64 * 1024;
constexpr std::size_t kBodyPiece = 32 * 1024;
constexpr std::size_t kSentWithHead = 16 * 1024;  // head and a body of this size: one TLS record

// RFC 9110 §9.2.2.
bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kMethods = {"GET",    "HEAD",    "PUT",
                                                        "DELETE", "OPTIONS", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

bool expects_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

Status check_request(const Request& request) {
  if (!is_token(request.method)) {
    return invalid_argument("request: the method is no word");
  }
  const bool printable = std::all_of(request.target.begin(), request.target.end(),
                                     [](char c) { return c > ' ' && c < '\x7f'; });
  if (request.target.empty() || request.target.front() != '/' || !printable) {
    return invalid_argument("request: the target must begin with a slash and be escaped");
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value)) {
      return invalid_argument("request: header '" + (is_token(name) ? name : std::string("?")) +
                              "' holds a character that would end its line");
    }
    if (equals_ignoring_case(name, "Content-Length") ||
        equals_ignoring_case(name, "Transfer-Encoding")) {
      return invalid_argument("request: " + name + " is set by the transport");
    }
  }
  return Status::ok();
}

BodyFraming response_framing(const std::string& method, const ResponseHead& head) {
  if (method == "HEAD" || head.status == 204 || head.status == 304) {
    return {};
  }
  std::string problem;
  auto framing = framing_of(head.headers, problem);
  if (!framing) {
    throw Poco::Net::MessageException("the answer has " + problem);
  }
  if (framing->framing == Framing::None) {
    framing->framing = Framing::UntilClose;
  }
  return *framing;
}

// One request on one connection, and how far it came.
class Exchange {
 public:
  Exchange(SocketPtr socket, const CancelToken& cancel)
      : socket_(std::move(socket)),
        sent_before_(socket_->bytes_sent()),
        link_(std::make_unique<CancelCallback>(cancel, [it = socket_] { it->shutdown(); })) {}

  void send(const std::string& head, const std::string& body) {
    if (body.size() <= kSentWithHead) {
      send_bytes(head + body);
      return;
    }
    send_bytes(head);
    send_bytes(body);
  }

  void receive_head(const std::string& method) {
    head_ = http::receive_head(*socket_, received_, kMostHeadBytes);
    if (received_.empty()) {
      received_.shrink_to_fit();
    }
    decoder_ = BodyDecoder(response_framing(method, head_));
  }

  std::string receive_body(std::size_t most_bytes) {
    std::string body = std::move(received_);
    body.resize(take(body.data(), body.size()));
    check_size(std::max<std::uint64_t>(body.size(), announced()), most_bytes);
    body.reserve(body.size() + announced());
    while (!decoder_.is_finished()) {
      const std::size_t before = body.size();
      body.resize(before + kBodyPiece);
      const std::size_t got = receive(body.data() + before, kBodyPiece);
      body.resize(before + got);
      if (got == 0) {
        break;
      }
      check_size(body.size(), most_bytes);
    }
    return body;
  }

  // Body bytes of the next piece that holds any; 0 at the proper end.
  std::size_t receive(char* buffer, std::size_t capacity) {
    return *receive_with(buffer, capacity, [&](std::size_t most) {
      const int got = socket_->receiveBytes(buffer, static_cast<int>(most));
      return std::optional<std::size_t>(static_cast<std::size_t>(got));
    });
  }
  // The same without waiting; nothing when none has arrived.
  std::optional<std::size_t> try_receive(char* buffer, std::size_t capacity) {
    return receive_with(buffer, capacity, [&](std::size_t most) {
      const IoStep step = socket_->try_receive(buffer, most);
      return step.want == Want::Nothing ? std::optional<std::size_t>(step.bytes) : std::nullopt;
    });
  }

  [[nodiscard]] const SocketPtr& socket() const { return socket_; }
  [[nodiscard]] ResponseHead& head() { return head_; }
  [[nodiscard]] bool has_sent() const { return socket_->bytes_sent() != sent_before_; }
  [[nodiscard]] bool is_answered() const { return head_.status != 0 || !received_.empty(); }
  [[nodiscard]] bool is_reusable() const {
    return decoder_.is_finished() && head_.keep_alive && received_.empty() && !has_surplus_;
  }

 private:
  static constexpr std::size_t kMostAtOnce = 1024 * 1024;

  template <typename Fetch>
  std::optional<std::size_t> receive_with(char* buffer, std::size_t capacity, Fetch fetch) {
    while (!decoder_.is_finished()) {
      std::optional<std::size_t> got = std::min(capacity, received_.size());
      if (*got > 0) {
        std::copy_n(received_.data(), *got, buffer);
        received_.erase(0, *got);
        if (received_.empty()) {
          received_.shrink_to_fit();  // a watch may go on for long
        }
      } else {
        got = fetch(std::min(capacity, kMostAtOnce));
        if (!got) {
          return std::nullopt;
        }
        if (*got == 0) {
          check_end();
          return 0;
        }
      }
      if (const std::size_t decoded = take(buffer, *got); decoded > 0) {
        return decoded;
      }
    }
    return 0;
  }

  void send_bytes(const std::string& bytes) {
    constexpr std::size_t kMost = std::size_t{1} << 30U;  // Poco counts in int
    for (std::size_t sent = 0; sent < bytes.size(); sent += kMost) {
      socket_->sendBytes(bytes.data() + sent,
                         static_cast<int>(std::min(kMost, bytes.size() - sent)));
    }
  }

  std::size_t take(char* data, std::size_t size) {
    const BodyDecoder::Piece piece = decoder_.decode(data, size);
    if (piece.malformed) {
      throw Poco::Net::MessageException("the chunks of the answer are malformed");
    }
    has_surplus_ = has_surplus_ || piece.consumed < size;
    return piece.decoded;
  }

  void check_end() {
    if (!decoder_.may_end_here() || !socket_->ended_cleanly()) {
      throw TruncatedException("in the body of the answer");
    }
  }

  [[nodiscard]] std::uint64_t announced() const {
    return decoder_.may_end_here() ? 0 : decoder_.announced();
  }

  static void check_size(std::uint64_t size, std::size_t most) {
    if (size > most) {
      throw TooLargeException("the body of the answer is over " + std::to_string(most) + " bytes");
    }
  }

  SocketPtr socket_;
  std::uint64_t sent_before_;
  std::unique_ptr<CancelCallback> link_;  // ends before the socket goes
  std::string received_;                  // behind the head, not yet decoded
  ResponseHead head_;
  BodyDecoder decoder_;
  bool has_surplus_ = false;
};

// Deadlines are given on the Clock, the kernel waits by the real one.
Deadline real_deadline(const Clock& clock, Deadline deadline) {
  if (deadline.is_never()) {
    return deadline;
  }
  return Deadline::at(std::chrono::steady_clock::now() + deadline.remaining(clock.steady_now()));
}

class PocoResponseStream final : public ResponseStream {
 public:
  PocoResponseStream(std::unique_ptr<Exchange> exchange,
                     CancelToken cancel,
                     std::shared_ptr<const Clock> clock,
                     std::string name)
      : exchange_(std::move(exchange)),
        cancel_(std::move(cancel)),
        clock_(std::move(clock)),
        name_(std::move(name)) {}

  [[nodiscard]] int status() const override { return exchange_->head().status; }
  [[nodiscard]] const Headers& headers() const override { return exchange_->head().headers; }

  Result<std::size_t> read(char* buffer, std::size_t capacity, Deadline deadline) override {
    VKHOST_TRY(check_read(capacity));
    try {
      exchange_->socket()->set_deadline(real_deadline(*clock_, deadline));
      return exchange_->receive(buffer, capacity);
    } catch (...) {
      return failure();
    }
  }

  Result<std::optional<std::size_t>> try_read(char* buffer, std::size_t capacity) override {
    VKHOST_TRY(check_read(capacity));
    try {
      return exchange_->try_receive(buffer, capacity);
    } catch (...) {
      return failure();
    }
  }

  [[nodiscard]] int descriptor() const override { return exchange_->socket()->sockfd(); }

 private:
  [[nodiscard]] Status check_read(std::size_t capacity) const {
    return failed_.is_ok() && capacity == 0
               ? invalid_argument(name_ + ": read into an empty buffer")
               : failed_;
  }

  // Of the exception that is being handled.
  Status failure() {
    Status status = cancel_.is_cancelled() ? cancelled(name_)
                                           : status_of_current_exception().while_doing(name_);
    if (status.code() != StatusCode::DeadlineExceeded) {
      failed_ = status;
    }
    return status;
  }

  std::unique_ptr<Exchange> exchange_;
  CancelToken cancel_;
  std::shared_ptr<const Clock> clock_;
  std::string name_;
  Status failed_;
};

class PocoTransport final : public Transport {
 public:
  PocoTransport(Endpoint server,
                const std::optional<Endpoint>& plain_proxy,
                std::unique_ptr<Dialer> dialer,
                const TransportSettings& settings,
                std::shared_ptr<const Clock> clock)
      : server_(std::move(server)),
        max_body_bytes_(settings.max_body_bytes),
        clock_(clock),
        pool_(std::move(dialer),
              {settings.max_connections, settings.connect_timeout, settings.idle_timeout},
              std::move(clock)) {
    if (plain_proxy) {  // RFC 9112 §3.2.2: a proxy for plain HTTP wants the absolute form
      target_prefix_ = "http://" + server_.authority();
      if (!plain_proxy->user_info.empty()) {
        extra_headers_ =
            "Proxy-Authorization: " + basic_credentials(plain_proxy->user_info) + "\r\n";
      }
    }
    target_prefix_ += server_.base_path;
  }

  Result<Response> send(const Request& request,
                        Deadline deadline,
                        const CancelToken& cancel) override {
    VKHOST_TRY(check_request(request));
    const std::string head = render_head(request);
    const Deadline until = real_deadline(*clock_, deadline);
    auto choice = ConnectionPool::Choice::KeptOrNew;
    const SteadyTime began = clock_->steady_now();
    for (;;) {
      auto lease = pool_.take(choice, until, cancel);
      if (!lease) {
        return explain(lease.status(), request, cancel, false);
      }
      Exchange exchange(lease->socket(), cancel);
      try {
        lease->socket()->set_deadline(until);
        exchange.send(head, request.body);
        exchange.receive_head(request.method);
        Response response;
        response.body = exchange.receive_body(max_body_bytes_);
        response.status = exchange.head().status;
        response.headers = std::move(exchange.head().headers);
        if (exchange.is_reusable()) {
          lease->keep();
        }
        return response;
      } catch (...) {
        const Status status = status_of_current_exception();
        if (status.code() == StatusCode::DeadlineExceeded && lease->was_kept() &&
            !exchange.is_answered()) {
          pool_.drop_idle_before(began);  // the other side may have gone without a word
        }
        const bool stale = lease->was_kept() && !exchange.is_answered() &&
                           status.code() == StatusCode::Unavailable && !cancel.is_cancelled();
        if (!stale ||
            !(request.repeatable || is_idempotent(request.method) || !exchange.has_sent())) {
          return explain(status, request, cancel, exchange.has_sent());
        }
        choice = ConnectionPool::Choice::New;  // a kept one had been closed: once more
      }
    }
  }

  Result<std::unique_ptr<ResponseStream>> open(const Request& request,
                                               Deadline deadline,
                                               const CancelToken& cancel) override {
    VKHOST_TRY(check_request(request));
    const Deadline until = real_deadline(*clock_, deadline);
    auto socket = pool_.dial(until, cancel);
    if (!socket) {
      return explain(socket.status(), request, cancel, false);
    }
    auto exchange = std::make_unique<Exchange>(std::move(socket).value(), cancel);
    try {
      exchange->socket()->set_deadline(until);
      exchange->send(render_head(request), request.body);
      exchange->receive_head(request.method);
    } catch (...) {
      return explain(status_of_current_exception(), request, cancel, exchange->has_sent());
    }
    return std::unique_ptr<ResponseStream>(std::make_unique<PocoResponseStream>(
        std::move(exchange), cancel, clock_, name_of(request)));
  }

 private:
  [[nodiscard]] std::string render_head(const Request& request) const {
    std::string head = request.method + " " + target_prefix_ + request.target + " HTTP/1.1\r\n";
    if (!has_header(request.headers, "Host")) {
      head += "Host: " + server_.authority() + "\r\n";
    }
    head += extra_headers_;
    for (const auto& [name, value] : request.headers) {
      head += name + ": " + value + "\r\n";
    }
    if (!request.body.empty() || expects_body(request.method)) {
      head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    }
    return head + "\r\n";
  }

  // Without the query, which may be long or hold what is nobody's business.
  [[nodiscard]] std::string name_of(const Request& request) const {
    return request.method + " " + (server_.tls ? "https://" : "http://") + server_.authority() +
           server_.base_path + request.target.substr(0, request.target.find('?'));
  }

  [[nodiscard]] Status explain(const Status& status,
                               const Request& request,
                               const CancelToken& cancel,
                               bool sent) const {
    const Effect effect = sent && !is_safe(request.method) ? Effect::Unknown : Effect::None;
    const Status told = cancel.is_cancelled() ? cancelled("stopped by the caller") : status;
    return told.while_doing(name_of(request)).with_effect(effect);
  }

  const Endpoint server_;
  const std::size_t max_body_bytes_;
  const std::shared_ptr<const Clock> clock_;
  std::string target_prefix_;
  std::string extra_headers_;
  ConnectionPool pool_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_poco_transport(const TransportSettings& settings,
                                                       std::shared_ptr<const Clock> clock) {
  VKHOST_TRY_ASSIGN(const Endpoint server, parse_endpoint(settings.url, "url of the server"));
  std::optional<Endpoint> proxy;
  if (!settings.proxy_url.empty()) {
    VKHOST_TRY_ASSIGN(proxy, parse_proxy(settings.proxy_url, "proxy URL"));
  }
  if (settings.max_connections == 0) {
    return invalid_argument("max_connections: at least one is needed");
  }
  std::shared_ptr<const TlsContext> tls;
  if (server.tls) {
    VKHOST_TRY_ASSIGN(tls, TlsContext::for_client(settings.tls));
  }
  const std::string& tls_name =
      settings.tls.server_name.empty() ? server.host : settings.tls.server_name;
  auto dialer = std::make_unique<Dialer>(server, proxy, tls, tls_name);
  return std::unique_ptr<Transport>(std::make_unique<PocoTransport>(
      server, server.tls ? std::nullopt : proxy, std::move(dialer), settings, std::move(clock)));
}

}  // namespace vkhost::http
