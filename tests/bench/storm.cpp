#include "storm.hpp"

#include "base/thread.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vkhost::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A member of an object that has others before it.
std::string further(const std::string& members) {
  return members.empty() ? members : "," + members;
}

std::string pod_json(const std::string& name,
                     const std::string& node,
                     const StormSettings& settings) {
  // 4 KiB and more, as pods of real clusters are.
  const std::string padding(3600, 'x');
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
         R"(","annotations":{"bench.vkhost.io/padding":")" + padding +
         R"("}},"spec":{"nodeName":")" + node + R"(","automountServiceAccountToken":)" +
         (settings.tokens ? "true" : "false") +
         R"(,"enableServiceLinks":false,"terminationGracePeriodSeconds":0)" +
         further(settings.spec) +
         R"(,"containers":[{"name":"main","image":"registry.example/app:1",)"
         R"("env":[{"name":"A","value":"1"}])" +
         further(settings.container) + R"(}],"tolerations":[{"operator":"Exists"}]}})";
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
  running.reserve(static_cast<std::size_t>(threads));
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

void expect(const testing::ApiAnswer& answer) {
  if (!answer.is_success()) {
    throw std::runtime_error("HTTP " + std::to_string(answer.status) + ": " +
                             answer.body.substr(0, 300));
  }
}

// Up to the next quote.
std::string text_after(std::string_view text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string_view::npos) {
    return {};
  }
  const auto begin = at + label.size();
  return std::string(text.substr(begin, text.find('"', begin) - begin));
}

// Of a line of the API server's metrics.
std::string label_in(const std::string& line, const std::string& label) {
  // After a comma or the brace: `resource` is also the end of `subresource`.
  for (const char before : {'{', ','}) {
    if (std::string found = text_after(line, before + label + "=\""); !found.empty()) {
      return found;
    }
  }
  return {};
}

}  // namespace

Storm::Storm(testing::Cluster& cluster, const StormSettings& settings)
    : cluster_(cluster),
      settings_(settings),
      api_(cluster.port(), cluster.ca_pem(), cluster.token("admin")),
      namespace_(cluster.create_namespace()) {}

Storm::Seconds Storm::raw_run() {
  const auto began = SteadyClock::now();
  create_all([](int) { return "raw-node"; });
  in_parallel(settings_.connections, settings_.pods, [&](int i) {
    expect(api_.patch(path(i) + "/status", kRunning, "application/strategic-merge-patch+json"));
  });
  const Seconds took = SteadyClock::now() - began;
  remove_all();
  return took;
}

Storm::Seconds Storm::managed_run(const std::string& node,
                                  const std::function<void()>& when_running) {
  return managed_run([&](int) { return node; }, when_running);
}

Storm::Seconds Storm::managed_run(const NodeOf& node, const std::function<void()>& when_running) {
  const std::string version = list_version();
  std::optional<SteadyClock::time_point> all_running;
  std::string why_not;
  Thread watch("bench-watch", [&] {
    try {
      all_running = wait_until_running(version);
    } catch (const std::exception& error) {
      why_not = error.what();
    }
  });
  const auto began = SteadyClock::now();
  create_all(node);
  watch.join();
  if (!all_running) {
    throw std::runtime_error("the pods of " + node(0) + ": " + why_not);
  }
  when_running();
  remove_all();
  return *all_running - began;
}

// Follows the pods from that version on. The API server may end a watch at any time, and does so to
// one that is slow to read: it goes on from what was seen last.
SteadyClock::time_point Storm::wait_until_running(std::string version) {
  using testing::ApiClient;
  const auto until = SteadyClock::now() + std::chrono::minutes{10};
  ApiClient watcher(cluster_.port(), cluster_.ca_pem(), cluster_.token("admin"));
  std::unordered_set<std::string> running;
  const auto is_done = [&] { return running.size() == static_cast<std::size_t>(settings_.pods); };
  while (!is_done()) {
    testing::ApiAnswer refusal;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now());
    const auto end = watcher.watch(
        pods_path() + "?watch=true&resourceVersion=" + version, left,
        [&](std::string_view event) {
          if (event.find(R"("type":"ERROR")") != std::string_view::npos) {
            throw std::runtime_error("the watch ended with " + std::string(event));
          }
          version = text_after(event, R"("resourceVersion":")");
          if (event.find(R"("phase":"Running")") != std::string_view::npos) {
            running.insert(text_after(event, R"("name":")"));
          }
          return !is_done();
        },
        &refusal);
    if (end == ApiClient::WatchEnd::Refused) {
      expect(refusal);
    }
    if (end == ApiClient::WatchEnd::Refused || end == ApiClient::WatchEnd::TimedOut) {
      throw std::runtime_error("only " + std::to_string(running.size()) +
                               " were Running when the watch " +
                               (end == ApiClient::WatchEnd::Refused ? "was refused" : "timed out"));
    }
  }
  return SteadyClock::now();
}

std::string Storm::pods_path() const { return "/api/v1/namespaces/" + namespace_ + "/pods"; }

std::string Storm::path(int i) const { return pods_path() + "/storm-" + std::to_string(i); }

std::string Storm::list_version() {
  return text_after(cluster_.get(pods_path() + "?limit=1"), R"("resourceVersion":")");
}

void Storm::create_all(const NodeOf& node) {
  in_parallel(settings_.connections, settings_.pods, [&](int i) {
    expect(api_.create(pods_path(), pod_json("storm-" + std::to_string(i), node(i), settings_)));
  });
}

void Storm::remove_all() {
  in_parallel(settings_.connections, settings_.pods, [&](int i) {
    const auto answer = api_.send("DELETE", path(i), R"({"gracePeriodSeconds":0})");
    if (answer.status != 404) {
      expect(answer);
    }
  });
}

RequestCounts request_counts(testing::Cluster& cluster) {
  constexpr std::string_view kMetric = "\napiserver_request_total{";
  const std::string text = cluster.get("/metrics");
  RequestCounts counts;
  for (std::size_t at = text.find(kMetric); at != std::string::npos;
       at = text.find(kMetric, at + 1)) {
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    const std::string part = label_in(line, "subresource");
    const std::string request = label_in(line, "verb") + " " + label_in(line, "resource") +
                                (part.empty() ? part : "/" + part);
    counts[request] += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return counts;
}

}  // namespace vkhost::bench
