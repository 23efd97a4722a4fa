#include "http/response_head.hpp"

#include "http/socket_exceptions.hpp"

#include <Poco/MemoryStream.h>
#include <Poco/Net/HTTPResponse.h>

#include <algorithm>

namespace vkhost::http {
namespace {

constexpr std::size_t kPiece = 4 * 1024;
constexpr int kMostInterim = 8;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

}  // namespace

ResponseHead parse_response_head(std::string_view text) {
  if (text.substr(0, 7) != "HTTP/1.") {
    throw Poco::Net::MessageException("the answer is not HTTP/1");
  }
  Poco::Net::HTTPResponse parsed;
  try {
    Poco::MemoryInputStream stream(text.data(), static_cast<std::streamsize>(text.size()));
    parsed.read(stream);
  } catch (const Poco::Exception& error) {
    throw Poco::Net::MessageException("the head of the answer is malformed", error.displayText());
  }
  ResponseHead head;
  head.status = static_cast<int>(parsed.getStatus());
  if (head.status < 100 || head.status > 599) {
    throw Poco::Net::MessageException("the answer has no valid status");
  }
  head.headers.reserve(parsed.size());
  for (const auto& [name, value] : parsed) {
    head.headers.emplace_back(name, value);
  }
  const bool is_1_0 = parsed.getVersion() == Poco::Net::HTTPMessage::HTTP_1_0;
  head.keep_alive = is_1_0 ? has_token(head.headers, "Connection", "keep-alive")
                           : !has_token(head.headers, "Connection", "close");
  return head;
}

ResponseHead receive_head(DeadlineSocketImpl& socket,
                          std::string& received,
                          std::size_t most_bytes) {
  std::size_t searched = 0;
  int interim = 0;
  for (;;) {
    const std::size_t from = searched < kEndOfHead.size() ? 0 : searched - kEndOfHead.size();
    const std::size_t end = received.find(kEndOfHead, from);
    if (end != std::string::npos) {
      const std::size_t size = end + kEndOfHead.size();
      ResponseHead head = parse_response_head(std::string_view(received).substr(0, size));
      received.erase(0, size);
      if (head.status >= 200 || head.status == 101) {
        return head;
      }
      if (++interim > kMostInterim) {
        throw Poco::Net::MessageException("too many interim answers");
      }
      searched = 0;
      continue;
    }
    searched = received.size();
    if (searched >= most_bytes) {
      throw TooLargeException("the head of the answer is over " + std::to_string(most_bytes) +
                              " bytes");
    }
    const std::size_t before = received.size();
    received.resize(before + std::min(kPiece, most_bytes - before));
    int got = 0;
    try {
      got =
          socket.receiveBytes(received.data() + before, static_cast<int>(received.size() - before));
    } catch (...) {
      received.resize(before);
      throw;
    }
    received.resize(before + static_cast<std::size_t>(got));
    if (got == 0) {
      throw TruncatedException(before == 0 ? "no answer" : "in the head of the answer");
    }
  }
}

}  // namespace vkhost::http
