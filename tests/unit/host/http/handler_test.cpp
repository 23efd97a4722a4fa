#include "http/handler.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace vkhost::http {
namespace {

TEST(HttpDate, IsWrittenAsTheStandardWantsIt) {
  const WallTime time = std::chrono::system_clock::from_time_t(784111777);

  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(ReplyHead, HoldsExactlyTheFieldsGiven) {
  EXPECT_EQ(render_reply_head(101, {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}}),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
}

TEST(ReplyHead, LeavesOutAFieldThatWouldBecomeTwo) {
  EXPECT_EQ(render_reply_head(200, {{"A", "b\r\nC: d"}, {"E\n", "f"}, {"G", "h"}}),
            "HTTP/1.1 200 OK\r\nG: h\r\n\r\n");
}

TEST(ServerRequest, GivesItsParametersAndItsPath) {
  ServerRequest request;
  request.target = "/exec/a?command=ls&command=-l";
  request.query = {{"command", "ls"}, {"command", "-l"}};

  EXPECT_EQ(request.parameter("command"), "ls");
  EXPECT_EQ(request.parameter("tty"), "");
  EXPECT_EQ(request.path(), "/exec/a");
}

TEST(Replies, NameTheirType) {
  EXPECT_EQ(find_header(json_reply(200, "{}").headers, "content-type"), "application/json");
  EXPECT_EQ(find_header(text_reply(200, "ok").headers, "content-type"),
            "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace vkhost::http
