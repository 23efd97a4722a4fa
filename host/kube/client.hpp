// Client: typed requests to one Kubernetes API server, on top of an http::Transport.
//
// Shared by all rooms and threads. Adds credentials (fresh ones after rotation), repeats what is safe
// to repeat within the caller's deadline (429 and 503 with Retry-After; after connection loss what
// changes nothing or sets the same again) and turns an error answer (metav1.Status) into a Status: 400 and 422 INVALID_ARGUMENT, 401
// UNAUTHENTICATED, 403 PERMISSION_DENIED, 404 NOT_FOUND, 409 ABORTED (reason Conflict) or
// ALREADY_EXISTS, 410 OUT_OF_RANGE, 429 RESOURCE_EXHAUSTED with its delay, 5xx UNAVAILABLE. The
// Kubernetes reason is Status::reason(), so callers never look at text.
#pragma once

#include "base/cancel.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"
#include "http/client.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::kube {

// Requests of one lane wait for each other, never for those of another: leases; nodes; what is written
// about pods; everything else that is asked; Events.
enum class Lane { Lease, Node, Status, Normal, Events };

enum class PatchType { Merge, StrategicMerge, Json };

using Query = std::vector<std::pair<std::string, std::string>>;  // unescaped

struct CallOptions {
  Deadline deadline = Deadline::never();
  CancelToken cancel;
  Lane lane = Lane::Normal;
  // For create() and JSON patches: doing it twice is as good as once (a review, or an object whose
  // AlreadyExists the caller takes for done). All other requests are so by nature: of several
  // writes to one object the caller makes the next after the one before has ended.
  bool repeatable = false;
  // The first answer is wanted, whatever it is: nothing is repeated (but with fresh credentials after a
  // 401), and a 429 is the answer to this request alone, which doesn't hold its lane.
  bool once = false;
};

// Bytes of a watch until it ends; see PodWatch for the events.
class WatchStream {
 public:
  WatchStream() = default;
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;
  virtual ~WatchStream() = default;
  // The next event as one JSON line without its newline; empty at the proper end; nothing when more
  // has to arrive first, which then makes descriptor() readable. [no-block]
  virtual Result<std::optional<std::string>> try_next() = 0;
  [[nodiscard]] virtual int descriptor() const = 0;  // for poll(2) and its like, nothing else
};

// `path` is that of the resource or object ("/api/v1/nodes/web"), its segments already escaped
// where user text goes in (see paths.hpp). Answers are JSON text. [any-thread] [may-block]
class Client {
 public:
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;

  virtual Result<std::string> get(std::string_view path,
                                  const Query& query,
                                  const CallOptions& options) = 0;
  virtual Result<std::string> create(std::string_view path,
                                     std::string body,
                                     const CallOptions& options) = 0;
  virtual Result<std::string> update(std::string_view path,
                                     std::string body,
                                     const CallOptions& options) = 0;
  virtual Result<std::string> patch(std::string_view path,
                                    PatchType type,
                                    std::string body,
                                    const CallOptions& options) = 0;
  // `body` is a metav1.DeleteOptions, or empty.
  virtual Result<std::string> remove(std::string_view path,
                                     std::string body,
                                     const CallOptions& options) = 0;
  // options.deadline bounds the wait for the head of the answer only.
  virtual Result<std::unique_ptr<WatchStream>> watch(std::string_view path,
                                                     const Query& query,
                                                     const CallOptions& options) = 0;
};

}  // namespace vkhost::kube
