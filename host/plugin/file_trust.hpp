// A plugin runs with all rights of the host, so its file is opened with care: once, and what was
// checked and hashed is the very file that is loaded.
//
// The path is walked folder by folder on descriptors, symbolic links included, so nothing can be
// swapped between check and use. Refused with PERMISSION_DENIED: a file, folder or link that belongs
// to neither root nor this user; a file that group or others may write; a folder that they may,
// unless it is sticky like /tmp, where they can neither rename nor remove what is not theirs. A file
// whose SHA-256 is not the pinned one: FAILED_PRECONDITION. [startup] [may-block] for reading the
// file
#pragma once

#include "base/status.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace vkhost::plugin {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// AnyPath is for developers' commands, which run what their user has just built.
enum class Trust { Checked, AnyPath };

struct OpenedFile {
  FileDescriptor descriptor;
  std::filesystem::path path;  // absolute, as asked for
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::string sha256;  // 64 lower-case hex digits
};

// `pinned_sha256` is empty or 64 hex digits.
Result<OpenedFile> open_plugin_file(const std::filesystem::path& path,
                                    Trust trust,
                                    const std::string& pinned_sha256);

}  // namespace vkhost::plugin
