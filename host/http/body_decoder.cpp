#include "http/body_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace vkhost::http {
namespace {

// Nobody who is honest sends more than a few hundred bytes of these in a whole message.
constexpr std::size_t kMostSkipped = 64 * 1024;

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing)
    : framing_(framing.framing), state_(State::Plain), left_(framing.length) {
  switch (framing_) {
    case Framing::None:
      state_ = State::Done;
      break;
    case Framing::Length:
      state_ = left_ == 0 ? State::Done : State::Plain;
      break;
    case Framing::Chunked:
      state_ = State::SizeFirst;
      left_ = 0;
      break;
    case Framing::UntilClose:
      left_ = std::numeric_limits<std::uint64_t>::max();
      break;
  }
}

BodyDecoder::Piece BodyDecoder::decode(char* data, std::size_t size) {
  Piece piece;
  while (piece.consumed < size && state_ != State::Done && state_ != State::Malformed) {
    if (state_ == State::Plain || state_ == State::ChunkData) {
      const std::size_t take =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - piece.consumed));
      if (piece.decoded != piece.consumed) {
        std::memmove(data + piece.decoded, data + piece.consumed, take);
      }
      piece.decoded += take;
      piece.consumed += take;
      if (framing_ != Framing::UntilClose) {
        left_ -= take;
      }
      if (left_ == 0) {
        state_ = state_ == State::Plain ? State::Done : State::ChunkReturn;
      }
    } else if (!step(data[piece.consumed++])) {
      state_ = State::Malformed;
    }
  }
  piece.malformed = state_ == State::Malformed;
  return piece;
}

bool BodyDecoder::add_digit(char c) {
  unsigned digit = 0;
  if (c >= '0' && c <= '9') {
    digit = static_cast<unsigned>(c - '0');
  } else if (c >= 'a' && c <= 'f') {
    digit = static_cast<unsigned>(c - 'a') + 10;
  } else if (c >= 'A' && c <= 'F') {
    digit = static_cast<unsigned>(c - 'A') + 10;
  } else {
    return false;
  }
  if (left_ > (std::numeric_limits<std::uint64_t>::max() >> 5U)) {
    return false;
  }
  left_ = (left_ << 4U) | digit;
  return true;
}

BodyDecoder::State BodyDecoder::after_size_line() {
  return left_ == 0 ? State::TrailerStart : State::ChunkData;
}

// One byte of the framing. False when it must not stand there.
bool BodyDecoder::step(char c) {
  switch (state_) {
    case State::SizeFirst:
      state_ = State::SizeMore;
      return add_digit(c);
    case State::SizeMore:
      if (c == '\r') {
        state_ = State::SizeLineFeed;
        return true;
      }
      if (c == ';' || c == ' ' || c == '\t') {
        state_ = State::Extension;
        return true;
      }
      return add_digit(c);
    case State::Extension:
      if (c == '\r') {
        state_ = State::SizeLineFeed;
        return true;
      }
      return c != '\n' && ++skipped_ <= kMostSkipped;
    case State::SizeLineFeed:
      state_ = after_size_line();
      return c == '\n';
    case State::ChunkReturn:
      state_ = State::ChunkLineFeed;
      return c == '\r';
    case State::ChunkLineFeed:
      state_ = State::SizeFirst;
      return c == '\n';
    case State::TrailerStart:
      state_ = c == '\r' ? State::LastLineFeed : State::Trailer;
      return c != '\n' && ++skipped_ <= kMostSkipped;
    case State::Trailer:
      if (c == '\r') {
        state_ = State::TrailerLineFeed;
        return true;
      }
      return c != '\n' && ++skipped_ <= kMostSkipped;
    case State::TrailerLineFeed:
      state_ = State::TrailerStart;
      return c == '\n';
    case State::LastLineFeed:
      state_ = State::Done;
      return c == '\n';
    case State::Plain:
    case State::ChunkData:
    case State::Done:
    case State::Malformed:
      break;
  }
  return false;
}

}  // namespace vkhost::http
