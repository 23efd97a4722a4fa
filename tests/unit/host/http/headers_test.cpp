#include "http/headers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::http {
namespace {

TEST(HttpHeaders, AreFoundWhateverTheirCase) {
  const Headers headers = {{"content-TYPE", "a"}, {"Content-Type", "b"}, {"X", ""}};

  EXPECT_EQ(find_header(headers, "Content-Type"), "a");
  EXPECT_EQ(find_header(headers, "Y"), "");
  EXPECT_TRUE(has_header(headers, "x"));
  EXPECT_FALSE(has_header(headers, "y"));
}

TEST(HttpHeaders, AreSearchedForTokensInAllFieldsOfAName) {
  const Headers headers = {{"Connection", "keep-alive, Upgrade"}, {"connection", " close\t"}};

  EXPECT_TRUE(has_token(headers, "Connection", "upgrade"));
  EXPECT_TRUE(has_token(headers, "Connection", "close"));
  EXPECT_FALSE(has_token(headers, "Connection", "keep"));
}

TEST(HttpHeaders, NamesAndValuesCannotEndTheirLine) {
  EXPECT_TRUE(is_token("X-Stream-Protocol-Version"));
  for (const std::string name : {"", "a b", "a:", "a\r", "\xc3\xa4"}) {
    EXPECT_FALSE(is_token(name)) << name;
  }
  EXPECT_TRUE(is_field_value("any \xc3\xa4\ttext"));
  for (const std::string value : {"a\r", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(is_field_value(value)) << value;
  }
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
}

struct FramingCase {
  Headers headers;
  bool valid;
  Framing framing;
  unsigned long long length;
};

TEST(HttpHeaders, DelimitTheBodyInOneWayOnly) {
  const std::vector<FramingCase> cases = {
      {{}, true, Framing::None, 0},
      {{{"Content-Length", "0"}}, true, Framing::Length, 0},
      {{{"content-length", "12"}}, true, Framing::Length, 12},
      {{{"Transfer-Encoding", "Chunked"}}, true, Framing::Chunked, 0},
      {{{"Content-Length", "1"}, {"Content-Length", "1"}}, false, {}, 0},
      {{{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}, false, {}, 0},
      {{{"Transfer-Encoding", "gzip, chunked"}}, false, {}, 0},
      {{{"Transfer-Encoding", "identity"}}, false, {}, 0},
      {{{"Content-Length", ""}}, false, {}, 0},
      {{{"Content-Length", "-1"}}, false, {}, 0},
      {{{"Content-Length", "+1"}}, false, {}, 0},
      {{{"Content-Length", "1, 1"}}, false, {}, 0},
      {{{"Content-Length", "0x1"}}, false, {}, 0},
      {{{"Content-Length", "99999999999999999999"}}, false, {}, 0},
      {{{"Content-Length", "18446744073709551615"}}, false, {}, 0},
  };

  for (const FramingCase& c : cases) {
    std::string problem;
    const auto framing = framing_of(c.headers, problem);

    const std::string shown = c.headers.empty() ? "" : c.headers.front().second;
    ASSERT_EQ(framing.has_value(), c.valid) << shown;
    EXPECT_EQ(problem.empty(), c.valid) << shown;
    if (c.valid) {
      EXPECT_EQ(framing->framing, c.framing) << shown;
      EXPECT_EQ(framing->length, c.length) << shown;
    }
  }
}

}  // namespace
}  // namespace vkhost::http
