// StreamConnection: a connection that has left HTTP (Reply::stream): an upgraded one that carries
// SPDY or WebSocket frames, or an answer that lasts (a followed log).
//
// It belongs to one thread, which either polls descriptor() beside its other sources and moves bytes
// with try_read and try_write, or uses the blocking calls, which end at their deadline. Both end when
// the server stops, which also cancels cancel(). Statuses: UNAVAILABLE (the peer is gone),
// DEADLINE_EXCEEDED, CANCELLED.
#pragma once

#include "base/cancel.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"
#include "http/headers.hpp"
#include "http/io_step.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace vkhost::http {

class DeadlineSocketImpl;

class StreamConnection {
 public:
  // `early` arrived behind the head of the request and is read first.
  StreamConnection(std::shared_ptr<DeadlineSocketImpl> socket,
                   std::string early,
                   CancelToken cancel);
  ~StreamConnection();
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;

  // For poll(2) with the events that a step wanted, and POLLRDHUP; not for reading or writing.
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] const CancelToken& cancel() const { return cancel_; }
  // Bytes wait on this side of the descriptor: read before polling.
  [[nodiscard]] bool has_buffered() const;

  Result<IoStep> try_read(char* buffer, std::size_t capacity);                      // [no-block]
  Result<IoStep> try_write(const char* data, std::size_t size);                     // [no-block]
  Result<std::size_t> read(char* buffer, std::size_t capacity, Deadline deadline);  // [may-block]
  Status write(std::string_view bytes, Deadline deadline);  // all of them; [may-block]

  // The answer, raw: exactly these fields. [may-block]
  Status write_head(int status, const Headers& headers, Deadline deadline);
  // A body of unknown length after a head with "Transfer-Encoding: chunked". [may-block]
  Status write_chunk(std::string_view bytes, Deadline deadline);
  Status end_chunks(Deadline deadline);

  // Says goodbye, then discards what still arrives until the other side closes too or the deadline
  // passes: closing with bytes unread would destroy what was written. [may-block]
  void finish(Deadline deadline);

 private:
  std::shared_ptr<DeadlineSocketImpl> socket_;
  std::string early_;
  std::size_t early_at_ = 0;
  CancelToken cancel_;
};

}  // namespace vkhost::http
