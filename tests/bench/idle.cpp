// idle: what one node costs that nobody uses, in a cluster, with the mock provider. The table says
// which threads woke.
//
//   idle [--minutes 5]
#include "flags.hpp"
#include "process_figures.hpp"
#include "support/cluster.hpp"
#include "support/daemon_process.hpp"
#include "support/json_pointer.hpp"

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace vkhost::bench {
namespace {

using testing::Cluster;

void print(const ProcessFigures& before, const ProcessFigures& after, int minutes) {
  const auto groups = threads_by_name(before, after);
  double switches = 0;
  double involuntary = 0;
  for (const auto& [name, group] : groups) {
    switches += static_cast<double>(group.voluntary_switches + group.involuntary_switches);
    involuntary += static_cast<double>(group.involuntary_switches);
  }
  std::printf("one idle node, %d minutes\n", minutes);
  std::printf("  RSS                      %8.1f MiB\n", after.rss_mib);
  std::printf("  of it anonymous          %8.1f MiB (%.1f at first)\n", after.anonymous_mib,
              before.anonymous_mib);
  std::printf("  context switches/minute  %8.1f (%.1f of them involuntary)\n", switches / minutes,
              involuntary / minutes);
  std::printf("  CPU                      %8.1f ms/minute\n",
              (after.cpu_seconds - before.cpu_seconds) * 1000 / minutes);
  std::printf("  threads                  %8zu\n", after.threads.size());

  std::printf("\n  %-16s %7s  %18s  %11s  %13s\n", "threads named", "threads", "switches/minute",
              "involuntary", "CPU ms/minute");
  for (const auto& [name, group] : groups) {
    std::printf(
        "  %-16s %7d  %18.1f  %11.1f  %13.2f\n", name.c_str(), group.threads,
        static_cast<double>(group.voluntary_switches + group.involuntary_switches) / minutes,
        static_cast<double>(group.involuntary_switches) / minutes,
        group.cpu_seconds * 1000 / minutes);
  }
}

void run(const Flags& flags) {
  const int minutes = flags.number("--minutes");
  Cluster& cluster = Cluster::instance();
  const std::string node = Cluster::unique_name("idle-node");
  testing::DaemonProcess daemon({.node_name = node, .kubeconfig = cluster.kubeconfig("admin")});
  cluster.wait_for(
      "/api/v1/nodes/" + node,
      [](const std::string& object) {
        return !object.empty() && testing::condition_of(object, "Ready") == "True";
      },
      std::chrono::minutes{2});

  const auto stay = [&](std::chrono::seconds time) {
    if (daemon.wait(time)) {
      throw std::runtime_error("the daemon ended:\n" + daemon.log());
    }
  };
  // The start is over, and what it left behind was given back or was not.
  stay(std::chrono::seconds{20});
  const ProcessFigures before = read_process(daemon.pid());
  stay(std::chrono::minutes{minutes});
  print(before, read_process(daemon.pid()), minutes);
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run({argc, argv, {.numbers = {{"--minutes", 5}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "idle: %s\n", error.what()));
    return 1;
  }
}
