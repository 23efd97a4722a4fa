// What `vkhost get` asks of a running daemon, over its kubelet API: one answer for each node that is
// asked. [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "daemon/runtime_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::cli {

struct PodRow {
  std::string pod_namespace;
  std::string name;
  std::string uid;
  std::string node;
  std::string phase;
  std::string reason;
  std::string pod_ip;
  std::string last_error;
  std::int64_t ready_containers = 0;
  std::int64_t containers = 0;
  std::int64_t restarts = 0;
  std::optional<WallTime> started;
  std::optional<WallTime> next_try;
};

struct NodeRow {
  std::string name;
  std::string provider;
  std::string reason;
  std::string message;
  std::int64_t pods = 0;
  bool ready = false;
};

// The items of all nodes as they came, for -o json, and read.
template <typename Row>
struct Answer {
  std::vector<Row> rows;
  std::vector<std::string> items;  // JSON text, in the order of `rows`
};

// INVALID_ARGUMENT when it is not what the daemon promises.
Result<Answer<PodRow>> read_pod_rows(std::string_view json);
Result<Answer<NodeRow>> read_node_rows(std::string_view json);

// The body of GET `path`. UNAVAILABLE when nobody answers, UNAUTHENTICATED when it is somebody else.
Result<std::string> ask_node(const daemon::RuntimeFile& daemon,
                             const daemon::RuntimeNode& node,
                             std::string_view path,
                             const std::shared_ptr<const Clock>& clock);

}  // namespace vkhost::cli
