// reconcile_latency: from the last byte of a pod's watch event until the provider's create_pod is
// entered, while a recorded watch is replayed at a steady rate.
//
// The event is what an API server says of a pod, recorded at the start and replayed over TLS for so
// many pods, each with a UID of its own. In between is all that the daemon has there: transport, watch
// loop, pod engine, adapter and a plugin, which notes the time.
//
//   reconcile_latency [--events 10000] [--rate 1000]
#include "base/executor.hpp"
#include "base/timers.hpp"
#include "flags.hpp"
#include "http/client.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/pod_watch.hpp"
#include "plugin/library.hpp"
#include "pods/engine.hpp"
#include "support/cluster.hpp"
#include "support/fake_material.hpp"
#include "support/fake_pod_api.hpp"
#include "support/json_pointer.hpp"
#include "support/played_server.hpp"
#include "support/plugin_files.hpp"
#include "support/recording_event_sink.hpp"
#include "support/recording_fault_sink.hpp"
#include "support/recording_listener.hpp"
#include "support/test_folder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::PlayedServer;
using Nanos = std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kNode = "latency-node";
constexpr std::chrono::seconds kPatience{60};

template <typename T>
T value_of(Result<T> result) {
  if (!result.is_ok()) {
    throw std::runtime_error(result.status().to_string());
  }
  return std::move(result).value();
}

// One pod of that node as a watch shows it, with its name and UID at places of their own.
class Recording {
 public:
  Recording() {
    testing::Cluster& cluster = testing::Cluster::instance();
    const std::string path = "/api/v1/namespaces/" + cluster.create_namespace() + "/pods";
    pod_ = cluster.create(
        path, R"({"metadata":{"name":"recorded"},"spec":{"nodeName":")" + std::string(kNode) +
                  R"(","automountServiceAccountToken":false,"containers":[{"name":"main",)"
                  R"("image":"registry.example/app:1","env":[{"name":"A","value":"1"}]}]}})");
    uid_ = testing::json_at(pod_, "/metadata/uid");
    if (uid_.empty() || pod_.find('\n') != pod_.rfind('\n')) {
      throw std::runtime_error("this is no pod in one line: " + pod_.substr(0, 300));
    }
    std::erase(pod_, '\n');
    cluster.remove(path + "/recorded", 0);
  }
  [[nodiscard]] std::string event(const std::string& name) const {
    std::string text = pod_;
    replace(text, uid_, name);
    replace(text, "\"recorded\"", '"' + name + '"');
    return R"({"type":"ADDED","object":)" + text + "}\n";
  }

 private:
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }

  std::string pod_;
  std::string uid_;
};

