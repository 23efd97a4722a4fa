// MockJournal: what a mock provider with a `state_dir` was told and what it holds, read from its log
// of calls and, with the setting `keep_material`, from what it keeps of material. The log outlives the
// daemon, so calls of several processes are counted together. Throws std::runtime_error when it cannot
// be read or written. [any-thread]
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

struct MockCall {
  std::string call = {};  // "create_pod", or what happened by itself: "gone"
  std::string uid = {};
  std::string outcome = {};
  bool has_workload = false;              // the line says what the back end holds from now on
  bool removed = false;                   // the back end holds nothing any more
  std::vector<std::string> changed = {};  // of an update: "image", "files"
  std::string material = {};              // digest of the document that came, if it is kept
};

class MockJournal {
 public:
  explicit MockJournal(std::filesystem::path state_dir) : state_dir_(std::move(state_dir)) {}

  // Whole lines only; none before the provider's first start.
  [[nodiscard]] std::vector<MockCall> calls() const;
  // Empty `outcome`: whatever came of it.
  [[nodiscard]] std::size_t count(std::string_view call,
                                  std::string_view uid,
                                  std::string_view outcome = {}) const;
  // How many create calls made a workload, by UID.
  [[nodiscard]] std::map<std::string, int> creations() const;
  // UIDs of all that the back end holds.
  [[nodiscard]] std::set<std::string> living() const;
  // What came with the last call about this pod, see support/material.hpp; empty when there is nothing,
  // and not before that call is in calls(). With `keep_material` all, and hashes.
  [[nodiscard]] std::string material(std::string_view uid) const;
  [[nodiscard]] std::string material_hashes(std::string_view uid) const;
  [[nodiscard]] const std::filesystem::path& state_dir() const { return state_dir_; }
  // As if the workload were lost; while no daemon runs.
  void take_away(std::string_view uid) const;
  // False when `within` passed first. [may-block]
  [[nodiscard]] bool wait_until(const std::function<bool(const MockJournal& journal)>& condition,
                                std::chrono::milliseconds within) const;

 private:
  [[nodiscard]] std::filesystem::path log_file() const;
  [[nodiscard]] std::string kept(std::string_view folder, std::string_view uid) const;

  std::filesystem::path state_dir_;
};

}  // namespace vkhost::testing
