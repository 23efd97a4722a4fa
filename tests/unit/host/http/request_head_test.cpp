#include "http/request_head.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::http {
namespace {

using Outcome = RequestHeadReader::Outcome;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct ReadHead {
  Outcome outcome = Outcome::NeedMore;
  RequestHead head;
  HeadRefusal refusal;
  std::size_t size = 0;
};

ReadHead read_head(const std::string& wire, std::size_t piece = 100'000, HeadLimits limits = {}) {
  RequestHeadReader reader(limits);
  ReadHead read;
  for (std::size_t have = 0; have < wire.size() && read.outcome == Outcome::NeedMore;) {
    have = std::min(have + piece, wire.size());
    read.outcome = reader.advance(std::string_view(wire).substr(0, have));
  }
  read.size = reader.size();
  read.refusal = reader.refusal();
  read.head = reader.take();
  return read;
}

const std::string kHost = "Host: x\r\n";

TEST(RequestHead, IsReadFromPiecesOfAnySize) {
  const std::string wire =
      "GET /pods/a%2Fb//c%20d/?x=1&y=a+b%3D&z&x=2 HTTP/1.1\r\n" + kHost +
      "X-Stream-Protocol-Version: v4\r\nX-Stream-Protocol-Version:  v5 \t\r\n\r\n";
  for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
    const ReadHead read = read_head(wire + "BODY", piece);

    ASSERT_EQ(read.outcome, Outcome::Complete) << read.refusal.sentence;
    EXPECT_EQ(read.size, wire.size());
    EXPECT_EQ(read.head.method, "GET");
    EXPECT_EQ(read.head.segments, (std::vector<std::string>{"pods", "a/b", "", "c d"}));
    EXPECT_TRUE(read.head.trailing_slash);
    EXPECT_EQ(read.head.query, (Pairs{{"x", "1"}, {"y", "a b="}, {"z", ""}, {"x", "2"}}));
    ASSERT_EQ(read.head.headers.size(), 3U);
    EXPECT_EQ(read.head.headers[2].second, "v5");
    EXPECT_EQ(read.head.framing.framing, Framing::None);
    EXPECT_TRUE(read.head.keep_alive);
  }
}

TEST(RequestHead, OfTheRootHasNoSegments) {
  const ReadHead read = read_head("GET / HTTP/1.1\r\n" + kHost + "\r\n");

  EXPECT_TRUE(read.head.segments.empty());
  EXPECT_TRUE(read.head.trailing_slash);
}

TEST(RequestHead, MayNameTheServerInItsTarget) {
  EXPECT_EQ(read_head("GET http://x:1/a?b=c HTTP/1.1\r\n" + kHost + "\r\n").head.segments,
            std::vector<std::string>{"a"});
}

TEST(RequestHead, MayFollowAnEmptyLine) {
  EXPECT_EQ(read_head("\r\nGET / HTTP/1.1\r\n" + kHost + "\r\n").outcome, Outcome::Complete);
  EXPECT_EQ(read_head("\r\n\r\nGET / HTTP/1.1\r\n" + kHost + "\r\n").outcome, Outcome::Refused);
}

struct ConnectionCase {
  std::string version;
  std::string fields;
  bool keep_alive;
};

TEST(RequestHead, TellsWhetherTheConnectionStays) {
  const std::vector<ConnectionCase> cases = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: Upgrade, Close\r\n", false},
      {"1.0", "", false},
      {"1.0", "Connection: keep-alive\r\n", true},
  };
  for (const ConnectionCase& c : cases) {
    const ReadHead read = read_head("GET / HTTP/" + c.version + "\r\n" + kHost + c.fields + "\r\n");

    ASSERT_EQ(read.outcome, Outcome::Complete);
    EXPECT_EQ(read.head.keep_alive, c.keep_alive) << c.version << c.fields;
  }
}

struct RefusedHead {
  std::string what;
  std::string wire;
  int status;
};