// The parts of the daemon that an event passes, connected as it connects them.
class Pipeline {
 public:
  explicit Pipeline(const testing::PlayedServer& server) : times_(folder_.path() / "times") {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody reads the environment yet
    ::setenv("VKHOST_FIXTURE_TIMES", times_.c_str(), 1);
    auto* const library =
        value_of(loader_.load({files_.fixture("tells_when_called"), "", plugin::Trust::AnyPath}));
    provider_ = value_of(library->create({"{}", "{}"}, listener_, {}));
    client_ = make_client(server);
    engine_ = std::make_unique<pods::PodEngine>(
        pods::Settings{},
        pods::EngineParts{
            provider_.get(), &api_, &events_, &material_, &faults_, clock_, random_, {}});
    kube::PodWatchSettings watched;
    watched.node_name = kNode;
    watched.list_watch.stream_lists = true;
    watch_ = std::make_unique<kube::PodWatch>(
        watched, kube::PodWatch::Parts{*client_, *engine_, clock_, random_, {}, loop_});
    watch_->start();
    wait_until([this] { return watch_->stats().has_synced; });
    for (const Status& status :
         {engine_->recover({}), provider_->start({kNode, "vkhost-latency"}, {})}) {
      if (!status.is_ok()) {
        throw std::runtime_error(status.to_string());
      }
    }
    engine_->start({&calls_, &writes_, &timers_});
  }
  ~Pipeline() {
    watch_->stop();
    engine_->stop();
    static_cast<void>(provider_->stop({}));
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // When create_pod was entered, by UID, once so many have been.
  [[nodiscard]] std::map<std::string, Nanos> entered(std::size_t count) const {
    std::map<std::string, Nanos> found;
    wait_until([&] {
      std::ifstream file(times_);
      std::string uid;
      Nanos::rep when = 0;
      for (found.clear(); file >> uid >> when;) {
        found.emplace(uid, Nanos(when));
      }
      return found.size() >= count;
    });
    return found;
  }

 private:
  template <typename Condition>
  static void wait_until(const Condition& holds) {
    const auto until = SteadyClock::now() + kPatience;
    while (!holds()) {
      if (SteadyClock::now() >= until) {
        throw std::runtime_error("the pods have not all come to the provider");
      }
      static_cast<void>(CancelToken().wait_for(std::chrono::milliseconds{50}));
    }
  }
  std::unique_ptr<kube::Client> make_client(const testing::PlayedServer& server) {
    const auto file = folder_.write(
        "config", testing::kubeconfig_text("https://127.0.0.1:" + std::to_string(server.port()),
                                           server.ca_pem(), "token"));
    kube::ClientParts parts;
    parts.make_transport = [this](http::TransportSettings settings) {
      return http::make_poco_transport(std::move(settings), clock_);
    };
    parts.clock = clock_;
    parts.random = random_;
    return kube::make_client(value_of(kube::load_kubeconfig({file}, "")), {}, std::move(parts));
  }

  const testing::TestFolder folder_;
  const std::string times_;
  const testing::PluginFiles files_;
  const std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  const std::shared_ptr<Random> random_ = std::make_shared<SeededRandom>(1);
  testing::RecordingListener listener_;
  testing::FakePodApi api_{*clock_};
  testing::RecordingEventSink events_;
  testing::RecordingFaultSink faults_;
  testing::FakeMaterial material_;
  plugin::Loader loader_{{}, *clock_, {}};
  std::unique_ptr<plugin::Provider> provider_;
  std::unique_ptr<kube::Client> client_;
  Timers timers_{*clock_};
  Executor calls_{"reconcile", 27, *clock_};  // as the daemon with one node has
  Executor writes_{"status", 16, *clock_};
  kube::WatchLoop loop_{clock_};
  std::unique_ptr<pods::PodEngine> engine_;
  std::unique_ptr<kube::PodWatch> watch_;
};

// The watch begins with an empty list, and stays open for what is pushed.
PlayedServer::Answer answer(const testing::Head& head) {
  if (head.target().find("sendInitialEvents=true") == std::string_view::npos) {
    return PlayedServer::json("{}");
  }
  return {PlayedServer::open_stream().bytes +
              PlayedServer::chunk(
                  R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"1",)"
                  R"("annotations":{"k8s.io/initial-events-end":"true"}}}})"
                  "\n"),
          PlayedServer::Then::StayOpen};
}

double millis(Nanos time) { return std::chrono::duration<double, std::milli>(time).count(); }

void run(const Flags& flags) {
  const int count = flags.number("--events");
  const Nanos distance = Nanos(std::chrono::seconds{1}) / flags.number("--rate");
  const Recording recording;
  PlayedServer server([](const testing::Head& head, const std::string&) { return answer(head); });
  const Pipeline pipeline(server);

  std::map<std::string, Nanos> sent;
  auto due = SteadyClock::now();
  for (int i = 0; i < count; ++i, due += distance) {
    const std::string name = "pod-" + std::to_string(i);
    const std::string bytes = PlayedServer::chunk(recording.event(name));
    static_cast<void>(CancelToken().wait_until(due));
    // Before the server encrypts and writes it, which counts as ours.
    sent.emplace(name, SteadyClock::now().time_since_epoch());
    server.push(bytes);
  }
  const Nanos late = SteadyClock::now() - due;

  const auto entered = pipeline.entered(static_cast<std::size_t>(count));
  std::vector<double> latencies;
  for (const auto& [name, when] : sent) {
    latencies.push_back(millis(entered.at(name) - when));
  }
  std::sort(latencies.begin(), latencies.end());
  const auto percentile = [&](double part) {
    return latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))];
  };
  std::printf("%d events, %d a second, %zu bytes each (the replay was %.1f ms late at its end)\n",
              count, flags.number("--rate"), recording.event("pod-0").size(), millis(late));
  std::printf("  last byte until create_pod is entered\n");
  std::printf("    p50  %8.3f ms\n    p90  %8.3f ms\n    p99  %8.3f ms\n    most %8.3f ms\n",
              percentile(0.5), percentile(0.9), percentile(0.99), latencies.back());
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run({argc, argv, {.numbers = {{"--events", 10'000}, {"--rate", 1000}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "reconcile_latency: %s\n", error.what()));
    return 1;
  }
}
