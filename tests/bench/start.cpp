// start: from the start of the process until the API shows its node Ready, next to what a raw client
// needs for the requests that this cannot do without.
//
// Before every run the daemon is killed and its Node removed, so that Ready is news. With --adopt so
// many pods run on the node before, all of which the daemon has to recover first.
//
//   start [--runs 20] [--adopt PODS]
#include "base/thread.hpp"
#include "flags.hpp"
#include "support/cluster.hpp"
#include "support/daemon_process.hpp"
#include "support/json_pointer.hpp"
#include "support/pod_book.hpp"
#include "support/test_folder.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::ApiClient;
using testing::Cluster;
using Millis = std::chrono::duration<double, std::milli>;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::minutes kWithin{2};

class Starts {
 public:
  explicit Starts(Cluster& cluster) : cluster_(cluster) {}

  // One after the other on one new connection: who the cluster is, which pods there are, that the
  // node is missing, and the node.
  double raw_run() {
    const auto began = SteadyClock::now();
    ApiClient api(cluster_.port(), cluster_.ca_pem(), cluster_.token("admin"));
    expect(api.get("/api/v1/namespaces/kube-system").status, 200);
    expect(api.get("/api/v1/pods?fieldSelector=spec.nodeName%3D" + node_).status, 200);
    expect(api.get("/api/v1/nodes/" + node_ + "-raw").status, 404);
    expect(api.create("/api/v1/nodes", R"({"metadata":{"name":")" + node_ + R"(-raw"}})").status,
           201);
    const Millis took = SteadyClock::now() - began;
    cluster_.remove("/api/v1/nodes/" + node_ + "-raw");
    return took.count();
  }

  double daemon_run() {
    daemon_.kill();
    cluster_.remove("/api/v1/nodes/" + node_);
    std::atomic<bool> watching = false;
    SteadyClock::time_point ready;
    ApiClient api(cluster_.port(), cluster_.ca_pem(), cluster_.token("admin"));
    const std::string version =
        testing::json_at(api.get("/api/v1/nodes?limit=1").body, "/metadata/resourceVersion");
    Thread watch("bench-watch", [&] {
      api.watch("/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D" + node_ +
                    "&resourceVersion=" + version,
                kWithin, [&](std::string_view event) {
                  ready = SteadyClock::now();
                  watching = event.find(R"("reason":"KubeletReady")") == std::string_view::npos;
                  return watching.load();
                });
    });
    const auto began = SteadyClock::now();
    daemon_.start();
    watch.join();
    if (watching || ready <= began) {
      throw std::runtime_error("the node did not become Ready:\n" + daemon_.log());
    }
    return Millis(ready - began).count();
  }

  void run_pods(int count) {
    const std::string space = cluster_.create_namespace();
    const testing::PodBook book(cluster_, space);
    for (int i = 0; i < count; ++i) {
      cluster_.create("/api/v1/namespaces/" + space + "/pods",
                      R"({"metadata":{"name":"p-)" + std::to_string(i) +
                          R"("},"spec":{"nodeName":")" + node_ +
                          R"(","automountServiceAccountToken":false,"containers":[{"name":"main",)"
                          R"("image":"registry.example/app:1"}]}})");
    }
    if (!book.wait_until_running(static_cast<std::size_t>(count), std::chrono::minutes{10})) {
      throw std::runtime_error("not all pods became Running:\n" + book.summary());
    }
  }

 private:
  static void expect(int status, int expected) {
    if (status != expected) {
      throw std::runtime_error("HTTP " + std::to_string(status));
    }
  }

  Cluster& cluster_;
  const std::string node_ = Cluster::unique_name("start-node");
  const testing::TestFolder folder_;
  testing::DaemonProcess daemon_{
      {.node_name = node_,
       .kubeconfig = cluster_.kubeconfig("admin"),
       .provider_settings = "pods = '10000'\nstate_dir = '" + folder_.path().native() + "'\n"}};
};

void run(const Flags& flags) {
  Starts starts(Cluster::instance());
  const int adopted = flags.number("--adopt");
  if (adopted > 0) {
    starts.run_pods(adopted);
  }
  std::vector<double> raw;
  std::vector<double> ours;
  for (int i = 0; i < flags.number("--runs"); ++i) {
    ours.push_back(starts.daemon_run());
    raw.push_back(adopted > 0 ? 0 : starts.raw_run());
  }
  const auto [fastest, slowest] = std::minmax_element(ours.begin(), ours.end());
  std::printf("%d runs, %d pods to adopt\n", flags.number("--runs"), adopted);
  std::printf("  start until Ready      %8.1f ms (median; %.1f to %.1f)\n", median(ours), *fastest,
              *slowest);
  if (adopted == 0) {
    std::printf("  raw API round trips    %8.1f ms (median)\n", median(raw));
    std::printf("  difference             %8.1f ms\n", median(ours) - median(raw));
  }
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run({argc, argv, {.numbers = {{"--runs", 20}, {"--adopt", 0}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "start: %s\n", error.what()));
    return 1;
  }
}
