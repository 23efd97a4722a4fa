// The listener of an instance that is made and never started: such a one has nothing to tell.
// [any-thread] [no-block]
#pragma once

#include "plugin/provider.hpp"

#include <string>

namespace vkhost::daemon {

class DeafListener final : public plugin::ProviderListener {
 public:
  Status pod_changed(plugin::PodChange /*change*/) override { return not_started(); }
  Status node_changed() override { return not_started(); }
  Status save_handle(const std::string& /*uid*/, const std::string& /*handle*/) override {
    return not_started();
  }
  Status evict(plugin::Eviction /*eviction*/) override { return not_started(); }
  Status emit(plugin::ProviderEvent /*event*/) override { return not_started(); }

 private:
  static Status not_started() { return cancelled("the instance is not started"); }
};

}  // namespace vkhost::daemon
