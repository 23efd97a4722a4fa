// pod_storm: many pods bound to one node at once, until the API shows all of them Running.
//
// The measure is what the API server itself needs for the same work from a raw client: as many
// connections create the pods, then write one status each. Both sides run in turn against the same
// control plane, and the figure is the ratio of the medians. With --kwok a third side is KWOK, with
// stages that do the same to the pods of its node.
//
// With --tokens each pod has a service-account token, and the provider takes tokens and files, so that the
// daemon asks the API server for one token per pod. The same is then measured without them as well, in turn
// and with the same daemon: what tokens cost is the ratio of the two.
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
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::Cluster;

// One kind of pods, and what a raw client needs for them, run by run.
struct Load {
  Load(Cluster& cluster, const StormSettings& settings)
      : storm(cluster, settings), tokens(settings.tokens) {}

  Storm storm;
  const bool tokens;
  std::vector<double> raw_s;
};

// Whoever manages a node, and what its process has used, run by run.
struct Side {
  std::string label;
  Load* load = nullptr;
  std::string node;
  pid_t pid = -1;
  ProcessFigures idle = {};
  ProcessFigures busy = {};     // the last run's
  RequestCounts requests = {};  // of the last run
  std::vector<double> cpu_s = {};
  std::vector<double> seconds = {};
};

// Once its node is Ready.
Side make_side(Cluster& cluster, std::string label, Load& load, std::string node, pid_t pid) {
  cluster.wait_for(
      "/api/v1/nodes/" + node,
      [](const std::string& object) {
        return !object.empty() && testing::condition_of(object, "Ready") == "True";
      },
      std::chrono::minutes{2});
  return {.label = std::move(label),
          .load = &load,
          .node = std::move(node),
          .pid = pid,
          .idle = read_process(pid)};
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

void run_once(Cluster& cluster, Side& side) {
  const RequestCounts before = request_counts(cluster);
  const double cpu_before = read_process(side.pid).cpu_seconds;
  const auto took = side.load->storm.managed_run(side.node, [&] {
    side.busy = read_process(side.pid);
    side.requests = request_counts(cluster);
  });
  side.cpu_s.push_back(side.busy.cpu_seconds - cpu_before);
  side.seconds.push_back(took.count());
  for (const auto& [request, count] : before) {
    side.requests[request] -= count;
  }
}

void print(const Side& side, int pods) {
  const double seconds = median(side.seconds);
  std::printf("\n%s\n", side.label.c_str());
  std::printf("  created until all Running       %8.2f s   (%.0f pods/s)\n", seconds,
              pods / seconds);
  std::printf("  ratio to the raw client         %8.2f\n", seconds / median(side.load->raw_s));
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
                                                     int pods,
                                                     bool tokens) {
  testing::DaemonSettings settings;
  settings.node_name = node;
  settings.kubeconfig = cluster.kubeconfig("admin");
  settings.provider_settings = "pods = '" + std::to_string(pods) + "'\n";
  if (tokens) {
    settings.provider_settings += "material = ['files', 'tokens']\nupdates = ['tokens']\n";
  }
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

// A figure for tokens that nobody asked for would be none.
void check_tokens(const Side& side, int pods) {
  const auto asked = side.requests.find("POST serviceaccounts/token");
  if (side.load->tokens && (asked == side.requests.end() || asked->second < pods)) {
    throw std::runtime_error(side.label + " did not ask for a token for each pod");
  }
}

void run_all(Cluster& cluster, std::deque<Load>& loads, std::vector<Side>& sides, int runs) {
  for (int i = 0; i < runs; ++i) {
    std::printf("run %d:", i + 1);
    for (Load& load : loads) {
      load.raw_s.push_back(load.storm.raw_run().count());
      std::printf(" raw client %.2f s,", load.raw_s.back());
      for (Side& side : sides) {
        if (side.load == &load) {
          run_once(cluster, side);
          let_settle(side);
          std::printf(" %s %.2f s,", side.label.c_str(), side.seconds.back());
        }
      }
    }
    std::printf("\n");
    static_cast<void>(std::fflush(stdout));
  }
}

void print_raw(const Load& load, int pods) {
  const double seconds = median(load.raw_s);
  std::printf("\nraw client, pods %s tokens\n", load.tokens ? "with" : "without");
  std::printf("  create and one status write each %7.2f s   (%.0f pods/s)\n", seconds,
              pods / seconds);
}

void run(const Flags& flags) {
  const int pods = flags.number("--pods");
  const int connections = flags.number("--connections");
  const bool tokens = flags.is_on("--tokens");
  Cluster& cluster = Cluster::instance();
  cluster.create("/api/v1/nodes",
                 R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"raw-node"}})");
  // Without tokens first; sides keep their places.
  std::deque<Load> loads;
  StormSettings settings{.pods = pods, .connections = connections};
  loads.emplace_back(cluster, settings);
  if (tokens) {
    settings.tokens = true;
    loads.emplace_back(cluster, settings);
  }
  std::vector<Side> sides;
  const std::string node = Cluster::unique_name("storm-node");
  const auto daemon = start_daemon(cluster, node, pods, tokens);
  for (Load& load : loads) {
    sides.push_back(make_side(cluster, load.tokens ? "vkhost with tokens" : "vkhost", load, node,
                              daemon->pid()));
  }
  const std::string kwok_node = Cluster::unique_name("kwok-node");
  const auto kwok = start_kwok(cluster, kwok_node, flags.text("--kwok"));
  if (kwok) {
    sides.push_back(make_side(cluster, "KWOK", loads.front(), kwok_node, kwok->pid()));
  }

  run_all(cluster, loads, sides, flags.number("--runs"));

  std::printf("\n%d pods, %d connections, median of %d\n", pods, connections,
              flags.number("--runs"));
  for (const Load& load : loads) {
    print_raw(load, pods);
  }
  for (const Side& side : sides) {
    print(side, pods);
    check_tokens(side, pods);
  }
  if (tokens) {
    std::printf("\nvkhost with tokens, to the same without: ratio %.2f\n",
                median(sides[1].seconds) / median(sides[0].seconds));
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
