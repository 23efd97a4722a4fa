#include "daemon/stopping.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::size_t kPartsAtOnce = 16;

}  // namespace

Stopping::Stopping(Stages stages, std::function<void()> done)
    : stages_(std::move(stages)), done_(std::move(done)), thread_("stop", [this] { run(); }) {}

std::vector<std::string> Stopping::standing() const {
  std::vector<std::string> names;
  MutexLock lock(mutex_);
  for (std::size_t i = 0; stage_ != nullptr && i < ended_.size(); ++i) {
    if (!ended_[i]) {
      names.push_back((*stage_)[i].name);
    }
  }
  return names;
}

void Stopping::run() {
  for (const std::vector<Part>& parts : stages_) {
    run_stage(parts);
  }
  done_();
}

void Stopping::run_stage(const std::vector<Part>& parts) {
  {
    MutexLock lock(mutex_);
    stage_ = &parts;
    next_ = 0;
    ended_.assign(parts.size(), false);
  }
  std::vector<Thread> others;
  for (std::size_t i = 1; i < std::min(parts.size(), kPartsAtOnce); ++i) {
    others.emplace_back("stop", [this, &parts] { stop_next(parts); });
  }
  stop_next(parts);
}

void Stopping::stop_next(const std::vector<Part>& parts) {
  for (;;) {
    std::size_t own = 0;
    {
      MutexLock lock(mutex_);
      if (next_ == parts.size()) {
        return;
      }
      own = next_++;
    }
    parts[own].stop();
    MutexLock lock(mutex_);
    ended_[own] = true;
  }
}

}  // namespace vkhost::daemon
