// Subject: a provider to be checked, and what is expected of it beyond the ABI's promises.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace vkhost::conformance {

struct Subject {
  std::string name;
  std::filesystem::path library;
  // The settings; "{state}" stands for a folder that outlives the instance.
  std::string settings_json = "{}";
  // Whether pods are found again by a new process (a new copy of the library, in fact).
  bool survives_process = false;
  // How long something that takes its time may take.
  std::chrono::milliseconds patience{10'000};
};

}  // namespace vkhost::conformance
