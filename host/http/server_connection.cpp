#include "http/server_connection.hpp"

#include "http/socket_exceptions.hpp"
#include "http/stream_connection.hpp"
#include "http/tls_socket.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::http {
namespace {

constexpr std::size_t kReceivePiece = 16 * 1024;
constexpr std::size_t kFairShare = 256 * 1024;  // of one connection before others have their turn
constexpr std::size_t kMostDiscarded = 1024 * 1024;
constexpr std::chrono::seconds kLingerTimeout{2};
constexpr std::chrono::seconds kExamineAgain{60};  // certificates expire while connections live

}  // namespace

ServerConnection::ServerConnection(Origin origin,
                                   const ServerSettings& settings,
                                   const Clock& clock)
    : origin_(std::move(origin)), settings_(settings), clock_(clock), reader_(settings.head) {
  start(settings_.head_timeout);
}

void ServerConnection::start(std::chrono::milliseconds timeout) {
  deadline_ = std::chrono::steady_clock::now() + timeout;
}

ServerConnection::Next ServerConnection::advance() {
  try {
    return advance_unfenced();
  } catch (const Poco::Exception&) {
    // A client that breaks off, speaks no TLS or refuses our certificate: nobody to be told.
    state_ = State::Closed;
    return Next::Close;
  }
}

ServerConnection::Next ServerConnection::advance_unfenced() {
  switch (state_) {
    case State::Reading:
      return read_more();
    case State::Writing:
      return write_more();
    case State::Lingering:
      return discard();
    case State::Handling:
      return Next::Wait;
    case State::Closed:
      break;
  }
  return Next::Close;
}

ServerConnection::Next ServerConnection::expire() {
  const bool mid_request = state_ == State::Reading && (has_head_ || reader_.has_begun());
  if (mid_request && wanted_ == Want::Read) {
    const bool in_head = !has_head_;
    const auto limit = in_head ? settings_.head_timeout : settings_.body_timeout;
    return refuse(408, std::string(in_head ? "the head" : "the body") +
                           " of the request did not arrive within " +
                           std::to_string(limit.count()) + " ms");
  }
  state_ = State::Closed;
  return Next::Close;
}

ServerConnection::Next ServerConnection::read_more() {
  if (const Next next = take_input(); next != Next::Wait || state_ != State::Reading) {
    return next;
  }
  std::size_t received = 0;
  while (received < kFairShare) {
    const std::size_t before = input_.size();
    input_.resize(before + kReceivePiece);
    IoStep step;
    try {
      step = origin_.socket->try_receive(input_.data() + before, kReceivePiece);
    } catch (...) {
      input_.resize(before);
      throw;
    }
    input_.resize(before + step.bytes);
    if (step.want != Want::Nothing) {
      if (input_.empty()) {
        input_.shrink_to_fit();
      }
      wanted_ = step.want;
      return Next::Wait;
    }
    if (step.end) {
      state_ = State::Closed;
      return Next::Close;
    }
    received += step.bytes;
    if (const Next next = take_input(); next != Next::Wait || state_ != State::Reading) {
      return next;
    }
  }
  return Next::Again;
}

// What the bytes at hand amount to. Wait: more of them are needed, or a reply is on its way.
ServerConnection::Next ServerConnection::take_input() {
  if (!has_head_) {
    const bool had_begun = reader_.has_begun();
    const auto outcome = reader_.advance(input_);
    if (!had_begun && reader_.has_begun()) {
      start(settings_.head_timeout);
    }
    if (outcome == RequestHeadReader::Outcome::Refused) {
      return refuse(reader_.refusal().status, reader_.refusal().sentence);
    }
    if (outcome == RequestHeadReader::Outcome::NeedMore) {
      return Next::Wait;
    }
    return take_head();
  }
  return take_body();
}

ServerConnection::Next ServerConnection::take_head() {
  head_ = reader_.take();
  input_.erase(0, reader_.size());
  has_head_ = true;
  if (origin_.overloaded) {
    return refuse(503, "too many connections; try again later");
  }
  if (head_.framing.framing == Framing::Length && head_.framing.length > settings_.max_body_bytes) {
    return refuse(413, "the body of the request may have " +
                           std::to_string(settings_.max_body_bytes) + " bytes at most");
  }
  decoder_ = BodyDecoder(head_.framing);
  start(settings_.body_timeout);
  if (head_.expects_continue && !decoder_.is_finished() && input_.empty()) {
    output_ = "HTTP/1.1 100 Continue\r\n\r\n";
    written_ = 0;
    is_interim_ = true;
    state_ = State::Writing;
    return write_more();
  }
  return take_body();
}

