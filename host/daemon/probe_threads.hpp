// ProbeThreads: the threads on which nodes ask their providers how they are; some for each provider of
// the configuration, so that one whose calls hang on all of its nodes holds up none but itself.
// [any-thread] [no-block]; the destructor [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "config/config.hpp"

#include <map>
#include <string>
#include <vector>

namespace vkhost::daemon {

class ProbeThreads {
 public:
  ProbeThreads(const std::vector<config::NodeConfig>& nodes, const Clock& clock);

  // Of the provider of a node that was given.
  [[nodiscard]] Executor& of(const std::string& provider) { return executors_.at(provider); }

 private:
  std::map<std::string, Executor> executors_;
};

}  // namespace vkhost::daemon
