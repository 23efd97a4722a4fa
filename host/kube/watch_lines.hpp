// WatchLines: the body of a watch as JSON lines, over the stream of an http::Transport.
//
// For one thread at a time; made by the client. Fails like the stream below it; a body that ends inside
// a line is UNAVAILABLE, a line beyond `max_line_bytes` RESOURCE_EXHAUSTED.
#pragma once

#include "http/client.hpp"
#include "kube/client.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace vkhost::kube {

class WatchLines final : public WatchStream {
 public:
  // `keep_alive` is whatever must outlive the stream (its transport).
  WatchLines(std::unique_ptr<http::ResponseStream> body,
             std::shared_ptr<const void> keep_alive,
             std::size_t max_line_bytes = std::size_t{32} * 1024 * 1024);

  Result<std::optional<std::string>> try_next() override;
  [[nodiscard]] int descriptor() const override { return body_->descriptor(); }

 private:
  bool take_line(std::string& line);
  void make_room();

  std::shared_ptr<const void> keep_alive_;  // declared first: destroyed last
  std::unique_ptr<http::ResponseStream> body_;
  std::size_t max_line_bytes_;
  std::string buffer_;
  std::size_t line_begin_ = 0;  // where the first line that was not handed out starts
  std::size_t scanned_ = 0;     // no newline before this
  std::size_t filled_ = 0;
};

}  // namespace vkhost::kube
