#include "plugin/file_trust.hpp"

#include <Poco/Exception.h>
#include <Poco/SHA2Engine.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <deque>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace vkhost::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30U;
constexpr int kMaxLinks = 40;

std::string system_text(int error) { return std::generic_category().message(error); }

Status refused(std::string message) { return {StatusCode::PermissionDenied, std::move(message)}; }

// Walks one path from the root; each step is checked before the next one is taken.
class Walk {
 public:
  explicit Walk(Trust trust) : trust_(trust) {}

  // An O_PATH descriptor of what the path leads to.
  Result<FileDescriptor> to(const fs::path& path) {
    push_front(path);
    FileDescriptor here(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    seen_ = "/";
    VKHOST_TRY(check(here));
    while (!steps_.empty()) {
      const std::string step = std::move(steps_.front());
      steps_.pop_front();
      FileDescriptor next(openat(here.get(), step.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!next) {
        const int error = errno;
        return Status(error == ENOENT ? StatusCode::NotFound : StatusCode::PermissionDenied,
                      (seen_ / step).string() + ": " + system_text(error));
      }
      parent_ = seen_;
      seen_ /= step;
      VKHOST_TRY(check(next));
      if (S_ISLNK(mode_)) {
        VKHOST_TRY(follow(next, here));
        continue;
      }
      here = std::move(next);
    }
    return here;
  }

 private:
  void push_front(const fs::path& path) {
    std::vector<std::string> parts;
    for (const fs::path& part : path.relative_path()) {
      if (!part.empty() && part != ".") {
        parts.push_back(part.string());
      }
    }
    steps_.insert(steps_.begin(), parts.begin(), parts.end());
  }

  Status check(const FileDescriptor& at) {
    struct stat found{};
    if (!at || fstat(at.get(), &found) != 0) {
      return refused(seen_.string() + ": " + system_text(errno));
    }
    mode_ = found.st_mode;
    if (trust_ == Trust::AnyPath) {
      return Status::ok();
    }
    if (found.st_uid != 0 && found.st_uid != geteuid()) {
      return refused(seen_.string() + " belongs to user " + std::to_string(found.st_uid) +
                     ", who could replace the plugin; it must belong to root or to the user of "
                     "vkhost (" +
                     std::to_string(geteuid()) + "): chown it, or install the plugin elsewhere");
    }
    const bool writable = (found.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    const bool sticky = S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0;
    if (writable && !sticky && !S_ISLNK(found.st_mode)) {
      return refused(seen_.string() +
                     " may be written by its group or by others, who could replace the plugin; "
                     "take that right away (chmod go-w), or install the plugin elsewhere");
    }
    return Status::ok();
  }

  Status follow(const FileDescriptor& link, FileDescriptor& here) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size() || ++links_ > kMaxLinks) {
      return refused(seen_.string() + ": the symbolic link leads nowhere");
    }
    const fs::path path(std::string(target.data(), static_cast<std::size_t>(size)));
    push_front(path);
    seen_ = parent_;
    if (path.is_absolute()) {
      here = FileDescriptor(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
      seen_ = "/";
      return check(here);
    }
    return Status::ok();
  }

  Trust trust_;
  std::deque<std::string> steps_;
  fs::path seen_;    // where the walk stands, for messages
  fs::path parent_;  // where it stood before the last step
  mode_t mode_ = 0;  // of what was checked last
  int links_ = 0;
};

// Opens for reading the very file that an O_PATH descriptor names.
FileDescriptor reopen(const FileDescriptor& found) {
  const std::string name = "/proc/self/fd/" + std::to_string(found.get());
  return FileDescriptor(open(name.c_str(), O_RDONLY | O_CLOEXEC));
}

Result<std::string> sha256_of(int descriptor, std::uint64_t size) {
  try {
    Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
    std::vector<char> buffer(std::size_t{1} << 16U);
    for (std::uint64_t at = 0; at < size;) {
      const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), size - at);
      const ssize_t got = pread(descriptor, buffer.data(), wanted, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        return unavailable("cannot be read: " + (got == 0 ? "it shrank" : system_text(errno)));
      }
      engine.update(buffer.data(), static_cast<std::size_t>(got));
      at += static_cast<std::uint64_t>(got);
    }
    return Poco::DigestEngine::digestToHex(engine.digest());
  } catch (const Poco::Exception& error) {
    return internal_error("cannot be hashed: " + error.displayText());
  }
}

Status check_pin(const OpenedFile& file, std::string pinned) {
  std::transform(pinned.begin(), pinned.end(), pinned.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  if (pinned.empty() || pinned == file.sha256) {
    return Status::ok();
  }
  return failed_precondition("its SHA-256 is " + file.sha256 + ", the configuration pins " +
                             pinned + "; if the new file is wanted, change the pin");
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    const FileDescriptor old(std::exchange(number_, other.release()));
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) {
    static_cast<void>(close(number_));
  }
}

Result<OpenedFile> open_plugin_file(const fs::path& path,
                                    Trust trust,
                                    const std::string& pinned_sha256) {
  std::error_code error;
  OpenedFile file;
  file.path = fs::absolute(path, error);
  if (error || path.empty()) {
    return invalid_argument("'" + path.string() + "' is not a path");
  }
  VKHOST_TRY_ASSIGN(const FileDescriptor found, Walk(trust).to(file.path));
  struct stat about{};
  if (fstat(found.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return invalid_argument("it is not a regular file");
  }
  file.descriptor = reopen(found);
  if (!file.descriptor) {
    return refused("it cannot be opened: " + system_text(errno));
  }
  file.device = about.st_dev;
  file.inode = about.st_ino;
  file.size = static_cast<std::uint64_t>(about.st_size);
  if (file.size > kMaxFileBytes) {
    return invalid_argument("it has " + std::to_string(file.size) + " bytes; the limit is 1 GiB");
  }
  VKHOST_TRY_ASSIGN(file.sha256, sha256_of(file.descriptor.get(), file.size));
  VKHOST_TRY(check_pin(file, pinned_sha256));
  return file;
}

}  // namespace vkhost::plugin
