#include "kube/watch_lines.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vkhost::kube {
namespace {

// A burst of large events reads more at once.
constexpr std::size_t kSmallestRead = 4096;
constexpr std::size_t kLargestRead = std::size_t{64} * 1024;

}  // namespace

WatchLines::WatchLines(std::unique_ptr<http::ResponseStream> body,
                       std::shared_ptr<const void> keep_alive,
                       std::size_t max_line_bytes)
    : keep_alive_(std::move(keep_alive)), body_(std::move(body)), max_line_bytes_(max_line_bytes) {}

bool WatchLines::take_line(std::string& line) {
  while (scanned_ < filled_) {
    const void* newline = std::memchr(buffer_.data() + scanned_, '\n', filled_ - scanned_);
    if (newline == nullptr) {
      scanned_ = filled_;
      return false;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.data());
    const bool is_blank = end == line_begin_;
    if (!is_blank) {
      line.assign(buffer_, line_begin_, end - line_begin_);
    }
    line_begin_ = end + 1;
    scanned_ = end + 1;
    if (!is_blank) {
      return true;
    }
  }
  return false;
}

// Moves the started line to the front and makes room for the next read behind it.
void WatchLines::make_room() {
  if (line_begin_ > 0) {
    buffer_.erase(0, line_begin_);
    filled_ -= line_begin_;
    scanned_ -= line_begin_;
    line_begin_ = 0;
  }
  const std::size_t more = std::clamp(filled_, kSmallestRead, kLargestRead);
  if (buffer_.size() < filled_ + more) {
    buffer_.resize(filled_ + more);
  }
}

Result<std::optional<std::string>> WatchLines::try_next() {
  std::string line;
  while (!take_line(line)) {
    if (filled_ - line_begin_ > max_line_bytes_) {
      return Status(StatusCode::ResourceExhausted,
                    "a watch event is longer than " + std::to_string(max_line_bytes_) + " bytes");
    }
    make_room();
    VKHOST_TRY_ASSIGN(const auto count,
                      body_->try_read(buffer_.data() + filled_, buffer_.size() - filled_));
    if (!count) {
      if (filled_ == 0) {
        std::string().swap(buffer_);  // there may be a thousand idle ones
      }
      return std::optional<std::string>();
    }
    if (*count == 0) {
      if (filled_ > 0) {
        return unavailable("the watch ended in the middle of an event");
      }
      return std::optional<std::string>(std::string());
    }
    filled_ += *count;
  }
  return std::optional<std::string>(std::move(line));
}

}  // namespace vkhost::kube
