#include "http/request_head.hpp"

#include <algorithm>

namespace vkhost::http {
namespace {

constexpr std::size_t kMostMethodBytes = 32;
constexpr std::size_t kRestOfRequestLine = kMostMethodBytes + sizeof " HTTP/1.1\r\n";

int digit_of(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

// False on a damaged escape or an escaped NUL, which no name holds and C strings end at.
bool decode(std::string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0)) {
        return false;
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

bool decode_path(std::string_view path, RequestHead& head) {
  path.remove_prefix(1);
  head.trailing_slash = path.empty() || path.back() == '/';
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    std::string segment;
    if (!decode(path.substr(0, end), false, segment)) {
      return false;
    }
    head.segments.push_back(std::move(segment));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

bool decode_query(std::string_view query, RequestHead& head) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name;
    std::string value;
    if (!decode(pair.substr(0, equals), true, name) ||
        !decode(pair.substr(std::min(equals + 1, pair.size())), true, value)) {
      return false;
    }
    head.query.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

std::string limit_sentence(const char* what, std::size_t limit, const char* unit) {
  return std::string(what) + " of the request may have " + std::to_string(limit) + " " + unit +
         " at most";
}

}  // namespace

void RequestHeadReader::reset() { *this = RequestHeadReader(limits_); }

bool RequestHeadReader::refuse(int status, std::string sentence) {
  refusal_ = {status, std::move(sentence)};
  return false;
}

RequestHeadReader::Outcome RequestHeadReader::advance(std::string_view input) {
  begun_ = begun_ || !input.empty();
  while (!done_ && refusal_.sentence.empty()) {
    const std::size_t end = input.find('\n', searched_);
    if (end == std::string_view::npos) {
      searched_ = input.size();
      check_unfinished_line(input.size() - at_);
      break;
    }
    std::string_view line = input.substr(at_, end - at_);
    at_ = end + 1;
    searched_ = at_;
    if (!check_unfinished_line(line.size())) {
      break;
    }
    if (line.empty() || line.back() != '\r') {
      refuse(400, "a line of the head ends without carriage return");
      break;
    }
    line.remove_suffix(1);
    take_line(line);
  }
  if (!refusal_.sentence.empty()) {
    return Outcome::Refused;
  }
  return done_ ? Outcome::Complete : Outcome::NeedMore;
}

bool RequestHeadReader::check_unfinished_line(std::size_t size) {
  if (!has_request_line_) {
    return size <= limits_.uri_bytes + kRestOfRequestLine ||
           refuse(414, limit_sentence("the URI", limits_.uri_bytes, "bytes"));
  }
  return (size <= limits_.field_bytes ||
          refuse(431, limit_sentence("a header field", limits_.field_bytes, "bytes"))) &&
         (fields_bytes_ + size <= limits_.all_fields_bytes ||
          refuse(431, limit_sentence("all header fields", limits_.all_fields_bytes, "bytes")));
}

bool RequestHeadReader::take_line(std::string_view line) {
  if (!has_request_line_) {
    // RFC 9112 §2.2: an empty line before the request is ignored.
    return (line.empty() && at_ <= 2) || take_request_line(line);
  }
  if (line.empty()) {
    return finish();
  }
  fields_bytes_ += line.size();
  return take_field(line);
}

bool RequestHeadReader::take_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse(400, "the request line is not 'METHOD target HTTP/1.1'");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > kMostMethodBytes) {
    return refuse(400, "the method of the request is malformed");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other = version.substr(0, 5) == "HTTP/" && version.size() == 8;
    return other ? refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
                 : refuse(400, "the version of HTTP in the request line is malformed");
  }
  if (target.size() > limits_.uri_bytes) {
    return refuse(414, limit_sentence("the URI", limits_.uri_bytes, "bytes"));
  }
  is_1_0_ = version == "HTTP/1.0";
  has_request_line_ = true;
  head_.method = method;
  head_.target = target;
  return take_target(target);
}

bool RequestHeadReader::take_target(std::string_view target) {
  const bool printable = std::all_of(target.begin(), target.end(),
                                     [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  for (const std::string_view scheme : {"http://", "https://"}) {  // RFC 9112 §3.2.2
    if (target.substr(0, scheme.size()) == scheme) {
      target.remove_prefix(std::min(target.find('/', scheme.size()), target.size()));
      break;
    }
  }
  if (!printable || target.empty() || target.front() != '/') {
    return refuse(400, "the target of the request is no path");
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  if (!decode_path(target.substr(0, question), head_) ||
      !decode_query(target.substr(std::min(question + 1, target.size())), head_)) {
    return refuse(400, "the URI of the request holds a damaged escape (%)");
  }
  return true;
}

bool RequestHeadReader::take_field(std::string_view line) {
  if (head_.headers.size() >= limits_.fields) {
    return refuse(431, limit_sentence("the head", limits_.fields, "header fields"));
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    // Also a folded line and a blank before the colon, which others read differently.
    return refuse(400, "a header field is not 'Name: value'");
  }
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (!is_field_value(value)) {
    return refuse(400, "a header field holds a control character");
  }
  head_.headers.emplace_back(line.substr(0, colon), value);
  return true;
}

bool RequestHeadReader::finish() {
  std::string problem;
  const auto framing = framing_of(head_.headers, problem);
  if (!framing) {
    return refuse(400, "the request has " + problem);
  }
  const auto hosts =
      std::count_if(head_.headers.begin(), head_.headers.end(),
                    [](const auto& field) { return equals_ignoring_case(field.first, "Host"); });
  if (hosts > 1 || (hosts == 0 && !is_1_0_)) {
    return refuse(400, "the request needs one Host field");
  }
  if (is_1_0_ && framing->framing == Framing::Chunked) {
    return refuse(400, "HTTP/1.0 knows no Transfer-Encoding");
  }
  if (const std::string_view expected = find_header(head_.headers, "Expect"); !expected.empty()) {
    if (!equals_ignoring_case(expected, "100-continue")) {
      return refuse(417, "the only expectation met here is 100-continue");
    }
    head_.expects_continue = !is_1_0_;
  }
  head_.framing = *framing;
  head_.keep_alive = is_1_0_ ? has_token(head_.headers, "Connection", "keep-alive")
                             : !has_token(head_.headers, "Connection", "close");
  done_ = true;
  return true;
}

}  // namespace vkhost::http
