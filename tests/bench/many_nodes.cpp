// many_nodes: many nodes in one daemon, each with some pods: how long they take to come up and their
// pods to run, and what memory and threads the process needs once nothing happens any more.
//
//   many_nodes [--nodes 500] [--pods 20] [--connections 16]
#include "base/cancel.hpp"
#include "base/thread.hpp"
#include "flags.hpp"
#include "process_figures.hpp"
#include "storm.hpp"
#include "support/daemon_process.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::Cluster;
using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::chrono::minutes kWithin{10};
// Threads that came with work leave after some seconds, what the start needed is given back before.
constexpr std::chrono::seconds kSettles{40};

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// The most that there were at once, looked at now and then.
class Peak {
 public:
  explicit Peak(pid_t pid) : pid_(pid) {}
  [[nodiscard]] std::size_t threads() const { return threads_; }
  [[nodiscard]] double rss_mib() const { return rss_mib_; }

 private:
  void look() {
    while (!stop_.token().wait_for(std::chrono::milliseconds{200})) {
      const ProcessFigures now = read_process(pid_);
      threads_ = std::max(threads_.load(), now.threads.size());
      rss_mib_ = std::max(rss_mib_.load(), now.rss_mib);
    }
  }
  struct Stopper {
    CancelSource& source;
    ~Stopper() { source.cancel(); }
  };

  const pid_t pid_;
  std::atomic<std::size_t> threads_ = 0;
  std::atomic<double> rss_mib_ = 0;
  CancelSource stop_;
  Thread thread_{"bench-look", [this] { look(); }};
  const Stopper stopper_{stop_};  // before the thread is joined
};

void wait_until_ready(Cluster& cluster, testing::DaemonProcess& daemon, std::size_t nodes) {
  const auto until = SteadyClock::now() + kWithin;
  while (count_of(cluster.get("/api/v1/nodes"), R"("reason":"KubeletReady")") < nodes) {
    if (daemon.wait(std::chrono::milliseconds{500}) || SteadyClock::now() > until) {
      throw std::runtime_error("not all nodes became Ready:\n" + daemon.log());
    }
  }
}

void print(const char* when, const ProcessFigures& figures) {
  std::printf("  %-22s RSS %7.1f MiB, of it anonymous %7.1f MiB, %4zu threads\n", when,
              figures.rss_mib, figures.anonymous_mib, figures.threads.size());
}

void run(const Flags& flags) {
  const int nodes = flags.number("--nodes");
  const int pods = flags.number("--pods");
  Cluster& cluster = Cluster::instance();
  const std::string prefix = Cluster::unique_name("many");
  const auto name = [&](int i) { return prefix + "-" + std::to_string(i); };
  testing::DaemonSettings settings;
  settings.node_name = name(0);
  for (int i = 1; i < nodes; ++i) {
    settings.more_nodes.push_back(name(i));
  }
  settings.kubeconfig = cluster.kubeconfig("admin");
  settings.provider_settings = "pods = '" + std::to_string(pods) + "'\n";
  const auto began = SteadyClock::now();
  testing::DaemonProcess daemon(settings);
  const Peak peak(daemon.pid());
  wait_until_ready(cluster, daemon, static_cast<std::size_t>(nodes));
  const Seconds ready = SteadyClock::now() - began;
  if (daemon.wait(kSettles)) {
    throw std::runtime_error("the daemon ended:\n" + daemon.log());
  }
  const ProcessFigures idle = read_process(daemon.pid());

  Storm storm(cluster, {.pods = nodes * pods, .connections = flags.number("--connections")});
  ProcessFigures busy;
  ProcessFigures settled;
  const auto took = storm.managed_run([&](int pod) { return name(pod % nodes); },
                                      [&] {
                                        busy = read_process(daemon.pid());
                                        static_cast<void>(daemon.wait(kSettles));
                                        settled = read_process(daemon.pid());
                                      });

  std::printf("%d nodes with %d pods each\n", nodes, pods);
  std::printf("  start until all Ready  %8.2f s\n", ready.count());
  std::printf("  until all pods Running %8.2f s\n", took.count());
  print("without pods", idle);
  print("all pods just Running", busy);
  print("with pods, at rest", settled);
  std::printf("  at most                RSS %7.1f MiB, %zu threads\n\n", peak.rss_mib(),
              peak.threads());
  for (const auto& [thread, group] : threads_by_name(settled, settled)) {
    std::printf("  %-16s %4d\n", thread.c_str(), group.threads);
  }
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run(
        {argc, argv, {.numbers = {{"--nodes", 500}, {"--pods", 20}, {"--connections", 16}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "many_nodes: %s\n", error.what()));
    return 1;
  }
}
