// KwokProcess: KWOK managing one node of the control plane, with the stages of kwok_stages.yaml. A
// benchmark compares with it where it is there. Throws std::runtime_error. One owner. [may-block]
#pragma once

#include "support/child_process.hpp"
#include "support/cluster.hpp"
#include "support/test_folder.hpp"

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>

namespace vkhost::bench {

// The program that `place` names; "auto" is the one that tools/control_plane has built. Empty, with a
// sentence in *why, when there is none.
[[nodiscard]] std::filesystem::path find_kwok(const std::string& place, std::string* why);

class KwokProcess {
 public:
  // Makes the node too; it becomes Ready some moments later.
  KwokProcess(const std::filesystem::path& program,
              testing::Cluster& cluster,
              const std::string& node);

  [[nodiscard]] pid_t pid() const { return child_->pid(); }
  [[nodiscard]] std::string log() const { return child_->output(); }

 private:
  testing::TestFolder folder_;
  std::unique_ptr<testing::ChildProcess> child_;
};

}  // namespace vkhost::bench
