// BackEnd: the workloads that a model provider runs. State alone: what goes wrong on the way there is
// the world's. Not thread-safe.
#pragma once

#include "plugin/provider.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vkhost::simulation {

enum class Run { Waiting, Running, Ended };

struct Workload {
  plugin::PodRef ref;
  plugin::Marks marks = plugin::Marks::Ours;
  int instance = 0;  // which workload of the pod this is
  Run run = Run::Waiting;
  bool succeeded = false;
  int image = 0;
  bool is_deleting = false;
  std::uint64_t seq = 0;  // of its newest status, which carries it as its message

  [[nodiscard]] std::string status_json() const {
    const std::string phase =
        run == Run::Waiting
            ? "Pending"
            : (run == Run::Running ? "Running" : (succeeded ? "Succeeded" : "Failed"));
    const std::string started = R"("startedAt":"2026-01-02T03:04:05Z")";
    const std::string state =
        run == Run::Waiting
            ? R"("waiting":{"reason":"ContainerCreating"})"
            : (run == Run::Running
                   ? R"("running":{)" + started + "}"
                   : R"("terminated":{"exitCode":)" + std::string(succeeded ? "0" : "1") + "," +
                         started + R"(,"finishedAt":"2026-01-02T03:05:05Z"})");
    return R"({"phase":")" + phase + R"(","message":")" + std::to_string(seq) +
           R"(","containerStatuses":[{"name":"main","state":{)" + state + "}}]}";
  }
};

// What was ever true of a pod, by its UID.
struct PodHistory {
  int made = 0;                   // workloads
  std::uint64_t written_seq = 0;  // the newest status of the back end that the API has had
};

// The image that a pod's document asks for.
[[nodiscard]] inline int image_in(std::string_view pod_json) {
  constexpr std::string_view kImage = R"("image":"i)";
  const auto at = pod_json.find(kImage);
  return at == std::string_view::npos ? -1 : pod_json.at(at + kImage.size()) - '0';
}

struct BackEnd {
  std::map<std::string, Workload> workloads;  // by UID
  std::map<std::string, PodHistory> history;
  std::uint64_t seq = 0;

  [[nodiscard]] Workload* find(const std::string& uid) {
    const auto found = workloads.find(uid);
    return found == workloads.end() ? nullptr : &found->second;
  }
  Workload& make(const plugin::PodRef& ref) {
    Workload& workload = workloads[ref.uid];
    workload.ref = ref;
    workload.instance = ++history[ref.uid].made;
    workload.seq = ++seq;
    return workload;
  }
};

}  // namespace vkhost::simulation
