#include "support/http_wire.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::testing {
namespace {

Head chunked_head() {
  return {.start_line = "HTTP/1.1 200 OK", .fields = {{"transfer-encoding", "chunked"}}};
}

TEST(HttpWire, ReadsAHeadAndWritesTheSame) {
  const std::string text = "GET /x?y HTTP/1.1\r\nHost: a\r\nX-Empty: \r\n";

  const Head head = parse_head(text).value_or(Head{});

  EXPECT_EQ(head.method(), "GET");
  EXPECT_EQ(head.target(), "/x?y");
  EXPECT_EQ(head.field("HOST"), "a");
  EXPECT_EQ(head.status(), 0);
  EXPECT_EQ(head.text(), text + "\r\n");
}

TEST(HttpWire, RefusesWhatIsNoHead) {
  EXPECT_FALSE(parse_head("hello").has_value());
  EXPECT_FALSE(parse_head("GET / HTTP/1.1\r\nno colon").has_value());
}

TEST(HttpWire, FollowsChunksHoweverTheyAreCut) {
  const std::string wire = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    BodyDecoder body = BodyDecoder::of_response(chunked_head(), "GET");
    std::string payload;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < wire.size(); at += step) {
      taken += body.feed(std::string_view(wire).substr(at, step), &payload);
    }

    EXPECT_EQ(payload, "hello world");
    EXPECT_TRUE(body.done());
    EXPECT_EQ(taken, wire.size() - 4);
  }
}

TEST(HttpWire, KnowsWhereAChunkOfItsOwnMayGo) {
  BodyDecoder body = BodyDecoder::of_response(chunked_head(), "GET");
  EXPECT_TRUE(body.between_chunks());
  body.feed("5\r\nhel", nullptr);
  EXPECT_FALSE(body.between_chunks());
  body.feed("lo\r\n", nullptr);
  EXPECT_TRUE(body.between_chunks());
}

TEST(HttpWire, SeesThatAChunkSizeIsNoNumber) {
  BodyDecoder body = BodyDecoder::of_response(chunked_head(), "GET");

  body.feed("zz\r\n", nullptr);

  EXPECT_TRUE(body.failed());
}

TEST(HttpWire, EndsABodyByItsLength) {
  const Head head{.start_line = "HTTP/1.1 200 OK", .fields = {{"Content-Length", "3"}}};
  BodyDecoder body = BodyDecoder::of_response(head, "GET");
  std::string payload;

  EXPECT_EQ(body.feed("abcdef", &payload), 3);
  EXPECT_EQ(payload, "abc");
  EXPECT_TRUE(body.done());
  EXPECT_TRUE(BodyDecoder::of_response(head, "HEAD").done());
  EXPECT_TRUE(BodyDecoder::of_response({.start_line = "HTTP/1.1 204 No"}, "GET").done());
  EXPECT_TRUE(
      BodyDecoder::of_response({.start_line = "HTTP/1.0 200 OK"}, "GET").ends_with_connection());
}

}  // namespace
}  // namespace vkhost::testing
