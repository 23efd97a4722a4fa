// shared_objects: many pods that mount the same ConfigMaps and Secrets, and have some of them in their
// environment. What is asked of the API server must grow with the objects, not with the pods.
//
// A few pods and many run in turn on a node of their own, through a proxy that counts requests and watches.
// Then one Secret that all of them mount is changed, until the mock has got the new content for each pod.
//
//   shared_objects [--pods 1000] [--few 100] [--objects 50] [--connections 16]
#include "flags.hpp"
#include "process_figures.hpp"
#include "storm.hpp"
#include "support/daemon_process.hpp"
#include "support/json_pointer.hpp"
#include "support/mock_journal.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::bench {
namespace {

using testing::Cluster;
using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
// "watch secrets" and how often, as FaultProxy counts.
using Labels = std::map<std::string, std::uint64_t, std::less<>>;

constexpr std::chrono::minutes kWithin{5};
// Also in the environment; of each kind.
constexpr int kInEnvironment = 5;

Labels difference(Labels after, const Labels& before) {
  for (const auto& [label, count] : before) {
    after[label] -= count;
  }
  return after;
}

bool is_about_objects(std::string_view label) {
  return label.ends_with(" secrets") || label.ends_with(" configmaps");
}

std::uint64_t count_about_objects(const Labels& labels, std::string_view verb = {}) {
  std::uint64_t count = 0;
  for (const auto& [label, times] : labels) {
    count += is_about_objects(label) && label.starts_with(verb) ? times : 0;
  }
  return count;
}

std::string name_of(int object) { return "shared-" + std::to_string(object); }

// Every pod mounts all of them, each as a volume of its own.
std::string volumes_of(int objects) {
  std::string json;
  for (int i = 0; i < objects; ++i) {
    const std::string name = name_of(i);
    json += (json.empty() ? "" : ",") + (R"({"name":"s-)" + std::to_string(i)) +
            R"(","secret":{"secretName":")" + name + R"("}},{"name":"c-)" + std::to_string(i) +
            R"(","configMap":{"name":")" + name + R"("}})";
  }
  return R"("volumes":[)" + json + "]";
}

std::string container_of(int objects) {
  std::string mounts;
  for (int i = 0; i < objects; ++i) {
    for (const char* kind : {"s-", "c-"}) {
      const std::string name = kind + std::to_string(i);
      mounts += (mounts.empty() ? "" : ",") + (R"({"name":")" + name) + R"(","mountPath":"/)" +
                name + R"("})";
    }
  }
  std::string json;
  for (int i = 0; i < objects && i < kInEnvironment; ++i) {
    const std::string name = name_of(i);
    json += (json.empty() ? "" : ",") + (R"({"configMapRef":{"name":")" + name) +
            R"("}},{"prefix":"S_","secretRef":{"name":")" + name + R"("}})";
  }
  return R"("volumeMounts":[)" + mounts + R"(],"envFrom":[)" + json + "]";
}

// The pods of which the mock has taken an update since this object was made. Reads its log as it grows:
// to read all of it again for each line would take longer than what is measured.
class UpdatedPods {
 public:
  explicit UpdatedPods(const std::filesystem::path& state_dir) {
    for (const auto& each : std::filesystem::recursive_directory_iterator(state_dir)) {
      if (each.path().filename() == "calls.log") {
        log_.open(each.path());
      }
    }
    log_.seekg(0, std::ios::end);
    if (!log_) {
      throw std::runtime_error("the mock keeps no log of calls");
    }
  }

  std::size_t count() {
    log_.clear();  // of the end that was reached before
    for (std::string part; std::getline(log_, part);) {
      line_ += part;
      if (log_.eof()) {
        break;  // half a line
      }
      if (line_.find(R"("call":"update_pod")") != std::string::npos &&
          line_.find(R"("outcome":"ok")") != std::string::npos) {
        uids_.insert(testing::json_at(line_, "/uid"));
      }
      line_.clear();
    }
    return uids_.size();
  }

 private:
  std::ifstream log_;
  std::string line_;
  std::set<std::string> uids_;
};

// What came of one number of pods.
struct Outcome {
  int pods = 0;
  Seconds running{};       // from the first create until all were Running
  Seconds change{};        // from the change of a Secret until all pods had it
  Labels requests;         // until all were Running
  Labels change_requests;  // from the change on
  std::size_t open_watches = 0;
  ProcessFigures process;
};

class Round {
 public:
  Round(Cluster& cluster, int pods, int objects, int connections)
      : cluster_(cluster),
        objects_(objects),
        journal_(folder_.path()),
        proxy_(cluster.proxy()),
        daemon_(settings(pods)),
        storm_(cluster,
               {.pods = pods,
                .connections = connections,
                .spec = volumes_of(objects),
                .container = container_of(objects)}) {
    outcome_.pods = pods;
  }

