// What a daemon is brought to do in order to use each right that packaging/rbac gives it: one story for
// each file. A story waits for nothing that a refusal would keep away, so it is as short where a right
// is missing as where all are there.
#pragma once

#include "cluster/node_under_test.hpp"
#include "support/fault_proxy.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

class RoleStage;

struct RoleStory {
  std::string_view feature;                            // the name of its file
  std::string_view settings = {};                      // TOML: tables of the daemon
  std::string_view rules = {};                         // TOML: of the mock
  std::string_view provider = "material = ['env']\n";  // TOML: the mock's settings
  // False when something was refused, or did not come.
  bool (*play)(RoleStage& stage);
};

[[nodiscard]] const std::vector<RoleStory>& role_stories();
// Null when there is none.
[[nodiscard]] const RoleStory* find_role_story(std::string_view feature);

// A daemon, and the proxy through which it reaches the API server with the token of that user.
class RoleStage {
 public:
  RoleStage(const RoleStory& story, const std::string& token);

  [[nodiscard]] NodeUnderTest& node() { return node_; }
  [[nodiscard]] Traffic& traffic() { return proxy_->traffic(); }
  // What the API server refused to the daemon: "patch pods/status in web", each once.
  [[nodiscard]] std::vector<std::string> refusals();
  [[nodiscard]] bool is_refused() { return traffic().wait_for_answers(403, 1, {}); }

  // False as soon as anything is refused, or when it takes too long.
  bool wait_until(const std::function<bool()>& condition);
  bool wait_for(std::string_view label, std::uint64_t at_least = 1);
  bool wait_until_ready();
  bool wait_until_running(std::string_view pod);

 private:
  const std::unique_ptr<FaultProxy> proxy_ = Cluster::instance().proxy();
  NodeUnderTest node_;
};

}  // namespace vkhost::testing
