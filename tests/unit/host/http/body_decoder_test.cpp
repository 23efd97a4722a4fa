#include "http/body_decoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace vkhost::http {
namespace {

struct Decoded {
  std::string body;
  std::string rest;
  bool finished = false;
  bool malformed = false;
};

Decoded decode_in_pieces(BodyFraming framing, const std::string& wire, std::size_t piece_size) {
  BodyDecoder decoder(framing);
  Decoded all;
  for (std::size_t at = 0; at < wire.size() && !all.malformed; at += piece_size) {
    std::string piece = wire.substr(at, piece_size);
    const BodyDecoder::Piece done = decoder.decode(piece.data(), piece.size());
    all.body += piece.substr(0, done.decoded);
    all.rest += piece.substr(done.consumed);
    all.malformed = done.malformed;
  }
  all.finished = decoder.is_finished();
  return all;
}

constexpr BodyFraming kChunked{Framing::Chunked, 0};

TEST(BodyDecoder, JoinsChunksHoweverTheyArrive) {
  const std::string wire =
      "5\r\nhello\r\n1;ext=\"a\"\r\n \r\n0005 \r\nworld\r\n0\r\nTrailer: x\r\n\r\nNEXT";

  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    const Decoded got = decode_in_pieces(kChunked, wire, piece);

    EXPECT_EQ(got.body, "hello world") << piece;
    EXPECT_EQ(got.rest, "NEXT") << piece;
    EXPECT_TRUE(got.finished) << piece;
  }
}

TEST(BodyDecoder, ReadsHexadecimalSizesInBothCases) {
  const std::string data(0xAb, 'x');

  EXPECT_EQ(decode_in_pieces(kChunked, "aB\r\n" + data + "\r\n0\r\n\r\n", 10).body, data);
}

TEST(BodyDecoder, RefusesWhatIsNoChunk) {
  const std::vector<std::string> wires = {
      "\r\n",
      "x\r\n",
      "-1\r\n",
      " 5\r\nhello\r\n",
      "5\nhello",
      "5\r\nhelloX\r\n",
      "5\r\nhello\rX",
      "5\r\nhello\n",
      "1;a\nb\r\n",
      "0\r\n\n",
      "0\r\nA: b\n\r\n",
      "5\rX",
      "fffffffffffffffff\r\n",
      "1;" + std::string(70'000, 'a'),
      "0\r\n" + std::string(70'000, 'a'),
  };

  for (const std::string& wire : wires) {
    EXPECT_TRUE(decode_in_pieces(kChunked, wire, 3).malformed) << wire.substr(0, 20);
  }
}

TEST(BodyDecoder, NeverTakesACutForAnEnd) {
  const std::string wire = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";

  for (std::size_t size = 0; size < wire.size(); ++size) {
    BodyDecoder decoder(kChunked);
    std::string piece = wire.substr(0, size);
    decoder.decode(piece.data(), piece.size());

    EXPECT_FALSE(decoder.may_end_here()) << size;
  }
}

TEST(BodyDecoder, CountsBytesOfAKnownLength) {
  const Decoded got = decode_in_pieces({Framing::Length, 5}, "helloNEXT", 2);

  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.rest, "NEXT");
  EXPECT_TRUE(got.finished);
  EXPECT_FALSE(decode_in_pieces({Framing::Length, 5}, "hell", 2).finished);
  EXPECT_TRUE(decode_in_pieces({Framing::Length, 0}, "", 2).finished);
}

TEST(BodyDecoder, TakesEverythingUntilTheConnectionEndsWhenNothingIsSaid) {
  BodyDecoder decoder({Framing::UntilClose, 0});
  std::string piece = "hello";

  EXPECT_EQ(decoder.decode(piece.data(), piece.size()).decoded, 5U);
  EXPECT_FALSE(decoder.is_finished());
  EXPECT_TRUE(decoder.may_end_here());
}

TEST(BodyDecoder, TakesNothingWhereThereIsNoBody) {
  BodyDecoder decoder;
  std::string piece = "NEXT";

  EXPECT_EQ(decoder.decode(piece.data(), piece.size()).consumed, 0U);
  EXPECT_TRUE(decoder.is_finished());
}

}  // namespace
}  // namespace vkhost::http
