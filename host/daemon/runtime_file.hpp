// RuntimeFile: where a running daemon can be reached and with what credential, for `vkhost get` of the
// same user. `<runtime>/daemon.json`, mode 0600, written whole and renamed; removed at stop.
// [any-thread] [may-block] for file I/O
#pragma once

#include "base/secret.hpp"
#include "base/status.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vkhost::daemon {

struct RuntimeNode {
  std::string name;
  std::string address;  // of the kubelet API, dialled from this machine
  std::uint16_t port = 0;
};

struct RuntimeFile {
  std::int64_t pid = 0;
  Secret token;                 // bearer credential of the kubelet API
  std::string certificate_pem;  // what the kubelet API shows; trusted as it stands
  std::vector<RuntimeNode> nodes;
};

[[nodiscard]] std::filesystem::path runtime_file_path(const std::filesystem::path& runtime_folder);

Status write_runtime_file(const std::filesystem::path& runtime_folder, const RuntimeFile& file);
// NOT_FOUND when no daemon runs with this folder; PERMISSION_DENIED when it is another user's.
Result<RuntimeFile> read_runtime_file(const std::filesystem::path& runtime_folder);

}  // namespace vkhost::daemon
