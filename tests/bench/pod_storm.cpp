// pod_storm: many pods bound to one node at once, until the API shows all of them Running.
//
// The measure is what the API server itself needs for the same work from a raw client: as many
// connections create the pods, then write one status each. Both sides run in turn against the same
// control plane, and the figure is the ratio of the medians.
//
//   pod_storm [--pods 2000] [--runs 5] [--connections 16] [--tokens]
#include "base/thread.hpp"
#include "process_figures.hpp"
#include "support/cluster.hpp"
#include "support/daemon_process.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::ApiClient;
using testing::Cluster;
using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

struct Options {
  int pods = 2000;
  int runs = 5;
  int connections = 16;
  bool tokens = false;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::atoi(argv[++i]) : 0; };
    if (flag == "--pods") {
      options.pods = number();
    } else if (flag == "--runs") {
      options.runs = number();
    } else if (flag == "--connections") {
      options.connections = number();
    } else if (flag == "--tokens") {
      options.tokens = true;
    } else {
      throw std::runtime_error("unknown flag " + std::string(flag));
    }
  }
  if (options.pods < 1 || options.runs < 1 || options.connections < 1) {
    throw std::runtime_error("--pods, --runs and --connections take a number above 0");
  }
  return options;
}

std::string pod_json(const std::string& name, const std::string& node, bool tokens) {
  // 4 KiB and more, as pods of real clusters are.
  const std::string padding(3600, 'x');
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
         R"(","annotations":{"bench.vkhost.io/padding":")" + padding +
         R"("}},"spec":{"nodeName":")" + node + R"(","automountServiceAccountToken":)" +
         (tokens ? "true" : "false") +
         R"(,"enableServiceLinks":false,"terminationGracePeriodSeconds":0,"containers":[{"name":)"
         R"("main","image":"registry.example/app:1","env":[{"name":"A","value":"1"}]}],)"
         R"("tolerations":[{"operator":"Exists"}]}})";
}

constexpr std::string_view kRunning =
    R"({"status":{"phase":"Running","podIP":"10.1.2.3","podIPs":[{"ip":"10.1.2.3"}],)"
    R"("startTime":"2026-01-02T03:04:05Z","conditions":[)"
    R"({"type":"Ready","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"},)"
    R"({"type":"ContainersReady","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"},)"
    R"({"type":"Initialized","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"},)"
    R"({"type":"PodScheduled","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"}],)"
    R"("containerStatuses":[{"name":"main","ready":true,"restartCount":0,"image":)"
    R"("registry.example/app:1","imageID":"","state":{"running":{"startedAt":)"
    R"("2026-01-02T03:04:05Z"}}}]}})";

// Calls `work(i)` for every i below `count` from so many threads.
void in_parallel(int threads, int count, const std::function<void(int)>& work) {
  std::atomic<int> next = 0;
  std::atomic<bool> failed = false;
  std::vector<Thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back("bench-" + std::to_string(t), [&] {
      for (int i = next++; i < count && !failed; i = next++) {
        try {
          work(i);
        } catch (const std::exception& error) {
          static_cast<void>(std::fprintf(stderr, "pod_storm: %s\n", error.what()));
          failed = true;
        }
      }
    });
  }
  running.clear();
  if (failed) {
    throw std::runtime_error("a request failed");
  }
}

class Storm {
 public:
  Storm(Cluster& cluster, const Options& options)
      : cluster_(cluster),
        options_(options),
        api_(cluster.port(), cluster.ca_pem(), cluster.token("admin")),
        namespace_(cluster.create_namespace()) {}

  // What the API server needs for creates and status writes of a raw client.
  Seconds raw_run() {
    const auto began = SteadyClock::now();
    create_all("raw-node");
    in_parallel(options_.connections, options_.pods, [&](int i) {
      expect(api_.patch(path(i) + "/status", kRunning, "application/strategic-merge-patch+json"));
    });
    const Seconds took = SteadyClock::now() - began;
    remove_all();
    return took;
  }

  // The same pods, run by the daemon: from the first create until a watch has shown all as Running.
  Seconds daemon_run(const std::string& node, const std::function<void()>& when_running) {
    SteadyClock::time_point all_running;
    const std::string version = list_version();
    ApiClient watcher(cluster_.port(), cluster_.ca_pem(), cluster_.token("admin"));
    std::atomic<bool> seen_all = false;
    Thread watch("bench-watch", [&] {
      std::unordered_set<std::string> running;
      static_cast<void>(
          watcher.watch(pods_path() + "?watch=true&resourceVersion=" + version,
                        std::chrono::minutes{10}, [&](std::string_view event) {
                          if (event.find(R"("phase":"Running")") != std::string_view::npos) {
                            running.insert(name_in(event));
                          }
                          if (running.size() == static_cast<std::size_t>(options_.pods)) {
                            all_running = SteadyClock::now();
                            seen_all = true;
                            return false;
                          }
                          return true;
                        }));
    });
    const auto began = SteadyClock::now();
    create_all(node);
    watch.join();
    if (!seen_all) {
      throw std::runtime_error("not all pods were Running within ten minutes");
    }
    when_running();
    remove_all();
    return all_running - began;
  }

