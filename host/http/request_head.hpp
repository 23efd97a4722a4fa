// RequestHeadReader: reads the head of a request strictly (RFC 9112) from bytes that arrive in pieces,
// looking at each byte once. What it refuses becomes an answer with a sentence that names the limit
// or the fault. Poco's own reader stops at 16 KiB of URI, where a long command line of `exec` does
// not fit, and lets much pass that two parties may read in two ways. One owner. [no-block]
#pragma once

#include "http/headers.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::http {

struct HeadLimits {
  std::size_t uri_bytes = std::size_t{256} * 1024;
  std::size_t field_bytes = std::size_t{32} * 1024;  // one line
  std::size_t all_fields_bytes = std::size_t{64} * 1024;
  std::size_t fields = 100;
};

struct RequestHead {
  std::string method;
  std::string target;                 // as received
  std::vector<std::string> segments;  // of the path, decoded once: /a%2Fb/c/ is "a/b", "c"
  bool trailing_slash = false;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  Headers headers;
  BodyFraming framing;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct HeadRefusal {
  int status = 400;
  std::string sentence;
};

class RequestHeadReader {
 public:
  explicit RequestHeadReader(HeadLimits limits = {}) : limits_(limits) {}

  enum class Outcome { NeedMore, Complete, Refused };
  // `input` begins with the first byte of the request; from call to call it only grows.
  Outcome advance(std::string_view input);

  [[nodiscard]] std::size_t size() const { return at_; }  // of the head, once complete
  [[nodiscard]] bool has_begun() const { return begun_; }
  RequestHead take() { return std::move(head_); }
  [[nodiscard]] const HeadRefusal& refusal() const { return refusal_; }
  void reset();

 private:
  bool refuse(int status, std::string sentence);
  bool check_unfinished_line(std::size_t size);
  bool take_line(std::string_view line);
  bool take_request_line(std::string_view line);
  bool take_target(std::string_view target);
  bool take_field(std::string_view line);
  bool finish();

  HeadLimits limits_;
  RequestHead head_;
  HeadRefusal refusal_;
  std::size_t at_ = 0;        // behind the last whole line
  std::size_t searched_ = 0;  // no line ends before
  std::size_t fields_bytes_ = 0;
  bool begun_ = false;
  bool has_request_line_ = false;
  bool is_1_0_ = false;
  bool done_ = false;
};

}  // namespace vkhost::http
