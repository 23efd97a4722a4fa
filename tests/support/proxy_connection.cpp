#include "support/proxy_connection.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace vkhost::testing {
namespace {

constexpr std::string_view kGoneStatus =
    R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
    R"("message":"too old resource version, says the fault proxy","reason":"Expired","code":410})";

// A thread of the proxy is at worst connecting to the API server or writing to a full socket.
constexpr std::chrono::seconds kCutWithin{5};

// The reasons that a real API server gives with these codes.
std::string_view reason_of(int status) {
  switch (status) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalError";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "";
  }
}

std::string status_body(int status) {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
         R"("message":"answered by the fault proxy","reason":")" +
         std::string(reason_of(status)) + R"(","code":)" + std::to_string(status) + "}\n";
}

std::string chunk(std::string_view payload) {
  std::array<char, 20> size{};
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", payload.size());
  return std::string(size.data(), static_cast<std::size_t>(length)).append(payload).append("\r\n");
}

bool asks_to_close(const Head& head) {
  return equals_ignoring_case(head.field("Connection"), "close");
}

std::string gone_event() {
  return std::string(R"({"type":"ERROR","object":)").append(kGoneStatus).append("}\n");
}

}  // namespace

FaultId ProxyControl::add(Fault fault) {
  const MutexLock lock(mutex_);
  return rules_.add(std::move(fault));
}

void ProxyControl::remove(FaultId id) {
  const MutexLock lock(mutex_);
  rules_.remove(id);
}

void ProxyControl::clear() {
  const MutexLock lock(mutex_);
  rules_.clear();
}

bool ProxyControl::holds(FaultId id) const {
  const MutexLock lock(mutex_);
  return rules_.holds(id);
}

Decision ProxyControl::decide(const ApiRequest& request) {
  const MutexLock lock(mutex_);
  return rules_.decide(request);
}

struct ProxyConnection::Exchange {
  Head request_head;
  std::string request_body;  // as it arrived, chunked or not
  ApiRequest request;
  Decision faults;
  Head answer_head;
  int answered = 0;  // status that the client got
  bool watch_open = false;
};

ProxyConnection::ProxyConnection(ProxyControl& control,
                                 const TlsContext& server,
                                 const TlsContext& client,
                                 int upstream_port,
                                 Descriptor socket)
    : control_(control),
      client_context_(client),
      upstream_port_(upstream_port),
      client_(TlsStream::serve(server, std::move(socket))) {}

void ProxyConnection::run() {
  if (go_on() && persist([&] { return client_->handshake(wait()); }) == Io::Ok) {
    serve_requests();
  }
  client_->close(Ending::Orderly);
  upstream_.reset();
  {
    const MutexLock lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
}

void ProxyConnection::serve_requests() {
  for (bool open = true; open;) {
    Exchange exchange;
    if (!read_request(exchange)) {
      return;
    }
    const SteadyTime began = std::chrono::steady_clock::now();
    exchange.request =
        classify_request(exchange.request_head.method(), exchange.request_head.target());
    control_.traffic.began(exchange.request);
    exchange.faults = control_.decide(exchange.request);
    open = serve(exchange) == Next::Continue;
    control_.traffic.ended({.request = exchange.request,
                            .status = exchange.answered,
                            .began = began,
                            .ended = std::chrono::steady_clock::now()},
                           exchange.watch_open);
    set_watching(false);
  }
}

void ProxyConnection::set_watching(bool watching) {
  {
    const MutexLock lock(mutex_);
    watching_ = watching;
  }
  changed_.notify_all();
}

bool ProxyConnection::finished() const {
  const MutexLock lock(mutex_);
  return finished_;
}

void ProxyConnection::wait_until_finished() const {
  const SteadyTime until = std::chrono::steady_clock::now() + kCutWithin;
  const MutexLock lock(mutex_);
  while (!finished_ && changed_.wait_until(mutex_, until)) {
  }
}

void ProxyConnection::wait_until_not_watching() const {
  const SteadyTime until = std::chrono::steady_clock::now() + kCutWithin;
  const MutexLock lock(mutex_);
  while (watching_ && !finished_ && changed_.wait_until(mutex_, until)) {
  }
}

void ProxyConnection::cut(Ending ending) {
  {
    const MutexLock lock(mutex_);
    cut_ = ending;
  }
  wake_.raise();
}

bool ProxyConnection::expire_watch() {
  if (!watching_) {
    return false;
  }
  expire_ = true;
  wake_.raise();
  return true;
}

bool ProxyConnection::go_on() {
  for (;;) {
    wake_.lower();
    {
      const MutexLock lock(mutex_);
      if (cut_) {
        client_->close(*cut_);
        return false;
      }
    }
    if (!control_.frozen()) {
      return true;
    }
    static_cast<void>(wait_for_fd(wake_.get(), POLLIN, {}));
  }
}

template <typename Operation>
Io ProxyConnection::persist(Operation operation) {
  for (;;) {
    if (const Io outcome = operation(); outcome != Io::Woken || !go_on()) {
      return outcome;
    }
  }
}

bool ProxyConnection::pause(std::chrono::milliseconds time) {
  const SteadyTime until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const Io outcome =
        wait_for_fd(client_->fd(), POLLRDHUP, {.until = until, .wake_fd = wake_.get()});
    if (outcome == Io::TimedOut) {
      return true;
    }
    if (outcome != Io::Woken || !go_on()) {
      return false;  // the client has gone, or has to
    }
  }
}

