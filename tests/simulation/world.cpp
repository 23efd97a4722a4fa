#include "simulation/world.hpp"

#include "simulation/host_process.hpp"

#include <array>
#include <chrono>
#include <utility>

namespace vkhost::simulation {

using std::chrono::seconds;

Shape Shape::of(Dice& dice) {
  Shape shape;
  shape.pushes = dice.percent(60);
  shape.is_lost_recreated = dice.percent(50);
  shape.deletes_orphans = dice.percent(80);
  shape.ends_at_once = dice.percent(30);
  shape.recovers_by_truth = dice.percent(50);
  shape.ignores_cancel = dice.percent(30);
  shape.handles = dice.one_of<Handles>({Handles::None, Handles::Returned, Handles::Saved});
  shape.names = 1 + dice.roll(3);
  shape.parallel_calls = 1 + dice.roll(3);
  shape.faults = dice.one_of<unsigned>({0, 5, 15, 30});
  shape.interleave = dice.one_of<unsigned>({0, 20, 50});
  shape.late = dice.one_of<unsigned>({0, 10, 40});
  shape.crashes = dice.one_of<unsigned>({0, 10, 30});
  shape.work = dice.one_of<unsigned>({35, 50, 70});
  shape.steps = 20 + static_cast<int>(dice.roll(50));
  return shape;
}

World::World(std::uint64_t seed, std::ostream* trace)
    : dice(seed), shape(Shape::of(dice)), trace_(trace), begin_(clock->steady_now()) {
  note("a world with ", shape.pushes ? "pushes" : "lists only",
       ", on_lost=", shape.is_lost_recreated ? "recreate" : "fail",
       ", orphans=", shape.deletes_orphans ? "delete" : "report", ", faults ", shape.faults,
       "%, interleave ", shape.interleave, "%, late ", shape.late, "%, steps ", shape.steps);
}

World::~World() = default;

// ---- The life of the host

void World::boot() {
  if (!host) {
    note("host: boots");
    host = std::make_unique<HostProcess>(*this);
    api.list(*host);
  }
  host->recover();
}

void World::crash() {
  if (host) {
    note("host: CRASHES");
    host->die();
    dead_.push_back(std::move(host));
  }
}

void World::bury() {
  if (depth_ == 0) {
    dead_.clear();
  }
}

// ---- The back end

void World::say(Workload& workload) {
  workload.seq = ++back_end.seq;
  note("back end: ", workload.ref.uid, " says ", workload.status_json());
  if (host) {
    plugin::PodChange change;
    change.uid = workload.ref.uid;
    change.seq = workload.seq;
    change.status_json = workload.status_json();
    host->push(std::move(change));
  }
}

void World::end_deletion(const std::string& uid) {
  Workload* workload = back_end.find(uid);
  if (workload == nullptr) {
    return;
  }
  plugin::PodChange change;
  change.uid = uid;
  change.seq = workload->seq = ++back_end.seq;
  workload->run = Run::Ended;
  change.status_json = workload->status_json();
  change.gone = true;
  note("back end: ", uid, " is deleted");
  back_end.workloads.erase(uid);
  if (host) {
    host->push(std::move(change));
  }
}

void World::lose(const std::string& uid) {
  note("back end: loses ", uid);
  back_end.workloads.erase(uid);
  // What is gone is said by a read that began after create_pod had returned.
  if (host && !host->is_called(uid)) {
    plugin::PodChange change;
    change.uid = uid;
    change.seq = ++back_end.seq;
    change.gone = true;
    host->push(std::move(change));
  }
}

void World::fail_work(const std::string& uid, bool keep) {
  note("back end: work on ", uid, " fails", keep ? "" : ", nothing is left");
  if (!keep) {
    back_end.workloads.erase(uid);
  }
  if (host) {
    plugin::PodChange change;
    change.uid = uid;
    change.seq = ++back_end.seq;
    change.error = unavailable("work failed");
    host->push(std::move(change));
  }
}

void World::evict(const std::string& uid) {
  if (!host) {
    return;
  }
  const Status taken =
      host->engine().evict({uid, "Reclaimed", "capacity is withdrawn", seconds{5}});
  note("back end: wants ", uid, " to go: ", taken.to_string());
}

// ---- What calls ask

void World::interleave() {
  constexpr int kDeepest = 3;
  if (is_quiet || depth_ >= kDeepest || !dice.percent(shape.interleave)) {
    return;
  }
  ++depth_;
  for (unsigned left = 1 + dice.roll(3); left > 0; --left) {
    other_step();
  }
  --depth_;
}

std::optional<Status> World::provider_fault() {
  if (is_quiet || !dice.percent(shape.faults)) {
    return std::nullopt;
  }
  switch (dice.roll(6)) {
    case 0:
      return deadline_exceeded("no answer").with_effect(Effect::Unknown);
    case 1:
      return Status(StatusCode::ResourceExhausted, "throttled")
          .with_scope(Scope::Provider)
          .with_retry(Retry::After, seconds{1 + dice.roll(5)});
    case 2:
      return Status(StatusCode::Unauthenticated, "the key has expired").with_scope(Scope::Provider);
    case 3:
      return Status(StatusCode::Aborted, "something is in the way");
    case 4:
      return internal_error("broken").with_retry(Retry::After, seconds{1 + dice.roll(3)});
    default:
      return unavailable("away");
  }
}

std::optional<Status> World::api_fault() {
  if (is_quiet || !dice.percent(shape.faults)) {
    return std::nullopt;
  }
  switch (dice.roll(4)) {
    case 0:
      return Status(StatusCode::ResourceExhausted, "too many requests")
          .with_retry(Retry::After, seconds{1 + dice.roll(3)});
    case 1:
      return deadline_exceeded("the API server does not answer");
    case 2:
      return Status(StatusCode::Aborted, "conflict");
    default:
      return unavailable("the API server is away");
  }
}

void World::violate(const std::string& what) {
  note("VIOLATION: ", what);
  if (violation_.empty()) {
    violation_ = what;
  }
}

void World::print_time() {
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock->steady_now() - begin_);
  *trace_ << std::string(2, ' ') << static_cast<double>(passed.count()) / 1000.0 << " s  "
          << std::string(static_cast<std::size_t>(depth_) * 2, ' ');
}

}  // namespace vkhost::simulation
