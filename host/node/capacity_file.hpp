// CapacityFile: capacity and allocatable of a node in a file that others write while the daemon runs:
// a JSON object {"capacity": {"cpu": "20"}, "allocatable": {…}}. Belongs to one user. [may-block]
#pragma once

#include "base/status.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace vkhost::node {

struct CapacityFileContent {
  std::map<std::string, std::string> capacity;  // resource to quantity
  std::map<std::string, std::string> allocatable;
};

class CapacityFile {
 public:
  explicit CapacityFile(std::string path) : path_(std::move(path)) {}

  // What it holds, if it has changed since the last call. One that cannot be read or used is an error,
  // for each of its states once.
  Result<std::optional<CapacityFileContent>> read();

 private:
  struct State {
    bool exists = false;
    std::filesystem::file_time_type written;
    std::uintmax_t size = 0;
    friend bool operator==(const State&, const State&) = default;
  };

  const std::string path_;
  std::optional<State> last_;
};

// INVALID_ARGUMENT names what of the text is wrong.
Result<CapacityFileContent> parse_capacity(const std::string& text);

}  // namespace vkhost::node