bool ProxyConnection::wait_until_taken_back(FaultId fault) {
  while (control_.holds(fault)) {
    const Io outcome = wait_for_fd(client_->fd(), POLLRDHUP, wait());
    if (outcome != Io::Woken || !go_on()) {
      return false;
    }
  }
  return true;
}

bool ProxyConnection::send(std::string_view bytes) {
  std::size_t sent = 0;
  return persist([&] {
           const IoResult result = client_->write(bytes.substr(sent), wait());
           sent += result.bytes;
           return result.outcome;
         }) == Io::Ok;
}

bool ProxyConnection::send_slowly(std::string_view bytes, const Fault& trickle) {
  const std::size_t step = std::max<std::size_t>(trickle.bytes, 1);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!send(bytes.substr(0, step)) || !pause(trickle.time)) {
      return false;
    }
  }
  return true;
}

bool ProxyConnection::send_answer(Exchange& exchange, std::string_view bytes) {
  const Fault* const trickle = exchange.faults.find(FaultKind::Trickle);
  return trickle == nullptr ? send(bytes) : send_slowly(bytes, *trickle);
}

ProxyConnection::Next ProxyConnection::close_with(Ending ending) {
  client_->close(ending);
  return Next::Close;
}

bool ProxyConnection::read_request(Exchange& exchange) {
  Head& head = exchange.request_head;
  if (persist([&] { return from_client_.read_head(*client_, wait(), &head); }) != Io::Ok) {
    return false;
  }
  if (!head.field("Expect").empty()) {
    head.remove_field("Expect");
    if (!send("HTTP/1.1 100 Continue\r\n\r\n")) {
      return false;
    }
  }
  // Decoded and sent on with a length: the same message in other clothes.
  BodyDecoder body = BodyDecoder::of_request(head);
  const bool chunked = !body.done() && head.field("Content-Length").empty();
  if (persist([&] {
        return from_client_.read_body(*client_, wait(), &body, &exchange.request_body);
      }) != Io::Ok) {
    return false;
  }
  if (chunked) {
    head.remove_field("Transfer-Encoding");
    head.fields.emplace_back("Content-Length", std::to_string(exchange.request_body.size()));
  }
  return go_on();
}

ProxyConnection::Next ProxyConnection::serve(Exchange& exchange) {
  if (const std::optional<Next> met = meet_fault_before(exchange)) {
    return *met;
  }
  if (!forward(exchange)) {
    // What a client sees of an API server that went away.
    return close_with(Ending::Abrupt);
  }
  if (const Fault* const cut = exchange.faults.find(FaultKind::CutAfter)) {
    upstream_.reset();
    return close_with(cut->ending);
  }
  if (const Fault* const stall = exchange.faults.find(FaultKind::StallAfter)) {
    if (!wait_until_taken_back(stall->id)) {
      return Next::Close;
    }
  }
  return pass_answer(exchange);
}

