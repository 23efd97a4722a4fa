// pod_storm: many pods bound to one node at once, until the API shows all of them Running.
//
// The measure is what the API server itself needs for the same work from a raw client: as many
// connections create the pods, then write one status each. Both sides run in turn against the same
// control plane, and the figure is the ratio of the medians. With --kwok a third side is KWOK, with
// stages that do the same to the pods of its node.
//
//   pod_storm [--pods 2000] [--runs 5] [--connections 16] [--tokens] [--kwok PATH|auto]
#include "flags.hpp"
#include "kwok_process.hpp"
#include "process_figures.hpp"
#include "storm.hpp"
#include "support/daemon_process.hpp"
#include "support/json_pointer.hpp"

#include <poll.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::Cluster;

// Whoever manages a node, and what its process has used, run by run.
struct Side {
  std::string label;
  std::string node;
  pid_t pid = -1;
  ProcessFigures idle = {};
  ProcessFigures busy = {};     // the last run's
  RequestCounts requests = {};  // of the last run
  std::vector<double> cpu_s = {};
  std::vector<double> seconds = {};
};

// Once its node is Ready.
Side make_side(Cluster& cluster, std::string label, std::string node, pid_t pid) {
  cluster.wait_for(
      "/api/v1/nodes/" + node,
      [](const std::string& object) {
        return !object.empty() && testing::condition_of(object, "Ready") == "True";
      },
      std::chrono::minutes{2});
  return {
      .label = std::move(label), .node = std::move(node), .pid = pid, .idle = read_process(pid)};
}

// Until the process has used next to no CPU for half a second: what is left of one run, deletions
// for instance, must not burden the next one, which may be another's.
void let_settle(const Side& side) {
  constexpr int kAtMost = 120;
  constexpr int kHalfASecondMs = 500;
  constexpr double kNextToNothing = 0.011;
  const testing::Descriptor process = testing::open_pidfd(side.pid);
  for (int i = 0; i < kAtMost; ++i) {
    const double before = read_process(side.pid).cpu_seconds;
    pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ended, 1, kHalfASecondMs) != 0) {
      throw std::runtime_error(side.label + " ended in the middle of the benchmark");
    }
    if (read_process(side.pid).cpu_seconds - before < kNextToNothing) {
      return;
    }
  }
}

void run_once(Cluster& cluster, Storm& storm, Side& side) {
  const RequestCounts before = request_counts(cluster);
  const double cpu_before = read_process(side.pid).cpu_seconds;
  const auto took = storm.managed_run(side.node, [&] {
    side.busy = read_process(side.pid);
    side.requests = request_counts(cluster);
  });
  side.cpu_s.push_back(side.busy.cpu_seconds - cpu_before);
  side.seconds.push_back(took.count());
  for (const auto& [request, count] : before) {
    side.requests[request] -= count;
  }
}

void print(const Side& side, double raw_s, int pods) {
  const double seconds = median(side.seconds);
  std::printf("\n%s\n", side.label.c_str());
  std::printf("  created until all Running       %8.2f s   (%.0f pods/s)\n", seconds,
              pods / seconds);
  std::printf("  ratio to the raw client         %8.2f\n", seconds / raw_s);
  std::printf("  CPU                             %8.2f s\n", median(side.cpu_s));
  std::printf("  RSS idle / with all pods        %8.1f / %.1f MiB\n", side.idle.rss_mib,
              side.busy.rss_mib);
  std::printf("  anonymous idle / with all pods  %8.1f / %.1f MiB\n", side.idle.anonymous_mib,
              side.busy.anonymous_mib);
  std::printf("  threads                         %8zu\n", side.busy.threads.size());
  std::printf("  requests per pod (all clients, without the creation)\n");
  for (const auto& [request, count] : side.requests) {
    constexpr double kWorthALine = 0.005;
    if (count / pods >= kWorthALine && request != "POST pods") {
      std::printf("    %-29s %8.2f\n", request.c_str(), count / pods);
    }
  }
}

std::unique_ptr<testing::DaemonProcess> start_daemon(Cluster& cluster,
                                                     const std::string& node,
                                                     int pods) {
  testing::DaemonSettings settings;
  settings.node_name = node;
  settings.kubeconfig = cluster.kubeconfig("admin");
  settings.provider_settings = "pods = '" + std::to_string(pods) + "'\n";
  return std::make_unique<testing::DaemonProcess>(std::move(settings));
}

std::unique_ptr<KwokProcess> start_kwok(Cluster& cluster,
                                        const std::string& node,
                                        const std::string& place) {
  std::string why = "compare with it by --kwok auto";
  const auto program = place.empty() ? "" : find_kwok(place, &why);
  if (program.empty()) {
    std::printf("without KWOK: %s\n", why.c_str());
    return nullptr;
  }
  return std::make_unique<KwokProcess>(program, cluster, node);
}

void run(const Flags& flags) {
  const int pods = flags.number("--pods");
  const int connections = flags.number("--connections");
  const bool tokens = flags.is_on("--tokens");
  Cluster& cluster = Cluster::instance();
  cluster.create("/api/v1/nodes",
                 R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"raw-node"}})");
  std::vector<Side> sides;
  const std::string node = Cluster::unique_name("storm-node");
  const auto daemon = start_daemon(cluster, node, pods);
  sides.push_back(make_side(cluster, "vkhost", node, daemon->pid()));
  const std::string kwok_node = Cluster::unique_name("kwok-node");
  const auto kwok = start_kwok(cluster, kwok_node, flags.text("--kwok"));
  if (kwok) {
    sides.push_back(make_side(cluster, "KWOK", kwok_node, kwok->pid()));
  }

  Storm storm(cluster, {.pods = pods, .connections = connections, .tokens = tokens});
  std::vector<double> raw;
  for (int i = 0; i < flags.number("--runs"); ++i) {
    raw.push_back(storm.raw_run().count());
    std::printf("run %d: raw client %.2f s", i + 1, raw.back());
    for (Side& side : sides) {
      run_once(cluster, storm, side);
      let_settle(side);
      std::printf(", %s %.2f s", side.label.c_str(), side.seconds.back());
    }
    std::printf("\n");
    static_cast<void>(std::fflush(stdout));
  }

  std::printf("\n%d pods, %d connections, service-account tokens %s, median of %d\n", pods,
              connections, tokens ? "on" : "off", flags.number("--runs"));
  std::printf("\nraw client\n  create and one status write each %7.2f s   (%.0f pods/s)\n",
              median(raw), pods / median(raw));
  for (const Side& side : sides) {
    print(side, median(raw), pods);
  }
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run({argc,
                        argv,
                        {.numbers = {{"--pods", 2000}, {"--runs", 5}, {"--connections", 16}},
                         .texts = {{"--kwok", ""}},
                         .switches = {{"--tokens", false}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "pod_storm: %s\n", error.what()));
    return 1;
  }
}
