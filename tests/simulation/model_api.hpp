// ModelApi: the pods of one node as an API server keeps them, and the watch on them. It never fails
// and never waits: faults and interleavings are the world's. Not thread-safe.
#pragma once

#include "base/clock.hpp"
#include "kube/pod_record.hpp"
#include "pods/interfaces.hpp"
#include "simulation/status_document.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::simulation {

class ModelApi {
 public:
  struct Object {
    std::string uid;
    std::string name;
    std::string restart_policy;
    int image = 0;
    std::map<std::string, std::string> annotations;
    bool has_finalizer = false;
    std::optional<WallTime> deletion;
    std::int64_t grace = 0;
    std::int64_t generation = 1;
    std::uint64_t version = 0;
    StatusDocument status;
    kube::PodPtr record;

    [[nodiscard]] std::string_view phase() const { return status.string_member("phase"); }
    [[nodiscard]] bool is_terminal() const { return phase() == "Succeeded" || phase() == "Failed"; }
  };

  explicit ModelApi(const Clock& clock) : clock_(&clock) {}

  // ---- Users
  Object& create(const std::string& name, const std::string& restart_policy, bool has_finalizer);
  // As DELETE does: graceful, or at once for grace 0 and for a pod that has ended.
  void remove(const std::string& uid, std::chrono::seconds grace);
  void drop_finalizer(const std::string& uid);
  void set_image(const std::string& uid, int image);
  void annotate(const std::string& uid, const std::string& key, const std::string& value);
  void overwrite_status(const std::string& uid, const std::string& patch);

  // ---- The host
  // NOT_FOUND, or the version after the write.
  Result<std::string> patch(const std::string& uid, const pods::StatusPatch& patch);
  [[nodiscard]] Result<kube::PodPtr> read(const std::string& name) const;

  // ---- The watch
  // Hands out the oldest event; false when there is none.
  bool deliver(kube::PodListener& listener);
  void lose_watch();
  void list(kube::PodListener& listener);
  [[nodiscard]] bool is_watched() const { return watching_; }

  // ---- What there is
  [[nodiscard]] Object* find(const std::string& uid);
  [[nodiscard]] const std::map<std::string, Object>& objects() const { return objects_; }
  [[nodiscard]] const Object* named(const std::string& name) const;

 private:
  struct Event {
    kube::PodPtr applied;  // or null:
    std::string removed;   // the pod is gone
  };
  void store(Object& object);
  void erase(const std::string& uid);

  const Clock* clock_;
  std::map<std::string, Object> objects_;  // by UID
  std::deque<Event> events_;
  bool watching_ = true;
  std::uint64_t version_ = 100;
  std::uint64_t uids_ = 0;
};

}  // namespace vkhost::simulation