ServerConnection::Next ServerConnection::take_body() {
  const BodyDecoder::Piece piece = decoder_.decode(input_.data(), input_.size());
  if (piece.malformed) {
    return refuse(400, "the chunks of the body are malformed");
  }
  if (body_.size() + piece.decoded > settings_.max_body_bytes) {
    return refuse(413, "the body of the request may have " +
                           std::to_string(settings_.max_body_bytes) + " bytes at most");
  }
  body_.append(input_, 0, piece.decoded);
  input_.erase(0, piece.consumed);
  if (!decoder_.is_finished()) {
    return Next::Wait;
  }
  state_ = State::Handling;
  deadline_ = SteadyTime::max();
  return Next::Handle;
}

std::optional<PeerCertificate> ServerConnection::examine_peer() {
  if (origin_.tls == nullptr || origin_.clients == nullptr) {
    return std::nullopt;
  }
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t generation = origin_.clients->generation();
  if (peer_ && generation == peer_generation_ && now - peer_examined_ < kExamineAgain) {
    return peer_;
  }
  const auto chain = origin_.tls->peer_chain();
  if (chain.empty()) {
    return std::nullopt;
  }
  peer_ = origin_.clients->examine(chain, clock_.wall_now());
  peer_generation_ = generation;
  peer_examined_ = now;
  return peer_;
}

ServerRequest ServerConnection::take_request() {
  ServerRequest request;
  request.certificate = examine_peer();
  request.method = head_.method;  // still needed for the reply
  request.target = std::move(head_.target);
  request.segments = std::move(head_.segments);
  request.trailing_slash = head_.trailing_slash;
  request.query = std::move(head_.query);
  request.headers = std::move(head_.headers);
  request.body = std::move(body_);
  request.local_port = origin_.local_port;
  request.remote_address = origin_.remote_address;
  request.is_tls = origin_.tls != nullptr;
  return request;
}

ServerConnection::Next ServerConnection::answer(Reply reply) {
  closes_ = closes_ || !head_.keep_alive || !has_head_;
  Headers headers = std::move(reply.headers);
  headers.emplace_back("Content-Length", std::to_string(reply.body.size()));
  headers.emplace_back("Date", http_date(clock_.wall_now()));
  if (closes_) {
    headers.emplace_back("Connection", "close");
  }
  output_ = render_reply_head(reply.status, headers);
  if (head_.method != "HEAD") {
    output_ += reply.body;
  }
  written_ = 0;
  state_ = State::Writing;
  start(settings_.write_timeout);
  return advance();
}

ServerConnection::Next ServerConnection::refuse(int status, std::string sentence) {
  closes_ = true;
  return answer(settings_.refusal(status, std::move(sentence)));
}

ServerConnection::Next ServerConnection::write_more() {
  std::size_t sent = 0;
  while (written_ < output_.size()) {
    if (sent >= kFairShare) {
      return Next::Again;
    }
    const IoStep step =
        origin_.socket->try_send(output_.data() + written_, output_.size() - written_);
    if (step.want != Want::Nothing) {
      wanted_ = step.want;
      return Next::Wait;
    }
    written_ += step.bytes;
    sent += step.bytes;
  }
  output_ = {};
  return after_reply();
}

ServerConnection::Next ServerConnection::after_reply() {
  if (is_interim_) {
    is_interim_ = false;
    state_ = State::Reading;
    return read_more();
  }
  if (closes_) {
    return linger();
  }
  begin_request();
  return Next::Again;  // what was pipelined has its turn, after the others
}

void ServerConnection::begin_request() {
  reader_.reset();
  has_head_ = false;
  head_ = {};
  body_ = {};
  decoder_ = BodyDecoder();
  state_ = State::Reading;
  wanted_ = Want::Read;
  start(settings_.idle_timeout);
}

// Closing while the client still sends would make the kernel reset the connection, and the reply
// would be lost with it.
ServerConnection::Next ServerConnection::linger() {
  state_ = State::Lingering;
  start(kLingerTimeout);
  origin_.socket->shutdownSend();
  input_ = {};
  return discard();
}

ServerConnection::Next ServerConnection::discard() {
  std::string scratch(kReceivePiece, '\0');
  while (discarded_ < kMostDiscarded) {
    const IoStep step = origin_.socket->try_receive(scratch.data(), scratch.size());
    if (step.want != Want::Nothing) {
      wanted_ = step.want;
      return Next::Wait;
    }
    if (step.end) {
      break;
    }
    discarded_ += step.bytes;
  }
  state_ = State::Closed;
  return Next::Close;
}

std::unique_ptr<StreamConnection> ServerConnection::release(CancelToken cancel) {
  state_ = State::Closed;
  return std::make_unique<StreamConnection>(origin_.socket, std::move(input_), std::move(cancel));
}

}  // namespace vkhost::http
