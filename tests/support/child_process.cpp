#include "support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>

namespace vkhost::testing {
namespace {

void require(int error, const std::string& what) {
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), what);
  }
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& each : strings) {
    result.push_back(each.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> result;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    const auto replaced = [&](const auto& addition) {
      return entry.starts_with(addition.first + "=");
    };
    if (std::none_of(additions.begin(), additions.end(), replaced)) {
      result.emplace_back(entry);
    }
  }
  for (const auto& [name, value] : additions) {
    result.push_back(std::string(name).append("=").append(value));
  }
  return result;
}

// What a child reads: a file in memory, so that nobody has to feed it.
Descriptor readable(const std::string& input) {
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  std::size_t written = 0;
  while (written < input.size()) {
    const ssize_t step = ::write(file.get(), input.data() + written, input.size() - written);
    if (step < 0) {
      throw std::system_error(errno, std::generic_category(), "input of a child");
    }
    written += static_cast<std::size_t>(step);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// Our threads run with signals blocked, and SIGPIPE is ignored; a child starts with neither.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    require(posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

class SpawnFiles {
 public:
  SpawnFiles(int input, int output) {
    require(posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
  }
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

// By number, as <sys/pidfd.h> of glibc 2.36 cannot be linked from C++.
Descriptor open_pidfd(pid_t pid) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

ChildProcess::ChildProcess(const Command& command) {
  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe of a child");
  Descriptor reading(ends[0]);
  const Descriptor writing(ends[1]);
  const Descriptor input = readable(command.input);

  std::vector<std::string> arguments = {"setpriv", "--pdeathsig", "KILL", "--"};
  arguments.insert(arguments.end(), command.argv.begin(), command.argv.end());
  std::vector<std::string> environment = environment_with(command.environment);
  require(::posix_spawnp(&pid_, "setpriv", SpawnFiles(input.get(), writing.get()).get(),
                         SpawnAttributes().get(), pointers(arguments).data(),
                         pointers(environment).data()),
          "starting " + command.argv.front());
  pidfd_ = open_pidfd(pid_);
  auto pipe = std::make_shared<Descriptor>(std::move(reading));
  gatherer_ =
      Thread("child-output", [this, pipe, log = command.log] { gather(std::move(*pipe), log); });
}

ChildProcess::~ChildProcess() {
  if (!status_) {
    send_signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  stop_gathering_.raise();  // a grandchild may hold the other end of the pipe
}

void ChildProcess::send_signal(int signal) const {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

std::optional<ExitStatus> ChildProcess::wait(std::chrono::milliseconds within) {
  if (status_) {
    return status_;
  }
  if (wait_for_fd(pidfd_.get(), POLLIN, {.until = std::chrono::steady_clock::now() + within}) !=
      Io::Ok) {
    return std::nullopt;
  }
  int raw = 0;
  ::waitpid(pid_, &raw, 0);
  status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
  // Grandchildren may hold the other end for ever; what the child itself wrote is there by now.
  const SteadyTime until = std::chrono::steady_clock::now() + std::chrono::seconds{1};
  const MutexLock lock(mutex_);
  while (!complete_ && changed_.wait_until(mutex_, until)) {
  }
  return status_;
}

std::string ChildProcess::output() const {
  const MutexLock lock(mutex_);
  return output_;
}

bool ChildProcess::wait_for_output(std::string_view text, std::chrono::milliseconds within) const {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  const MutexLock lock(mutex_);
  while (output_.find(text) == std::string::npos) {
    if (complete_ || !changed_.wait_until(mutex_, until)) {
      return output_.find(text) != std::string::npos;
    }
  }
  return true;
}

void ChildProcess::gather(Descriptor pipe, const std::filesystem::path& log) {
  std::ofstream file;
  if (!log.empty()) {
    file.open(log, std::ios::binary | std::ios::app);
  }
  std::array<char, std::size_t{16} * 1024> buffer{};
  for (;;) {
    const Io ready = wait_for_fd(pipe.get(), POLLIN, {.wake_fd = stop_gathering_.get()});
    const ssize_t size = ready != Io::Ok ? 0 : ::read(pipe.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size > 0) {
      file.write(buffer.data(), size).flush();
    }
    const MutexLock lock(mutex_);
    if (size <= 0) {
      complete_ = true;
      changed_.notify_all();
      return;
    }
    output_.append(buffer.data(), static_cast<std::size_t>(size));
    changed_.notify_all();
  }
}

CommandResult run_command(const Command& command, std::chrono::milliseconds within) {
  ChildProcess child(command);
  std::optional<ExitStatus> status = child.wait(within);
  if (!status) {
    child.send_signal(SIGKILL);
    status = child.wait(std::chrono::seconds{10});
  }
  return {.status = status.value_or(-1), .output = child.output()};
}

}  // namespace vkhost::testing
