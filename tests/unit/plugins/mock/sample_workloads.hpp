// Workloads and folders for the tests of the mock.
#pragma once

#include "mock/workload.hpp"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::mock {

// 2023-11-14T22:13:20Z
inline constexpr Millis kAccepted = 1'700'000'000'000;

inline Container make_container(std::string name, ContainerKind kind = ContainerKind::Regular) {
  Container container;
  container.name = std::move(name);
  container.image = "registry.example/app:1";
  container.kind = kind;
  return container;
}

// One regular container, accepted at kAccepted.
inline Workload make_workload(RestartPolicy policy = RestartPolicy::Always) {
  Workload workload;
  workload.uid = "uid-1";
  workload.pod_namespace = "default";
  workload.name = "web";
  workload.ip = "198.18.0.1";
  workload.restart_policy = policy;
  workload.containers = {make_container("app")};
  workload.accepted = kAccepted;
  return workload;
}

inline Exit make_exit(int code, Millis after, std::int64_t times = 0) {
  Exit exit;
  exit.code = code;
  exit.after = after;
  exit.times = times;
  exit.restart_delay = 1000;
  return exit;
}

// A folder of its own that goes with the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mock-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vkhost::mock
