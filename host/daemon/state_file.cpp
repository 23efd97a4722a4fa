#include "daemon/state_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace vkhost::daemon {
namespace {

Status failed(std::string_view step, const std::filesystem::path& path) {
  const int reason = errno;
  const std::string message =
      std::string(step) + " " + path.string() + ": " + std::generic_category().message(reason);
  if (reason == ENOENT) {
    return not_found(message);
  }
  return reason == EACCES || reason == EPERM ? Status(StatusCode::PermissionDenied, message)
                                             : unavailable(message);
}

class OpenFile {
 public:
  explicit OpenFile(int number) : number_(number) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  const int number_;
};

Status write_all(int file, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return failed("writing", path);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return Status::ok();
}

// So that the name lasts as well. Some file systems have nothing to do for it and say EINVAL.
Status sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const OpenFile file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) {
    return failed("opening", folder);
  }
  return ::fsync(file.get()) == 0 || errno == EINVAL ? Status::ok() : failed("syncing", folder);
}

}  // namespace

Status write_state_file(const std::filesystem::path& path,
                        std::string_view text,
                        Durability durability) {
  const std::filesystem::path temporary = path.string() + ".new";
  {
    const OpenFile file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) {
      return failed("creating", temporary);
    }
    VKHOST_TRY(write_all(file.get(), text, temporary));
    if (durability == Durability::PowerLoss && ::fsync(file.get()) != 0) {
      return failed("syncing", temporary);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return failed("renaming", temporary);
  }
  return durability == Durability::PowerLoss ? sync_folder_of(path) : Status::ok();
}

Result<std::string> read_state_file(const std::filesystem::path& path) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) {
    return failed("opening", path);
  }
  std::string text;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return failed("reading", path);
    }
    if (size == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

Status make_private_folder(const std::filesystem::path& path) {
  std::error_code error;
  const bool created = std::filesystem::create_directories(path, error);
  if (error) {
    return unavailable("creating the folder " + path.string() + ": " + error.message());
  }
  if (created && ::chmod(path.c_str(), 0700) != 0) {
    return failed("closing to others the folder", path);
  }
  return Status::ok();
}

}  // namespace vkhost::daemon
