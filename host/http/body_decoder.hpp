// BodyDecoder: takes the body of one HTTP message out of the bytes that follow its head, strictly
// (RFC 9112 §6 and §7): what is cut or malformed is never taken for an end. A state machine without
// I/O, fed with pieces of any size; chunk extensions and trailers are skipped. One owner. [no-block]
#pragma once

#include "http/headers.hpp"

#include <cstddef>
#include <cstdint>

namespace vkhost::http {

class BodyDecoder {
 public:
  explicit BodyDecoder(BodyFraming framing = {});

  struct Piece {
    std::size_t decoded = 0;   // bytes of the body, now at the front of what was given
    std::size_t consumed = 0;  // bytes taken; less than given only behind the end of the body
    bool malformed = false;    // for good
  };
  // Decodes in place: data[0, decoded) is body, data[consumed, size) belongs to what comes next.
  Piece decode(char* data, std::size_t size);

  [[nodiscard]] bool is_finished() const { return state_ == State::Done; }
  // The stream has ended: was that a proper end of the body?
  [[nodiscard]] bool may_end_here() const {
    return is_finished() || framing_ == Framing::UntilClose;
  }
  // Bytes still announced: of the body by its length, or of the present chunk.
  [[nodiscard]] std::uint64_t announced() const { return left_; }

 private:
  enum class State {
    Plain,
    SizeFirst,
    SizeMore,
    Extension,
    SizeLineFeed,
    ChunkData,
    ChunkReturn,
    ChunkLineFeed,
    TrailerStart,
    Trailer,
    TrailerLineFeed,
    LastLineFeed,
    Done,
    Malformed,
  };

  bool step(char c);
  bool add_digit(char c);
  State after_size_line();

  Framing framing_;
  State state_;
  std::uint64_t left_;
  std::size_t skipped_ = 0;  // bytes of extensions and trailers
};

}  // namespace vkhost::http
