#include "journal.hpp"

#include <vkhost/provider.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace vkhost::mock {
namespace {

[[noreturn]] void fail(sdk::Code code, const char* reason, const std::string& tried, int error) {
  throw sdk::Error(code, reason, tried + ": " + std::generic_category().message(error))
      .with_effect(sdk::Effect::None);
}

std::string read_from(int file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size > offset ? size - offset : 0, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count =
        ::pread(file, text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  text.resize(done);
  return text;
}

std::uint64_t size_of(int file) {
  struct stat info{};
  return ::fstat(file, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

Journal::Journal(const std::string& folder) : folder_(folder) {
  if (folder.empty()) {
    return;
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    fail(sdk::Code::FailedPrecondition, "StateFolder", "making " + folder, error.value());
  }
  const std::string path = folder + "/calls.log";
  log_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log_ < 0) {
    fail(sdk::Code::FailedPrecondition, "StateFolder", "opening " + path, errno);
  }
  if (::flock(log_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(log_);
    fail(sdk::Code::FailedPrecondition, "StateFolderInUse",
         "locking " + path + " (does another daemon stand for the same node?)", reason);
  }
}

Journal::~Journal() {
  if (log_ >= 0) {
    ::close(log_);
  }
}

void Journal::replay(const std::function<void(const Json&)>& snapshot,
                     const std::function<void(const Json&)>& line,
                     const std::function<void(const std::string&)>& skipped) {
  if (log_ < 0) {
    return;
  }
  const auto attempt = [&](const std::string& what, const std::function<void()>& read) {
    try {
      read();
    } catch (const sdk::Error& error) {
      skipped("skipped " + what + " in " + folder_ + ": " + error.what());
    }
  };
  const std::uint64_t size = size_of(log_);
  std::uint64_t begin = 0;
  std::ifstream file(folder_ + "/workloads.json", std::ios::binary);
  if (file) {
    attempt("workloads.json", [&] {
      const std::string text(std::istreambuf_iterator<char>(file), {});
      const Json json = Json::parse(text, "workloads.json");
      snapshot(json);
      begin = static_cast<std::uint64_t>(json["log_size"].number());
    });
  }
  // A log shorter than that was replaced; its lines say the same again, or more.
  const std::string text = read_from(log_, begin > size ? 0 : begin, size);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    torn_ = end == std::string_view::npos;
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(torn_ ? rest.size() : end + 1);
    if (!one.empty()) {
      attempt("a line of calls.log", [&] {
        if (torn_) {
          throw sdk::Error(sdk::Code::DataLoss, "TornLine", "the last line is not whole");
        }
        line(Json::parse(one, "the line"));
      });
    }
  }
}

void Journal::write_snapshot(std::string_view members) {
  if (log_ < 0) {
    return;
  }
  const std::string path = folder_ + "/workloads.json";
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << "{\"log_size\":" << size_of(log_) << ',' << members << "}\n";
    file.flush();
    if (!file) {
      fail(sdk::Code::Unavailable, "StateNotWritten", "writing " + fresh, errno);
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    fail(sdk::Code::Unavailable, "StateNotWritten", "renaming " + fresh, errno);
  }
}

void Journal::append(std::string line) {
  if (log_ < 0) {
    return;
  }
  line += '\n';
  if (torn_.exchange(false)) {
    line.insert(line.begin(), '\n');
  }
  ssize_t written = 0;
  do {
    written = ::write(log_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(line.size())) {
    const int reason = written < 0 ? errno : ENOSPC;
    torn_ = true;
    fail(sdk::Code::Unavailable, "StateNotWritten", "writing " + folder_ + "/calls.log", reason);
  }
}

}  // namespace vkhost::mock
