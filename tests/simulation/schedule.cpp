#include "simulation/schedule.hpp"

#include "simulation/host_process.hpp"

#include <array>
#include <vector>

namespace vkhost::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

template <typename Map>
std::string some_key(Dice& dice, const Map& map) {
  if (map.empty()) {
    return {};
  }
  auto at = map.begin();
  std::advance(at, dice.roll(static_cast<unsigned>(map.size())));
  return at->first;
}

void work(World& world) {
  if (!world.host) {
    if (world.dice.percent(50)) {
      world.boot();
    }
    return;
  }
  HostProcess& host = *world.host;
  if (!host.is_ready()) {
    world.boot();
    return;
  }
  switch (world.dice.roll(6)) {
    case 0:
    case 1:
      if (world.api.is_watched()) {
        world.api.deliver(host);
      }
      break;
    case 2:
      static_cast<void>(host.engine().step_status_writer());
      break;
    case 3:
      static_cast<void>(host.engine().step_list());
      break;
    default:
      static_cast<void>(host.engine().step_worker());
      break;
  }
}

void edit(World& world, const std::string& uid) {
  switch (world.dice.roll(4)) {
    case 0:
      world.note("user: another image for ", uid);
      world.api.set_image(uid, static_cast<int>(world.dice.roll(4)));
      break;
    case 1:
      world.note("user: annotates ", uid);
      world.api.annotate(uid, "example.com/a", std::to_string(world.dice.roll(3)));
      break;
    case 2:
      world.note("user: writes over the status of ", uid);
      world.api.overwrite_status(uid, R"({"message":"by hand"})");
      break;
    default:
      world.note("user: sets a condition of ", uid);
      world.api.overwrite_status(uid,
                                 R"({"conditions":[{"type":"example.com/x","status":"True"}]})");
      break;
  }
}

void create_pod(World& world) {
  const std::string name = "web-" + std::to_string(world.dice.roll(world.shape.names));
  if (world.api.named(name) == nullptr) {
    const auto& made =
        world.api.create(name, world.dice.percent(40) ? "Never" : "Always", world.dice.percent(10));
    world.note("user: creates ", made.uid, " (", name, ") ", made.restart_policy);
  }
}

void act_as_user(World& world) {
  const std::string uid = some_key(world.dice, world.api.objects());
  const auto what = world.dice.roll(10);
  if (what < 4 || uid.empty()) {
    create_pod(world);
  } else if (what < 7) {
    constexpr std::array<int, 4> kGraces = {0, 2, 5, 30};
    const int grace = kGraces.at(world.dice.roll(4));
    world.note("user: deletes ", uid, " with grace ", grace);
    world.api.remove(uid, seconds{grace});
  } else if (what < 8) {
    world.note("user: drops the finalizer of ", uid);
    world.api.drop_finalizer(uid);
  } else {
    edit(world, uid);
  }
}

void move_on(World& world, Workload& workload) {
  if (workload.run == Run::Running && world.dice.percent(25)) {
    workload.run = Run::Ended;
    workload.succeeded = world.dice.percent(50);
  } else if (workload.run == Run::Waiting) {
    workload.run = Run::Running;
  }
  world.say(workload);
}

void act_as_back_end(World& world) {
  const std::string uid = some_key(world.dice, world.back_end.workloads);
  if (uid.empty()) {
    return;
  }
  Workload& workload = world.back_end.workloads.at(uid);
  if (workload.marks == plugin::Marks::Legacy) {
    return;
  }
  const auto what = world.dice.roll(21);
  if (what < 12) {
    if (workload.is_deleting) {
      world.end_deletion(uid);
    } else {
      move_on(world, workload);
    }
  } else if (what < 14) {
    world.lose(uid);
  } else if (what < 15) {
    world.note("back end: ", uid, " vanishes");
    world.back_end.workloads.erase(uid);
  } else if (what < 17 && workload.run != Run::Ended) {
    world.fail_work(uid, workload.is_deleting || world.dice.percent(50));
  } else if (what < 18) {
    world.evict(uid);
  } else if (world.host) {
    static_cast<void>(world.host->deliver_late(false));
  }
}

void make_trouble(World& world) {
  if (world.dice.percent(world.shape.crashes)) {
    world.crash();
    return;
  }
  if (world.dice.percent(30)) {
    world.note("watch: is lost");
    world.api.lose_watch();
  } else if (world.host) {
    world.api.list(*world.host);
  }
}

void plant_legacy(World& world) {
  if (world.dice.percent(10)) {
    world.note("back end: holds a workload of somebody else");
    Workload& workload = world.back_end.make({"default", "web-0", "", "h-legacy"});
    workload.marks = plugin::Marks::Legacy;
    workload.run = Run::Running;
  }
}

}  // namespace

void take_step(World& world) {
  if (world.dice.percent(world.shape.work)) {
    return work(world);
  }
  const auto what = 50 + world.dice.roll(50);
  if (what < 64) {
    act_as_user(world);
  } else if (what < 86) {
    act_as_back_end(world);
  } else if (what < 92) {
    make_trouble(world);
  } else {
    world.clock->advance(milliseconds{world.dice.roll(3000)});
  }
}

std::string run_schedule(std::uint64_t seed, std::ostream* trace) {
  World world(seed, trace);
  world.other_step = [&world] { take_step(world); };
  plant_legacy(world);
  if (world.dice.percent(60)) {  // else whole worlds pass without a pod
    create_pod(world);
    world.boot();
  }
  for (int i = 0; i < world.shape.steps && !world.is_violated(); ++i) {
    take_step(world);
    world.bury();
  }
  if (!world.is_violated()) {
    come_to_rest(world);
  }
  if (!world.is_violated() && world.dice.percent(50)) {
    leave_nothing(world);
  }
  return world.violation();
}

}  // namespace vkhost::simulation
