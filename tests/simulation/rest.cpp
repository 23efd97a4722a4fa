// The end of a schedule: faults are over, time goes by, and what must be true then.
#include "simulation/host_process.hpp"
#include "simulation/schedule.hpp"

#include <string>
#include <vector>

namespace vkhost::simulation {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// In which time a pod has to have become what it should be, whatever happened before, and in which
// what belongs to no pod is tidied up (an orphan is looked at every ten minutes).
constexpr minutes kPodsRest{4};
constexpr minutes kAllRests{16};
// A back end that pushes is not asked: without faults a deletion ends when it says so, at most a
// back-off later.
constexpr seconds kPushedEnd{8};

// Does what is due now; false when that never ends.
bool settle(World& world) {
  constexpr int kTooMany = 2000;
  HostProcess& host = *world.host;
  pods::PodEngine& engine = host.engine();
  for (int i = 0; i < kTooMany; ++i) {
    bool moved = world.api.deliver(host);
    moved = engine.step_worker() || moved;
    moved = engine.step_status_writer() || moved;
    moved = moved || engine.step_list();
    if (!moved || world.is_violated()) {
      return true;
    }
  }
  return false;
}

// The back end does its work.
void run_back_end(World& world) {
  while (world.host->deliver_late(true)) {
  }
  std::vector<std::string> uids;
  for (const auto& [uid, workload] : world.back_end.workloads) {
    uids.push_back(uid);
  }
  for (const std::string& uid : uids) {
    Workload& workload = world.back_end.workloads.at(uid);
    if (workload.is_deleting) {
      world.end_deletion(uid);
    } else if (workload.run == Run::Waiting) {
      workload.run = Run::Running;
      world.say(workload);
    }
  }
}

std::string pod_problem(World& world, const ModelApi::Object& object) {
  const std::string& uid = object.uid;
  const auto view = world.host->engine().find(uid);
  const std::string error = view ? view->last_error.to_string() : "unknown to the engine";
  if (object.deletion) {
    return uid + " never ends: " + error;
  }
  if (!view) {
    return uid + " was forgotten";
  }
  const bool is_evicted = HostProcess::is_marked(object);
  if (object.is_terminal()) {
    return is_evicted && world.back_end.find(uid) != nullptr ? uid + " is evicted and lives on"
                                                             : std::string();
  }
  if (is_evicted) {
    return uid + " was evicted and has not ended: " + error;
  }
  const Workload* workload = world.back_end.find(uid);
  if (workload == nullptr) {
    return uid + " has no workload: " + error;
  }
  if (workload->run == Run::Waiting || object.status.string_member("phase") == "Pending") {
    return uid + " does not run: " + error;
  }
  if (object.status.string_member("message") != std::to_string(workload->seq)) {
    return uid + " shows another status than that of its workload: " + object.status.text();
  }
  if (workload->run == Run::Running && object.status.condition("Ready") != "True") {
    return uid + " runs and is not ready";
  }
  if (workload->image != object.image) {
    return uid + " has an image that nobody wants any more";
  }
  const auto handle = object.annotations.find(std::string(kube::kHandleAnnotation));
  if ((handle == object.annotations.end() ? std::string() : handle->second) !=
      workload->ref.handle) {
    return uid + " has lost its handle";
  }
  return {};
}

std::string pods_problem(World& world) {
  for (const auto& [uid, object] : world.api.objects()) {
    if (std::string problem = pod_problem(world, object); !problem.empty()) {
      return problem;
    }
  }
  if (world.host->engine().pods().size() != world.api.objects().size()) {
    return "the engine knows pods that the API does not have";
  }
  return {};
}

std::string rest_problem(World& world) {
  if (!world.host->fault().is_ok()) {
    return "the node shows a fault that is over: " + world.host->fault().to_string();
  }
  bool has_legacy = false;
  for (const auto& [uid, workload] : world.back_end.workloads) {
    has_legacy = has_legacy || workload.marks == plugin::Marks::Legacy;
    const bool must_go = world.shape.deletes_orphans || world.host->knows(uid);
    if (workload.marks == plugin::Marks::Ours && must_go && world.api.find(uid) == nullptr) {
      return uid + " was left behind in the back end";
    }
  }
  return {};
}

// Time goes by until all is as it should be.
void wait_for_rest(World& world, SteadyTime::duration pods_limit) {
  const SteadyTime begin = world.clock->steady_now();
  while (!world.is_violated()) {
    if (!settle(world)) {
      return world.violate("the engine does not come to rest");
    }
    run_back_end(world);
    if (!settle(world)) {
      return world.violate("the engine does not come to rest");
    }
    std::string problem = pods_problem(world);
    const bool pods_rest = problem.empty();
    if (pods_rest) {
      problem = rest_problem(world);
    }
    if (problem.empty()) {
      return;
    }
    const auto passed = world.clock->steady_now() - begin;
    if (passed > (pods_rest ? SteadyTime::duration(kAllRests) : pods_limit)) {
      return world.violate(problem);
    }
    world.clock->advance(passed < seconds{10} ? seconds{1} : seconds{5});
  }
}

}  // namespace

void come_to_rest(World& world) {
  world.note("---- everything works from here on");
  world.is_quiet = true;
  world.bury();
  if (!world.host || !world.host->is_ready()) {
    world.boot();
  }
  if (!world.api.is_watched()) {
    world.api.list(*world.host);
  }
  std::vector<std::string> uids;
  for (const auto& [uid, object] : world.api.objects()) {
    uids.push_back(uid);
  }
  for (const std::string& uid : uids) {
    world.api.drop_finalizer(uid);
  }
  wait_for_rest(world, kPodsRest);
}

void leave_nothing(World& world) {
  world.note("---- all pods are deleted");
  std::vector<std::string> uids;
  for (const auto& [uid, object] : world.api.objects()) {
    uids.push_back(uid);
  }
  for (const std::string& uid : uids) {
    world.api.remove(uid, seconds{world.dice.percent(50) ? 0 : 5});
  }
  wait_for_rest(world, world.shape.pushes ? SteadyTime::duration(kPushedEnd)
                                          : SteadyTime::duration(kPodsRest));
}

}  // namespace vkhost::simulation