TEST(RequestHead, ThatTwoPartiesMightReadDifferentlyIsRefused) {
  const std::string get = "GET / HTTP/1.1\r\n" + kHost;
  const std::vector<RefusedHead> cases = {
      {"no version", "GET /\r\n", 400},
      {"nothing but a word", "GET\r\n", 400},
      {"two blanks", "GET /  HTTP/1.1\r\n", 400},
      {"blank in the target", "GET /a b HTTP/1.1\r\n", 400},
      {"method that is no word", "G(T / HTTP/1.1\r\n", 400},
      {"endless method", std::string(40, 'A') + " / HTTP/1.1\r\n", 400},
      {"HTTP/9.9", "GET / HTTP/9.9\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n", 505},
      {"malformed version", "GET / HTTQ/1.1\r\n", 400},
      {"TLS", "\x16\x03\x01\x02\x01\n", 400},
      {"relative target", "GET pods HTTP/1.1\r\n", 400},
      {"star", "OPTIONS * HTTP/1.1\r\n", 400},
      {"fragment", "GET /a#b HTTP/1.1\r\n", 400},
      {"raw bytes", "GET /\xc3\xa4 HTTP/1.1\r\n", 400},
      {"%zz", "GET /a%zz HTTP/1.1\r\n", 400},
      {"cut escape", "GET /a%2 HTTP/1.1\r\n", 400},
      {"cut escape in the query", "GET /a?b=% HTTP/1.1\r\n", 400},
      {"NUL in the path", "GET /a%00 HTTP/1.1\r\n", 400},
      {"NUL in the query", "GET /a?b=%00 HTTP/1.1\r\n", 400},
      {"bare line feed", "GET / HTTP/1.1\n", 400},
      {"bare line feed in the fields", "GET / HTTP/1.1\r\nHost: x\n", 400},
      {"no colon", get + "Field\r\n", 400},
      {"blank before the colon", get + "Field : x\r\n", 400},
      {"no name", get + ": x\r\n", 400},
      {"folded line", get + "A: b\r\n c\r\n", 400},
      {"NUL in a value", get + std::string("A: b\0c\r\n", 8), 400},
      {"carriage return in a value", get + "A: b\rc\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", get + kHost + "\r\n", 400},
      {"unknown coding", get + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"coding and length", get + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"two lengths", get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"negative length", get + "Content-Length: -1\r\n\r\n", 400},
      {"length that is no number", get + "Content-Length: 1x\r\n\r\n", 400},
      {"coding in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"other expectation", get + "Expect: tea\r\n\r\n", 417},
  };
  for (const RefusedHead& c : cases) {
    for (const std::size_t piece : {1U, 1000U}) {
      const ReadHead read = read_head(c.wire, piece);

      EXPECT_EQ(read.outcome, Outcome::Refused) << c.what;
      EXPECT_EQ(read.refusal.status, c.status) << c.what << ": " << read.refusal.sentence;
      EXPECT_FALSE(read.refusal.sentence.empty()) << c.what;
    }
  }
}

TEST(RequestHead, MayHaveTheUriOfALongCommandAndNoLonger) {
  const HeadLimits limits;
  const std::string most(limits.uri_bytes - 1, 'a');
  for (const std::size_t piece : {4096U, 10'000'000U}) {
    const ReadHead fits = read_head("GET /" + most + " HTTP/1.1\r\n" + kHost + "\r\n", piece);
    EXPECT_EQ(fits.outcome, Outcome::Complete) << fits.refusal.sentence;
    EXPECT_EQ(fits.head.segments.front().size(), most.size());

    const ReadHead over = read_head("GET /" + most + "a HTTP/1.1\r\n" + kHost + "\r\n", piece);
    EXPECT_EQ(over.refusal.status, 414);
    EXPECT_NE(over.refusal.sentence.find("262144 bytes"), std::string::npos)
        << over.refusal.sentence;
  }
  EXPECT_EQ(read_head(std::string(300'000, 'a'), 4096).refusal.status, 414) << "without an end";
}

TEST(RequestHead, NamesTheLimitOfFieldsThatItBreaks) {
  const std::string get = "GET / HTTP/1.1\r\n" + kHost;
  const HeadLimits limits{.field_bytes = 100, .all_fields_bytes = 250, .fields = 10};
  std::string many;
  std::string much;
  for (int i = 0; i < 20; ++i) {
    many += "A: b\r\n";
    much += "A: " + std::string(60, 'b') + "\r\n";
  }
  const std::vector<std::pair<std::string, std::string>> cases = {
      {get + "A: " + std::string(200, 'b') + "\r\n", "100 bytes"},
      {get + "A: " + std::string(200, 'b'), "100 bytes"},
      {get + many, "10 header fields"},
      {get + much, "250 bytes"},
  };
  for (const auto& [wire, says] : cases) {
    const ReadHead read = read_head(wire, 50, limits);

    EXPECT_EQ(read.refusal.status, 431) << says;
    EXPECT_NE(read.refusal.sentence.find(says), std::string::npos) << read.refusal.sentence;
  }
}

TEST(RequestHead, CanBeFollowedByAnother) {
  RequestHeadReader reader;
  const std::string wire = "GET /a HTTP/1.1\r\n" + kHost + "\r\n";
  ASSERT_EQ(reader.advance(wire), Outcome::Complete);

  reader.reset();

  EXPECT_FALSE(reader.has_begun());
  EXPECT_EQ(reader.advance(""), Outcome::NeedMore);
  EXPECT_FALSE(reader.has_begun());
  EXPECT_EQ(reader.advance(wire), Outcome::Complete);
  EXPECT_EQ(reader.take().segments.size(), 1U);
}

}  // namespace
}  // namespace vkhost::http
