#include "doctor/file_checks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace vkhost::doctor {
namespace {

namespace fs = std::filesystem;

std::string user() { return "user " + std::to_string(::geteuid()); }

bool may(const fs::path& path, int what) {
  return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
}

std::string mode_text(mode_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) {
    text += static_cast<char>('0' + ((mode >> static_cast<unsigned>(shift)) & 7U));
  }
  return text;
}

// The folder above that is there.
fs::path existing_part(const fs::path& path) {
  std::error_code error;
  fs::path part = fs::absolute(path, error).parent_path();
  while (!fs::exists(part, error) && part.has_relative_path()) {
    part = part.parent_path();
  }
  return part;
}

}  // namespace

void check_folder(Matter matter, const fs::path& folder, const std::string& key, Report& report) {
  struct stat facts{};
  const std::string other = "Let " + key + " name a folder of the daemon's user.";
  if (::stat(folder.c_str(), &facts) != 0) {
    const int reason = errno;
    const fs::path above = existing_part(folder);
    std::error_code error;
    if (reason != ENOENT || !fs::is_directory(above, error) || !may(above, W_OK | X_OK)) {
      report.problem(
          std::move(matter),
          folder.string() + " is not there and " + user() + " cannot make it in " + above.string(),
          other);
    } else {
      report.ok(std::move(matter), folder.string() + " is made at the first start");
    }
  } else if (!S_ISDIR(facts.st_mode)) {
    report.problem(std::move(matter), folder.string() + " is no folder", other);
  } else if (!may(folder, R_OK | W_OK | X_OK)) {
    report.problem(std::move(matter), folder.string() + " is not for " + user() + " to write to",
                   "Run this command as the daemon's user; if that is this one: " + other);
  } else if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    report.problem(std::move(matter),
                   folder.string() + " can be written by others (mode " + mode_text(facts.st_mode) +
                       "), who may put their files in place of the daemon's",
                   "chmod go-w " + folder.string());
  } else {
    report.ok(std::move(matter), folder.string() + " can be written, by its owner only");
  }
}

void check_secret_file(Matter matter, const fs::path& file, Report& report) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0 || !may(file, R_OK)) {
    report.problem(std::move(matter), file.string() + " cannot be read by " + user(),
                   "Give it to the daemon's user, or name another one.");
  } else if ((facts.st_mode & S_IRWXO) != 0) {
    report.warning(std::move(matter),
                   file.string() + " is open to everybody (mode " + mode_text(facts.st_mode) + ")",
                   "chmod o= " + file.string());
  } else {
    report.ok(std::move(matter), file.string() + " is not open to everybody");
  }
}

}  // namespace vkhost::doctor
