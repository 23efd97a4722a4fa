#include "starts.hpp"

#include "base/thread.hpp"
#include "support/json_pointer.hpp"
#include "support/pod_book.hpp"

#include <atomic>
#include <stdexcept>
#include <string_view>

namespace vkhost::bench {
namespace {

using testing::ApiClient;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::minutes kWithin{2};

void expect(int status, int expected) {
  if (status != expected) {
    throw std::runtime_error("HTTP " + std::to_string(status));
  }
}

}  // namespace

// One after the other on one new connection: who the cluster is, which pods there are, that the node
// is missing, and the node.
Starts::Millis Starts::raw_run() {
  const auto began = SteadyClock::now();
  ApiClient api(cluster_.port(), cluster_.ca_pem(), cluster_.token("admin"));
  expect(api.get("/api/v1/namespaces/kube-system").status, 200);
  expect(api.get("/api/v1/pods?fieldSelector=spec.nodeName%3D" + node_).status, 200);
  expect(api.get("/api/v1/nodes/" + node_ + "-raw").status, 404);
  expect(api.create("/api/v1/nodes", R"({"metadata":{"name":")" + node_ + R"(-raw"}})").status,
         201);
  const Millis took = SteadyClock::now() - began;
  cluster_.remove("/api/v1/nodes/" + node_ + "-raw");
  return took;
}

Starts::Millis Starts::daemon_run() {
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
  return ready - began;
}

void Starts::run_pods(int count) {
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

}  // namespace vkhost::bench
