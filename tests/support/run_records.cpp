#include "support/run_records.hpp"

#include "support/cluster.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>

namespace vkhost::testing {
namespace fs = std::filesystem;

namespace {

// Where the next one of that name goes; nothing when none is kept.
std::optional<fs::path> place_for(std::string_view name) {
  const char* const cluster = std::getenv("VKHOST_CLUSTER");  // NOLINT(concurrency-mt-unsafe)
  if (cluster == nullptr) {
    return std::nullopt;
  }
  const fs::path folder = fs::path(cluster).parent_path() / "records";
  std::error_code error;
  fs::create_directory(folder, error);
  if (error) {
    std::cerr << "making " << folder.native() << ": " << error.message() << '\n';
    return std::nullopt;
  }
  return folder / Cluster::unique_name(name);
}

}  // namespace

void keep_file(const fs::path& file, std::string_view name) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return;
  }
  if (const auto place = place_for(name); place && !fs::copy_file(file, *place, error)) {
    std::cerr << "keeping " << file.native() << ": " << error.message() << '\n';
  }
}

void keep_text(std::string_view text, std::string_view name) {
  if (const auto place = place_for(name)) {
    std::ofstream file(*place, std::ios::binary);
    file << text;
    file.close();
    if (!file) {
      std::cerr << "writing " << place->native() << " failed\n";
    }
  }
}

}  // namespace vkhost::testing
