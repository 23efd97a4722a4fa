#include "daemon/file_stamps.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace vkhost::daemon {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void FileStamps::watch(const std::vector<std::filesystem::path>& files) {
  std::map<std::filesystem::path, std::optional<Stamp>> stamps;
  for (const std::filesystem::path& file : files) {
    const auto known = stamps_.find(file);
    stamps.emplace(file, known == stamps_.end() ? std::nullopt : known->second);
  }
  stamps_ = std::move(stamps);
}

bool FileStamps::take_changes() {
  bool changed = false;
  for (auto& [file, stamp] : stamps_) {
    const Stamp now = stamp_of(file);
    changed = changed || stamp != now;
    stamp = now;
  }
  return changed;
}

FileStamps::Stamp FileStamps::stamp_of(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    return {0, 0, -std::int64_t{errno}, 0, 0};
  }
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

}  // namespace vkhost::daemon
