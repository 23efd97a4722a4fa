// HTTP/1.1 messages as bytes: heads, and where a body ends. Shared by the fault proxy, by the
// servers that tests play and by the test client, so that what passes through stays unchanged.
//
// Pure values, no sockets but in MessageReader, which belongs to the thread that owns its stream.
#pragma once

#include "support/tls_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::testing {

struct Head {
  std::string start_line = {};
  std::vector<std::pair<std::string, std::string>> fields = {};

  // The first value of that name, ignoring case; empty when there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  void remove_field(std::string_view name);
  // As it goes over the wire, with the empty line.
  [[nodiscard]] std::string text() const;

  // "GET" and "/path?query" of a request; empty when the line is not one.
  [[nodiscard]] std::string_view method() const;
  [[nodiscard]] std::string_view target() const;
  // Of a response; 0 when the line is not one.
  [[nodiscard]] int status() const;
};

// `text` without the empty line; nothing when it is no head.
[[nodiscard]] std::optional<Head> parse_head(std::string_view text);

[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);

// Follows one body through the bytes of a connection.
class BodyDecoder {
 public:
  static BodyDecoder of_request(const Head& head);
  static BodyDecoder of_response(const Head& head, std::string_view request_method);

  // Takes the bytes that belong to the body and appends what they carry to *payload, if not null.
  // Returns how many it took: fewer than given when the body ended before.
  std::size_t feed(std::string_view bytes, std::string* payload);
  [[nodiscard]] bool done() const { return state_ == State::Done; }
  [[nodiscard]] bool failed() const { return state_ == State::Failed; }
  // The body has no end but that of the connection.
  [[nodiscard]] bool ends_with_connection() const { return state_ == State::UntilEnd; }
  // A chunk of one's own may be put in here.
  [[nodiscard]] bool between_chunks() const { return state_ == State::Size && line_.empty(); }

 private:
  enum class State { Fixed, Size, Chunk, ChunkEnd, Trailer, UntilEnd, Done, Failed };

  std::size_t feed_line(std::string_view bytes);
  std::size_t feed_data(std::string_view bytes, std::string* payload);
  void take_line();

  State state_ = State::Done;
  std::uint64_t left_ = 0;
  std::string line_;
};

// Reads messages from a stream that somebody else owns; keeps what arrived too early.
class MessageReader {
 public:
  // The next head: Io::End when the peer closed before its first byte.
  [[nodiscard]] Io read_head(TlsStream& stream, Wait wait, Head* head);
  // The rest of a body; after Io::Woken or Io::TimedOut a second call goes on where it stopped.
  [[nodiscard]] Io read_body(TlsStream& stream, Wait wait, BodyDecoder* body, std::string* payload);
  // Bytes that were read but not yet asked for.
  [[nodiscard]] std::string take_buffered() { return std::exchange(buffered_, {}); }

 private:
  [[nodiscard]] Io read_more(TlsStream& stream, Wait wait);

  std::string buffered_;
};

}  // namespace vkhost::testing
