// World: everything that one schedule has: its dice, its clock, the API server, the back end and the
// life of the host that stands between them now. One thread, no globals.
//
// Whatever the engine calls passes through HostProcess (host_process.hpp), which asks the world for
// faults, lets other things happen in between, and holds the engine to the invariants.
#pragma once

#include "base/status.hpp"
#include "simulation/back_end.hpp"
#include "simulation/dice.hpp"
#include "simulation/model_api.hpp"
#include "support/fake_clock.hpp"

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::simulation {

class HostProcess;

// Where a handle comes from: nowhere, from the return of create_pod, or saved before anything is made.
enum class Handles { None, Returned, Saved };

// The kind of world that this is; thrown once for each schedule.
struct Shape {
  bool pushes = true;
  bool is_lost_recreated = false;
  bool deletes_orphans = true;
  bool ends_at_once = false;      // final status and gone come before delete_pod returns
  bool recovers_by_truth = true;  // else by handle and last status alone
  bool ignores_cancel = false;
  Handles handles = Handles::None;
  unsigned names = 2;
  unsigned parallel_calls = 1;
  // Percent.
  unsigned faults = 0;      // of calls fail
  unsigned interleave = 0;  // of calls have something else happen in between
  unsigned late = 0;        // of pushes wait
  unsigned crashes = 0;     // of the troubles end the host
  unsigned work = 50;       // of the steps are the host's own
  int steps = 0;

  static Shape of(Dice& dice);
};

class World {
 public:
  World(std::uint64_t seed, std::ostream* trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // ---- The life of the host
  void boot();   // a process lists the pods and recovers them; tried again until it is ready
  void crash();  // at this very instant; what was in flight has no effect any more
  void bury();   // with no call of a dead host on the stack

  // ---- The back end; each tells the host, if it can
  void say(Workload& workload);               // its newest status
  void end_deletion(const std::string& uid);  // nothing is left of it
  void lose(const std::string& uid);          // ... without a deletion
  void fail_work(const std::string& uid, bool keep);
  void evict(const std::string& uid);

  // ---- What calls ask
  // Other things happen now, or nothing.
  void interleave();
  [[nodiscard]] std::optional<Status> provider_fault();
  [[nodiscard]] std::optional<Status> api_fault();

  void violate(const std::string& what);
  [[nodiscard]] bool is_violated() const { return !violation_.empty(); }
  [[nodiscard]] const std::string& violation() const { return violation_; }
  template <typename... Parts>
  void note(const Parts&... parts) {
    if (trace_ != nullptr) {
      print_time();
      ((*trace_ << parts), ...);
      *trace_ << '\n';
    }
  }

  Dice dice;
  const Shape shape;
  std::shared_ptr<testing::FakeClock> clock = std::make_shared<testing::FakeClock>();
  ModelApi api{*clock};
  BackEnd back_end;
  std::unique_ptr<HostProcess> host;  // null while it is down
  bool is_quiet = false;              // nothing goes wrong any more
  std::function<void()> other_step;   // what interleave() does

 private:
  void print_time();

  std::ostream* const trace_;
  const SteadyTime begin_;
  std::vector<std::unique_ptr<HostProcess>> dead_;
  int depth_ = 0;
  std::string violation_;
};

}  // namespace vkhost::simulation
