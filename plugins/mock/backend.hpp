// Backend: the "cloud" of one node: its workloads, in memory and, with a folder, on disk. Changes
// are records, written to the journal before they take effect, so that what the log says and what
// is there never differ. It also keeps the order in which workloads will look different. It knows
// no host. [any-thread]; one pod's changes one after the other, which is the host's [pod-serial].
//
// Times are arguments: nothing here looks at a clock.
#pragma once

#include "addresses.hpp"
#include "journal.hpp"
#include "json.hpp"
#include "material_files.hpp"
#include "workload.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vkhost::mock {

// One line of the log, and its effect.
struct Record {
  std::string call;                   // "create_pod", or what happened by itself: "gone"
  std::string uid;                    // or empty
  std::string outcome;                // "ok", "unavailable"
  std::optional<Workload> workload;   // this is there from now on
  bool removed = false;               // nothing is there any more
  std::optional<std::int64_t> tries;  // so many creates of this pod have failed
  std::uint64_t changed = 0;          // VKP_CHANGED_… bits of an update
  std::string_view material;          // what came with the call, until apply returns
};

using WorkloadPtr = std::shared_ptr<const Workload>;

class Backend {
 public:
  // `folder` empty: in memory only. Reads what an earlier process has left; what it could not read
  // is told to `warn`. Throws Error(FailedPrecondition) when the folder cannot be used.
  Backend(const std::string& folder,
          Ipv4Range range,
          std::uint64_t first_address,
          const std::function<void(const std::string&)>& warn,
          KeepMaterial keep_material = KeepMaterial::None);

  // Called with the instant at which the next workload is due, without locks. Set once, before the
  // first change.
  void on_due(std::function<void(Millis)> wake) { wake_ = std::move(wake); }

  // Throws Error(Unavailable) when it could not be written; then nothing has changed. A workload
  // that is put looks different at `due`. The material of a record is on disk before its line.
  void apply(const Record& record, Millis now, Millis due = 0);

  [[nodiscard]] WorkloadPtr find(std::string_view uid) const;
  [[nodiscard]] std::vector<WorkloadPtr> all() const;
  [[nodiscard]] std::int64_t tries(std::string_view uid) const;

  // Throws Error(ResourceExhausted) when none is left. It belongs to the workload that is applied
  // with it, and is free again when that is removed.
  [[nodiscard]] std::string take_address();
  void release_address(std::string_view address);

  // Workloads that are due, each once; whoever takes them says when they are due again.
  [[nodiscard]] std::vector<WorkloadPtr> take_due(Millis now);
  [[nodiscard]] std::optional<Millis> next_due() const;
  // Says nothing when `workload` has been replaced or removed since.
  void set_due(const WorkloadPtr& workload, Millis due);

 private:
  struct Entry {
    WorkloadPtr workload;
    std::optional<Millis> due;
  };
  using Due = std::pair<Millis, std::string>;

  void replay(const std::function<void(const std::string&)>& warn);
  void take_effect(const Record& record, Millis due);  // under mutex_
  void put(Workload workload, Millis due);             // under mutex_
  void remove(const std::string& uid);                 // under mutex_

  Journal journal_;
  const MaterialFiles material_;
  std::function<void(Millis)> wake_;
  mutable std::mutex mutex_;
  Addresses addresses_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<std::string, std::int64_t> tries_;
  // Entries whose time has changed stay in it and are skipped when they come up.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace vkhost::mock