std::optional<ProxyConnection::Next> ProxyConnection::meet_fault_before(Exchange& exchange) {
  const Decision& faults = exchange.faults;
  if (const Fault* const delay = faults.find(FaultKind::Delay)) {
    if (!pause(delay->time)) {
      return Next::Close;
    }
  }
  if (const Fault* const stall = faults.find(FaultKind::Stall)) {
    if (!wait_until_taken_back(stall->id)) {
      return Next::Close;
    }
  }
  if (const Fault* const cut = faults.find(FaultKind::CutBefore)) {
    return close_with(cut->ending);
  }
  if (const Fault* const fault = faults.find(FaultKind::Answer)) {
    return answer(exchange, fault->status, fault->when.retry_after_s);
  }
  if (const Fault* const expire = faults.find(FaultKind::Expire)) {
    return expire->expiry == Expiry::Answer ? answer(exchange, 410, 0)
                                            : answer_expired_watch(exchange);
  }
  return std::nullopt;
}

ProxyConnection::Next ProxyConnection::answer(Exchange& exchange, int status, int retry_after_s) {
  const std::string body = status_body(status);
  Head head{.start_line = "HTTP/1.1 " + std::to_string(status) + " Fault"};
  head.fields = {{"Content-Type", "application/json"},
                 {"Content-Length", std::to_string(body.size())}};
  if (retry_after_s > 0) {
    head.fields.emplace_back("Retry-After", std::to_string(retry_after_s));
  }
  exchange.answered = status;
  return send_answer(exchange, head.text() + body) ? Next::Continue : Next::Close;
}

ProxyConnection::Next ProxyConnection::answer_expired_watch(Exchange& exchange) {
  exchange.answered = 200;
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  return send_answer(exchange, head + chunk(gone_event()) + chunk("")) ? Next::Continue
                                                                       : Next::Close;
}

bool ProxyConnection::forward(Exchange& exchange) {
  bool fresh = false;
  // A kept connection may have been closed by the other side meanwhile: once more on a new one.
  return try_forward(exchange, &fresh) || (!fresh && try_forward(exchange, &fresh));
}

bool ProxyConnection::try_forward(Exchange& exchange, bool* fresh) {
  *fresh = upstream_ == nullptr;
  if (*fresh) {
    std::string why;
    from_upstream_ = {};
    upstream_ = TlsStream::connect(
        client_context_, upstream_port_,
        {.until = std::chrono::steady_clock::now() + std::chrono::seconds{10}}, &why);
    if (upstream_ == nullptr) {
      return false;
    }
  }
  const std::string message = exchange.request_head.text() + exchange.request_body;
  std::size_t sent = 0;
  Io outcome = persist([&] {
    const IoResult result = upstream_->write(std::string_view(message).substr(sent), wait());
    sent += result.bytes;
    return result.outcome;
  });
  while (outcome == Io::Ok) {
    outcome = persist(
        [&] { return from_upstream_.read_head(*upstream_, wait(), &exchange.answer_head); });
    if (outcome == Io::Ok && exchange.answer_head.status() / 100 != 1) {
      return true;
    }
  }
  upstream_.reset();
  *fresh = *fresh || outcome == Io::Woken;  // asked to end: no second try
  return false;
}

ProxyConnection::Next ProxyConnection::pass_answer(Exchange& exchange) {
  const Fault* const half = exchange.faults.find(FaultKind::HalfBody);
  if (half != nullptr && !exchange.request.is_watch()) {
    return pass_half(exchange, half->ending);
  }
  const Fault* const replace = exchange.faults.find(FaultKind::Replace);
  if (replace != nullptr && !exchange.request.is_watch()) {
    return pass_replaced(exchange, *replace);
  }
  if (!send_answer(exchange, exchange.answer_head.text())) {
    return Next::Close;
  }
  exchange.answered = exchange.answer_head.status();
  if (exchange.request.is_watch() && exchange.answered == 200) {
    exchange.watch_open = true;
    expire_ = false;
    set_watching(true);
    control_.traffic.watch_opened();
  }
  return pass_stream(exchange);
}

