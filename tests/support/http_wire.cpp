#include "support/http_wire.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace vkhost::testing {
namespace {

constexpr std::size_t kMaxHeadBytes = std::size_t{1024} * 1024;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// The n-th word of a start line.
std::string_view word(std::string_view line, int index) {
  for (; index > 0; --index) {
    const std::size_t space = line.find(' ');
    line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  }
  return line.substr(0, line.find(' '));
}

template <typename Number>
bool parse_number(std::string_view text, int base, Number* number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return result.ec == std::errc{} && result.ptr != text.data();
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

std::string_view Head::field(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const auto& each) {
    return equals_ignoring_case(each.first, name);
  });
  return found == fields.end() ? std::string_view() : found->second;
}

void Head::remove_field(std::string_view name) {
  std::erase_if(fields, [&](const auto& each) { return equals_ignoring_case(each.first, name); });
}

std::string Head::text() const {
  std::string text = start_line + "\r\n";
  for (const auto& [name, value] : fields) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  return text += "\r\n";
}

std::string_view Head::method() const { return word(start_line, 0); }
std::string_view Head::target() const { return word(start_line, 1); }

int Head::status() const {
  int status = 0;
  return start_line.starts_with("HTTP/1.") && parse_number(word(start_line, 1), 10, &status)
             ? status
             : 0;
}

std::optional<Head> parse_head(std::string_view text) {
  Head head;
  std::size_t end = text.find("\r\n");
  head.start_line = text.substr(0, end);
  if (head.start_line.find("HTTP/1.") == std::string::npos) {
    return std::nullopt;
  }
  while (end != std::string_view::npos) {
    text.remove_prefix(end + 2);
    end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    if (line.empty()) {
      break;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    head.fields.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return head;
}

BodyDecoder BodyDecoder::of_request(const Head& head) {
  BodyDecoder body;
  if (equals_ignoring_case(head.field("Transfer-Encoding"), "chunked")) {
    body.state_ = State::Size;
  } else if (parse_number(head.field("Content-Length"), 10, &body.left_) && body.left_ > 0) {
    body.state_ = State::Fixed;
  }
  return body;
}

BodyDecoder BodyDecoder::of_response(const Head& head, std::string_view request_method) {
  const int status = head.status();
  if (request_method == "HEAD" || status / 100 == 1 || status == 204 || status == 304) {
    return {};
  }
  BodyDecoder body = of_request(head);
  if (body.done() && head.field("Content-Length").empty()) {
    body.state_ = State::UntilEnd;
  }
  return body;
}

std::size_t BodyDecoder::feed(std::string_view bytes, std::string* payload) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !done() && !failed()) {
    const std::string_view rest = bytes.substr(taken);
    const bool line =
        state_ == State::Size || state_ == State::ChunkEnd || state_ == State::Trailer;
    taken += line ? feed_line(rest) : feed_data(rest, payload);
  }
  return taken;
}

std::size_t BodyDecoder::feed_data(std::string_view bytes, std::string* payload) {
  if (state_ != State::UntilEnd) {
    bytes = bytes.substr(0, left_);
    left_ -= bytes.size();
  }
  if (payload != nullptr) {
    payload->append(bytes);
  }
  if (left_ == 0 && state_ != State::UntilEnd) {
    state_ = state_ == State::Fixed ? State::Done : State::ChunkEnd;
  }
  return bytes.size();
}

std::size_t BodyDecoder::feed_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  line_.append(bytes.substr(0, taken));
  if (end != std::string_view::npos) {
    take_line();
    line_.clear();
  } else if (line_.size() > kMaxHeadBytes) {
    state_ = State::Failed;
  }
  return taken;
}

void BodyDecoder::take_line() {
  const std::string_view line = trim(std::string_view(line_).substr(0, line_.size() - 1));
  switch (state_) {
    case State::Size:
      if (!parse_number(line, 16, &left_)) {
        state_ = State::Failed;
      } else {
        state_ = left_ == 0 ? State::Trailer : State::Chunk;
      }
      break;
    case State::ChunkEnd:
      state_ = line.empty() ? State::Size : State::Failed;
      break;
    default:
      state_ = line.empty() ? State::Done : State::Trailer;
  }
}

Io MessageReader::read_more(TlsStream& stream, Wait wait) {
  std::array<char, std::size_t{16} * 1024> buffer{};
  const IoResult result = stream.read(buffer, wait);
  buffered_.append(buffer.data(), result.bytes);
  return result.outcome;
}

Io MessageReader::read_head(TlsStream& stream, Wait wait, Head* head) {
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = buffered_.find("\r\n\r\n", searched);
    if (end != std::string::npos) {
      std::optional<Head> parsed = parse_head(std::string_view(buffered_).substr(0, end));
      if (!parsed) {
        return Io::Failed;
      }
      *head = std::move(*parsed);
      buffered_.erase(0, end + 4);
      return Io::Ok;
    }
    if (buffered_.size() > kMaxHeadBytes) {
      return Io::Failed;
    }
    searched = buffered_.size() < 3 ? 0 : buffered_.size() - 3;
    if (const Io outcome = read_more(stream, wait); outcome != Io::Ok) {
      return outcome == Io::End && !buffered_.empty() ? Io::Failed : outcome;
    }
  }
}

Io MessageReader::read_body(TlsStream& stream, Wait wait, BodyDecoder* body, std::string* payload) {
  for (;;) {
    buffered_.erase(0, body->feed(buffered_, payload));
    if (body->done()) {
      return Io::Ok;
    }
    if (body->failed()) {
      return Io::Failed;
    }
    if (const Io outcome = read_more(stream, wait); outcome != Io::Ok) {
      if (outcome == Io::End) {
        return body->ends_with_connection() ? Io::Ok : Io::Failed;
      }
      return outcome;
    }
  }
}

}  // namespace vkhost::testing
