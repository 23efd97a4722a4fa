#include "material_files.hpp"

#include "material_hashes.hpp"

#include <vkhost/provider.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace vkhost::mock {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSuffix = ".json";

const char* folder_of(KeepMaterial keep) {
  return keep == KeepMaterial::All ? "/material" : "/material_hashes";
}

[[noreturn]] void fail_with(sdk::Code code,
                            const char* reason,
                            const std::string& tried,
                            const std::error_code& error) {
  throw sdk::Error(code, reason, tried + ": " + error.message()).with_effect(sdk::Effect::None);
}

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  ::unlink(path.c_str());
  fail_with(sdk::Code::Unavailable, "StateNotWritten", "writing " + path,
            {error, std::generic_category()});
}

// A UID of Kubernetes is a UUID; that of another kind must not lead out of the folder.
bool is_file_name(std::string_view uid) {
  constexpr std::size_t kLongest = 200;
  return !uid.empty() && uid.size() <= kLongest && uid.front() != '.' &&
         std::all_of(uid.begin(), uid.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// The file is new and its mode is set with its name: nobody has it open already.
void write_private_file(const std::string& path, std::string_view text) {
  ::unlink(path.c_str());  // of a process that was killed
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    fail_to_write(path, errno);
  }
  int error = 0;
  while (!text.empty() && error == 0) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (::close(file) != 0 && error == 0) {
    error = errno;
  }
  if (error != 0) {
    fail_to_write(path, error);
  }
}

}  // namespace

MaterialFiles::MaterialFiles(const std::string& folder, KeepMaterial keep) : keep_(keep) {
  if (folder.empty()) {
    return;
  }
  std::error_code error;
  for (const KeepMaterial kept : {KeepMaterial::Hashes, KeepMaterial::All}) {
    const std::string path = folder + folder_of(kept);
    if (kept == keep) {
      folder_ = path;
      if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        error = {errno, std::generic_category()};
      }
    } else {
      fs::remove_all(path, error);
    }
    if (error) {
      fail_with(sdk::Code::FailedPrecondition, "StateFolder", "preparing " + path, error);
    }
  }
}

std::string MaterialFiles::put(std::string_view uid, std::string_view material) const {
  if (folder_.empty()) {
    return {};
  }
  if (!is_file_name(uid)) {
    throw sdk::Error(sdk::Code::InvalidArgument, "InvalidUid",
                     "the pod's UID cannot be the name of a file, under which to keep its material")
        .never_retry()
        .with_effect(sdk::Effect::None);
  }
  const std::string path = folder_ + '/' + std::string(uid) + std::string(kSuffix);
  const std::string fresh = path + ".new";
  if (keep_ == KeepMaterial::Hashes) {
    write_private_file(fresh, hash_texts(material));
  } else {
    write_private_file(fresh, material);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    fail_to_write(fresh, errno);
  }
  return digest_of(material);
}

void MaterialFiles::remove(std::string_view uid) const {
  if (folder_.empty() || !is_file_name(uid)) {
    return;
  }
  const std::string path = folder_ + '/' + std::string(uid) + std::string(kSuffix);
  ::unlink(path.c_str());
}

void MaterialFiles::keep_only(const std::function<bool(const std::string& uid)>& is_there) const {
  if (folder_.empty()) {
    return;
  }
  std::error_code error;
  for (fs::directory_iterator each(folder_, error), end; !error && each != end;
       each.increment(error)) {
    const fs::path& path = each->path();
    if (path.extension() != kSuffix || !is_there(path.stem().string())) {
      fs::remove_all(path, error);
    }
    if (error) {
      break;
    }
  }
  if (error) {
    fail_with(sdk::Code::FailedPrecondition, "StateFolder", "tidying " + folder_, error);
  }
}

}  // namespace vkhost::mock
