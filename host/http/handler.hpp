// What a Server and its Handler exchange: ServerRequest, Reply, and the hand-over of a connection to
// a stream. The handler is called on the server's worker threads, for several requests at once.
#pragma once

#include "base/cancel.hpp"
#include "http/client_authority.hpp"
#include "http/headers.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::http {

class StreamConnection;

struct ServerRequest {
  std::string method;
  std::string target;                 // as received
  std::vector<std::string> segments;  // of the path, decoded once
  bool trailing_slash = false;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  Headers headers;
  std::string body;
  int local_port = 0;          // of the listener, which tells the node
  std::string remote_address;  // "127.0.0.1:1234", "[::1]:1234"
  bool is_tls = false;
  std::optional<PeerCertificate> certificate;  // what the client showed, if anything
  CancelToken cancel;  // the client is gone or the server stops: nobody waits for a reply

  // Path for messages and logs, without the query.
  [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
  // First value of a parameter; empty when there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

struct Reply {
  int status = 200;
  Headers headers = {};  // Content-Length, Date and Connection are added by the server
  std::string body = {};
  // Where set, the rest of this Reply means nothing: the connection leaves HTTP and belongs to this
  // function, on a thread of its own, until it returns. Every check that can fail comes before, and
  // the answer (101, or 200 with chunks) is written by the function itself. When there are too many
  // streams already the client is answered 503 and the function is not called.
  std::function<void(StreamConnection&)> stream = {};
};

[[nodiscard]] Reply text_reply(int status, std::string text);
[[nodiscard]] Reply json_reply(int status, std::string json);

class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  // What it throws is logged and answered 500. [any-thread] [may-block]
  virtual Reply handle(const ServerRequest& request) = 0;
};

// Bytes of a reply up to its body. `headers` are checked: one that would end its line is left out.
[[nodiscard]] std::string render_reply_head(int status, const Headers& headers);
// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
[[nodiscard]] std::string http_date(WallTime time);

}  // namespace vkhost::http
