// ServerConnection: one connection of a Server as a state machine that never waits. The server's
// thread owns it, calls advance() when its descriptor or a reply is ready, and does what comes back.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "http/body_decoder.hpp"
#include "http/deadline_socket.hpp"
#include "http/handler.hpp"
#include "http/request_head.hpp"
#include "http/server.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace vkhost::http {

class TlsSocketImpl;

class ServerConnection {
 public:
  struct Origin {
    SocketPtr socket;
    std::shared_ptr<TlsSocketImpl> tls;  // the same, or null
    std::shared_ptr<ClientAuthority> clients;
    int local_port = 0;
    std::string remote_address;
    bool overloaded = false;  // accepted only to be told so
  };
  ServerConnection(Origin origin, const ServerSettings& settings, const Clock& clock);

  enum class Next {
    Wait,    // for `wanted()` on the descriptor, until `deadline()`
    Again,   // had more to do than is fair; call soon
    Handle,  // take_request() is complete; the reply goes to answer()
    Close,
  };
  // Moves bytes as far as it goes.
  Next advance();
  Next expire();  // the deadline has passed

  [[nodiscard]] ServerRequest take_request();
  // The reply to the request that was taken. (Not one with a stream.)
  Next answer(Reply reply);
  Next refuse(int status, std::string sentence);
  // Gives the connection away after a reply with a stream.
  std::unique_ptr<StreamConnection> release(CancelToken cancel);

  [[nodiscard]] Want wanted() const { return wanted_; }
  [[nodiscard]] SteadyTime deadline() const { return deadline_; }
  [[nodiscard]] bool is_handling() const { return state_ == State::Handling; }
  [[nodiscard]] const SocketPtr& socket() const { return origin_.socket; }

 private:
  enum class State { Reading, Handling, Writing, Lingering, Closed };

  Next advance_unfenced();
  Next read_more();
  Next take_input();
  Next take_head();
  Next take_body();
  Next write_more();
  Next after_reply();
  Next linger();
  Next discard();
  void begin_request();
  void start(std::chrono::milliseconds timeout);
  std::optional<PeerCertificate> examine_peer();

  Origin origin_;
  const ServerSettings& settings_;
  const Clock& clock_;
  State state_ = State::Reading;
  Want wanted_ = Want::Read;
  SteadyTime deadline_;

  std::string input_;  // begins with the request that is being read
  RequestHeadReader reader_;
  bool has_head_ = false;
  RequestHead head_;
  BodyDecoder decoder_;
  std::string body_;

  std::string output_;
  std::size_t written_ = 0;
  bool closes_ = false;        // after the reply
  bool is_interim_ = false;    // what is written is "100 Continue"
  std::size_t discarded_ = 0;  // while lingering

  std::optional<PeerCertificate> peer_;
  std::uint64_t peer_generation_ = 0;
  SteadyTime peer_examined_;
};

}  // namespace vkhost::http