ProxyConnection::Next ProxyConnection::pass_half(Exchange& exchange, Ending ending) {
  BodyDecoder body = BodyDecoder::of_response(exchange.answer_head, exchange.request.method);
  const bool chunked =
      equals_ignoring_case(exchange.answer_head.field("Transfer-Encoding"), "chunked");
  std::string payload;
  if (persist([&] { return from_upstream_.read_body(*upstream_, wait(), &body, &payload); }) !=
      Io::Ok) {
    return close_with(Ending::Abrupt);
  }
  // A chunked body is cut inside a chunk that promises more.
  const std::string whole = chunked ? chunk(payload) : payload;
  if (send_answer(exchange, exchange.answer_head.text() + whole.substr(0, whole.size() / 2))) {
    exchange.answered = exchange.answer_head.status();
  }
  upstream_.reset();
  return close_with(ending);
}

ProxyConnection::Next ProxyConnection::pass_replaced(Exchange& exchange, const Fault& replace) {
  Head& head = exchange.answer_head;
  BodyDecoder body = BodyDecoder::of_response(head, exchange.request.method);
  std::string payload;
  if (persist([&] { return from_upstream_.read_body(*upstream_, wait(), &body, &payload); }) !=
      Io::Ok) {
    return close_with(Ending::Abrupt);
  }
  for (std::size_t at = payload.find(replace.text); at != std::string::npos;
       at = payload.find(replace.text, at + replace.replacement.size())) {
    payload.replace(at, replace.text.size(), replace.replacement);
  }
  head.remove_field("Transfer-Encoding");
  head.remove_field("Content-Length");
  head.fields.emplace_back("Content-Length", std::to_string(payload.size()));
  if (!send_answer(exchange, head.text() + payload)) {
    return Next::Close;
  }
  exchange.answered = head.status();
  return asks_to_close(exchange.request_head) || asks_to_close(head) ? close_with(Ending::Orderly)
                                                                     : Next::Continue;
}

ProxyConnection::Next ProxyConnection::pass_stream(Exchange& exchange) {
  BodyDecoder body = BodyDecoder::of_response(exchange.answer_head, exchange.request.method);
  const Fault* const half = exchange.faults.find(FaultKind::HalfBody);
  std::string piece = from_upstream_.take_buffered();
  std::array<char, std::size_t{64} * 1024> buffer{};
  for (;;) {
    if (!piece.empty()) {
      static_cast<void>(body.feed(piece, nullptr));
      if (half != nullptr) {
        static_cast<void>(send_answer(exchange, piece.substr(0, piece.size() / 2)));
        return close_with(half->ending);
      }
      if (!send_answer(exchange, piece)) {
        return Next::Close;
      }
      piece.clear();
    }
    if (body.done()) {
      if (const Fault* const hang_up = exchange.faults.find(FaultKind::HangUp)) {
        return close_with(hang_up->ending);
      }
      return asks_to_close(exchange.request_head) || asks_to_close(exchange.answer_head)
                 ? close_with(Ending::Orderly)
                 : Next::Continue;
    }
    if (control_.frozen() && !go_on()) {
      return Next::Close;
    }
    if (expire_ && watching_ && body.between_chunks()) {
      upstream_.reset();
      return put_expiry_into_watch() ? Next::Continue : Next::Close;
    }
    const IoResult result = upstream_->read_now(buffer);
    piece.assign(buffer.data(), result.bytes);
    if (result.outcome == Io::End || result.outcome == Io::Failed) {
      return close_with(result.outcome == Io::End ? Ending::Orderly : Ending::Abrupt);
    }
    if (result.outcome == Io::WouldBlock) {
      std::array<pollfd, 3> polled{
          {{upstream_->fd(), POLLIN, 0}, {client_->fd(), POLLRDHUP, 0}, {wake_.get(), POLLIN, 0}}};
      static_cast<void>(::poll(polled.data(), polled.size(), -1));
      if (polled[1].revents != 0 || (polled[2].revents != 0 && !go_on())) {
        return Next::Close;
      }
    }
  }
}

bool ProxyConnection::put_expiry_into_watch() { return send(chunk(gone_event()) + chunk("")); }

}  // namespace vkhost::testing