 private:
  static std::string name_in(std::string_view event) {
    const auto at = event.find(R"("name":"storm-)");
    const auto begin = at + 8;
    return std::string(event.substr(begin, event.find('"', begin) - begin));
  }
  [[nodiscard]] std::string pods_path() const {
    return "/api/v1/namespaces/" + namespace_ + "/pods";
  }
  [[nodiscard]] std::string path(int i) const {
    return pods_path() + "/storm-" + std::to_string(i);
  }

  static void expect(const testing::ApiAnswer& answer) {
    if (!answer.is_success()) {
      throw std::runtime_error("HTTP " + std::to_string(answer.status) + ": " +
                               answer.body.substr(0, 300));
    }
  }
  std::string list_version() {
    const std::string list = cluster_.get(pods_path() + "?limit=1");
    const std::string label = R"("resourceVersion":")";
    const auto at = list.find(label) + label.size();
    return list.substr(at, list.find('"', at) - at);
  }
  void create_all(const std::string& node) {
    in_parallel(options_.connections, options_.pods, [&](int i) {
      expect(
          api_.create(pods_path(), pod_json("storm-" + std::to_string(i), node, options_.tokens)));
    });
  }
  void remove_all() {
    in_parallel(options_.connections, options_.pods, [&](int i) {
      const auto answer = api_.send("DELETE", path(i), R"({"gracePeriodSeconds":0})");
      if (answer.status != 404) {
        expect(answer);
      }
    });
  }

  Cluster& cluster_;
  const Options options_;
  ApiClient api_;
  const std::string namespace_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Requests of one verb on pods/status that the API server has counted.
double status_patches(Cluster& cluster) {
  const std::string text = cluster.get("/metrics");
  double sum = 0;
  for (std::size_t at = text.find("\napiserver_request_total{"); at != std::string::npos;
       at = text.find("\napiserver_request_total{", at + 1)) {
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    if (line.find(R"(resource="pods")") != std::string::npos &&
        line.find(R"(subresource="status")") != std::string::npos &&
        line.find(R"(verb="PATCH")") != std::string::npos) {
      sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
  }
  return sum;
}

void run(const Options& options) {
  Cluster& cluster = Cluster::instance();
  cluster.create("/api/v1/nodes",
                 R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"raw-node"}})");
  const std::string node = Cluster::unique_name("storm-node");
  testing::DaemonSettings settings;
  settings.node_name = node;
  settings.kubeconfig = cluster.kubeconfig("admin");
  settings.provider_settings = "pods = '" + std::to_string(options.pods) + "'";
  const testing::DaemonProcess daemon(settings);
  cluster.wait_for("/api/v1/nodes/" + node, [](const std::string& object) {
    return object.find(R"("reason":"KubeletReady")") != std::string::npos;
  });
  const ProcessFigures idle = read_process(daemon.pid());

  Storm storm(cluster, options);
  std::vector<double> raw;
  std::vector<double> ours;
  ProcessFigures busy;
  double patches = 0;
  double cpu = 0;
  for (int i = 0; i < options.runs; ++i) {
    raw.push_back(storm.raw_run().count());
    const double cpu_before = read_process(daemon.pid()).cpu_seconds;
    const double patches_before = status_patches(cluster);
    ours.push_back(storm
                       .daemon_run(node,
                                   [&] {
                                     busy = read_process(daemon.pid());
                                     cpu = busy.cpu_seconds - cpu_before;
                                     patches = status_patches(cluster) - patches_before;
                                   })
                       .count());
    std::printf("run %d: raw client %.2f s, vkhost %.2f s\n", i + 1, raw.back(), ours.back());
  }
  std::printf("\n%d pods, %d connections, service-account tokens %s, median of %d\n", options.pods,
              options.connections, options.tokens ? "on" : "off", options.runs);
  std::printf("raw client (create and one status write each)  %6.2f s  (%.0f pods/s)\n",
              median(raw), options.pods / median(raw));
  std::printf("vkhost (created until all Running)             %6.2f s  (%.0f pods/s)\n",
              median(ours), options.pods / median(ours));
  std::printf("ratio                                          %6.2f\n", median(ours) / median(raw));
  std::printf("status PATCHes per pod                         %6.2f\n", patches / options.pods);
  std::printf("CPU of the daemon, last run                    %6.2f s\n", cpu);
  std::printf("RSS idle / with all pods                       %6.1f / %.1f MiB\n", idle.rss_mib,
              busy.rss_mib);
  std::printf("anonymous idle / with all pods                 %6.1f / %.1f MiB, %lu threads\n",
              idle.anonymous_mib, busy.anonymous_mib, busy.threads);
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run(vkhost::bench::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "pod_storm: %s\n", error.what()));
    return 1;
  }
}
