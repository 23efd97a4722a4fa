// The head of an answer, read from a connection and parsed by Poco within limits of ours.
#pragma once

#include "http/deadline_socket.hpp"
#include "http/headers.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace vkhost::http {

struct ResponseHead {
  int status = 0;
  Headers headers;
  bool keep_alive = false;
};

// Parses exactly one head with its empty line. MessageException when it is none. [no-block]
[[nodiscard]] ResponseHead parse_response_head(std::string_view text);

// Receives until a head that is not an interim one (1xx other than 101) is complete, up to the
// deadline of the socket. `received` holds what was there before and keeps what lies behind the
// head. Throws what the socket throws, TruncatedException when the connection ends before. [may-block]
ResponseHead receive_head(DeadlineSocketImpl& socket,
                          std::string& received,
                          std::size_t most_bytes);

}  // namespace vkhost::http