  Outcome run() {
    cluster_.wait_for(
        "/api/v1/nodes/" + node_,
        [](const std::string& object) {
          return !object.empty() && testing::condition_of(object, "Ready") == "True";
        },
        kWithin);
    for (int i = 0; i < objects_; ++i) {
      const std::string name = R"({"metadata":{"name":")" + name_of(i);
      cluster_.create(objects_path("configmaps"), name + R"("},"data":{"k":"one"}})");
      cluster_.create(objects_path("secrets"), name + R"("},"stringData":{"k":"sesame"}})");
    }
    const Labels before = traffic().by_label();
    outcome_.running = storm_.managed_run(node_, [&] {
      // Those of the last objects may have been opened a moment after the last pod ran.
      const auto each = static_cast<std::uint64_t>(objects_);
      if (!traffic().wait_for("watch secrets", each, kWithin) ||
          !traffic().wait_for("watch configmaps", each, kWithin)) {
        throw std::runtime_error("not all objects are watched:\n" + daemon_.log());
      }
      outcome_.requests = difference(traffic().by_label(), before);
      outcome_.open_watches = traffic().open_watches();
      outcome_.process = read_process(daemon_.pid());
      change_one();
    });
    static_cast<void>(daemon_.stop());
    cluster_.remove("/api/v1/nodes/" + node_);
    return outcome_;
  }

 private:
  testing::DaemonSettings settings(int pods) {
    testing::DaemonSettings settings;
    settings.node_name = node_;
    settings.kubeconfig = cluster_.kubeconfig(testing::kDaemonUser, *proxy_);
    settings.provider_settings = "pods = '" + std::to_string(pods) +
                                 "'\nmaterial = ['env', 'files']\nupdates = ['files']\n"
                                 "keep_material = 'hashes'\nstate_dir = '" +
                                 folder_.path().native() + "'\n";
    return settings;
  }
  [[nodiscard]] std::string objects_path(const std::string& kind) const {
    return "/api/v1/namespaces/" + storm_.space() + "/" + kind;
  }
  testing::Traffic& traffic() { return proxy_->traffic(); }

  void change_one() {
    std::map<std::string, std::string> old;
    for (const std::string& uid : journal_.living()) {
      old.emplace(uid, journal_.material_hashes(uid));
    }
    UpdatedPods updated(folder_.path());
    const Labels before = traffic().by_label();
    const auto began = SteadyClock::now();
    cluster_.patch(objects_path("secrets") + "/" + name_of(0),
                   R"({"stringData":{"k":"open-sesame"}})");
    const bool all_got_it = journal_.wait_until(
        [&](const testing::MockJournal&) { return updated.count() >= old.size(); }, kWithin);
    outcome_.change = SteadyClock::now() - began;
    outcome_.change_requests = difference(traffic().by_label(), before);
    if (!all_got_it || old.size() != static_cast<std::size_t>(outcome_.pods)) {
      throw std::runtime_error("of " + std::to_string(old.size()) + " pods " +
                               std::to_string(updated.count()) + " heard of the change");
    }
    for (const auto& [uid, hashes] : old) {
      if (journal_.material_hashes(uid) == hashes) {
        throw std::runtime_error("pod " + uid + " was updated with what it had");
      }
    }
  }

  Cluster& cluster_;
  const int objects_;
  const std::string node_ = Cluster::unique_name("shared-objects");
  const testing::TestFolder folder_;
  const testing::MockJournal journal_;
  const std::unique_ptr<testing::FaultProxy> proxy_;
  testing::DaemonProcess daemon_;
  Storm storm_;
  Outcome outcome_;
};

void print_row(const std::string& what, const Outcome& few, const Outcome& many, auto value) {
  std::printf("  %-44s %12.2f %12.2f\n", what.c_str(), static_cast<double>(value(few)),
              static_cast<double>(value(many)));
}

void print_counts(const char* title,
                  const Outcome& few,
                  const Outcome& many,
                  Labels Outcome::* requests) {
  std::printf("\n%s\n", title);
  std::set<std::string> labels;
  for (const Outcome* outcome : {&few, &many}) {
    for (const auto& [label, count] : outcome->*requests) {
      if (count > 0) {
        labels.insert(label);
      }
    }
  }
  for (const std::string& label : labels) {
    print_row(label, few, many, [&](const Outcome& outcome) {
      const auto found = (outcome.*requests).find(label);
      return found == (outcome.*requests).end() ? 0 : found->second;
    });
  }
  print_row("about ConfigMaps and Secrets, all together", few, many,
            [&](const Outcome& outcome) { return count_about_objects(outcome.*requests); });
}

void print(const Outcome& few, const Outcome& many, int objects) {
  std::printf("%d ConfigMaps and %d Secrets, mounted by every pod\n\n", objects, objects);
  print_row("pods", few, many, [](const Outcome& outcome) { return outcome.pods; });
  print_row("created until all Running, s", few, many,
            [](const Outcome& outcome) { return outcome.running.count(); });
  print_row("a changed Secret until all pods have it, s", few, many,
            [](const Outcome& outcome) { return outcome.change.count(); });
  print_row("open watches", few, many, [](const Outcome& outcome) { return outcome.open_watches; });
  print_row("watches of ConfigMaps and Secrets", few, many,
            [](const Outcome& outcome) { return count_about_objects(outcome.requests, "watch"); });
  print_row("RSS with all pods, MiB", few, many,
            [](const Outcome& outcome) { return outcome.process.rss_mib; });
  print_counts("requests of the daemon until all pods were Running", few, many, &Outcome::requests);
  print_counts("... and from the change of the Secret on", few, many, &Outcome::change_requests);
}

void run(const Flags& flags) {
  Cluster& cluster = Cluster::instance();
  const int objects = flags.number("--objects");
  std::vector<Outcome> outcomes;
  for (const char* pods : {"--few", "--pods"}) {
    outcomes.push_back(
        Round(cluster, flags.number(pods), objects, flags.number("--connections")).run());
  }
  print(outcomes[0], outcomes[1], objects);
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run(
        {argc,
         argv,
         {.numbers = {
              {"--pods", 1000}, {"--few", 100}, {"--objects", 50}, {"--connections", 16}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "shared_objects: %s\n", error.what()));
    return 1;
  }
}
