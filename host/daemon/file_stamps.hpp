// FileStamps: notices that files have changed without reading them. What replaces a file, be it by another
// link as in mounted Secrets, changes its stamp, and so does its absence. Not shared between threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace vkhost::daemon {

class FileStamps {
 public:
  // These from now on. One that is new counts as changed, since it was read before anybody looked.
  void watch(const std::vector<std::filesystem::path>& files);
  [[nodiscard]] bool empty() const { return stamps_.empty(); }
  // Whether one has changed since the last call. Asked before the files are read, nothing that is written
  // meanwhile is missed. [may-block]
  bool take_changes();

 private:
  // Device, inode, size, times of content and of the inode; an absent file has the error in the place of
  // the size.
  using Stamp = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;
  static Stamp stamp_of(const std::filesystem::path& file);

  std::map<std::filesystem::path, std::optional<Stamp>> stamps_;
};

}  // namespace vkhost::daemon
