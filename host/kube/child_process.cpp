#include "kube/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <system_error>

namespace vkhost::kube {
namespace {

constexpr std::size_t kErrorOutputBytes = 4096;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    number_ = std::exchange(other.number_, -1);
    return *this;
  }
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  void close() {
    if (number_ >= 0) {
      ::close(std::exchange(number_, -1));
    }
  }

 private:
  int number_ = -1;
};

Status system_fault(std::string_view what, int error) {
  return failed_precondition(std::string(what) + ": " + std::generic_category().message(error));
}

struct OutputPipe {
  Descriptor reader;
  Descriptor writer;

  Status open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return system_fault("making a pipe", errno);
    }
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
    return ::fcntl(reader.get(), F_SETFL, O_NONBLOCK) == 0
               ? Status::ok()
               : system_fault("setting up a pipe", errno);
  }
};

// "NAME=value" of our environment, with the child's own variables in place of ours.
std::vector<std::string> child_environment(const ChildCommand& command) {
  std::vector<std::string> all;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string_view name = text.substr(0, text.find('='));
    const bool is_replaced = std::any_of(command.environment.begin(), command.environment.end(),
                                         [&](const auto& own) { return own.first == name; });
    if (!is_replaced) {
      all.emplace_back(text);
    }
  }
  for (const auto& [name, value] : command.environment) {
    all.push_back(name + "=" + value);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }

  int prepare(int output, int error_output) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    int error = ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    error = error != 0 ? error : ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    error = error != 0 ? error : ::posix_spawn_file_actions_adddup2(&actions, error_output, 2);
    error = error != 0 ? error : ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    error = error != 0 ? error : ::posix_spawnattr_setpgroup(&attributes, 0);
    error = error != 0 ? error : ::posix_spawnattr_setsigmask(&attributes, &none);
    error = error != 0 ? error : ::posix_spawnattr_setsigdefault(&attributes, &all);
    const int flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return error != 0 ? error : ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
  }
};

// Kills and reaps unless the child was seen to end.
class RunningChild {
 public:
  // By number, as glibc 2.36 declares pidfd_open() for C only.
  explicit RunningChild(pid_t pid)
      : pid_(pid), ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  RunningChild(const RunningChild&) = delete;
  RunningChild& operator=(const RunningChild&) = delete;
  ~RunningChild() {
    if (!is_reaped_) {
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);  // its group may not exist yet
      static_cast<void>(reap());
    }
  }

  [[nodiscard]] const Descriptor& ended() const { return ended_; }  // readable once it has

  int reap() {
    int state = 0;
    while (::waitpid(pid_, &state, 0) < 0 && errno == EINTR) {
    }
    is_reaped_ = true;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }

 private:
  pid_t pid_;
  Descriptor ended_;
  bool is_reaped_ = false;
};

// Takes what is there, at most so much that a child that never stops writing can't hold us here; what
// is over `limit` is passed over. Closes at the end of the stream. False when something was over.
bool drain(Descriptor& reader, std::string& out, std::size_t limit) {
  constexpr int kChunks = 16;  // four times what a pipe holds
  std::array<char, 16384> chunk{};
  bool fits = true;
  for (int round = 0; round < kChunks && reader.is_open(); ++round) {
    const ssize_t count = ::read(reader.get(), chunk.data(), chunk.size());
    if (count > 0) {
      const auto size = static_cast<std::size_t>(count);
      const std::size_t room = limit - std::min(limit, out.size());
      out.append(chunk.data(), std::min(size, room));
      fits = fits && size <= room;
    } else if (count < 0 && errno == EAGAIN) {
      break;
    } else if (count == 0 || errno != EINTR) {
      reader.close();
    }
  }
  return fits;
}

int poll_timeout(const Clock& clock, Deadline deadline) {
  if (deadline.is_never()) {
    return -1;
  }
  constexpr std::chrono::milliseconds kLongest{3'600'000};
  return static_cast<int>(std::min(deadline.remaining(clock.steady_now()), kLongest).count());
}

Status watch_child(const RunningChild& child,
                   OutputPipe& output,
                   OutputPipe& error_output,
                   const ChildCommand& command,
                   const Clock& clock,
                   Deadline deadline,
                   const Descriptor& cancelled_event,
                   const CancelToken& cancel,
                   ChildOutcome& outcome) {
  for (;;) {
    if (cancel.is_cancelled()) {
      return cancelled("stopped while " + command.program + " ran");
    }
    if (deadline.is_past(clock.steady_now())) {
      return deadline_exceeded(command.program + " did not end in time and was killed");
    }
    // A closed descriptor is -1, which poll() passes over.
    std::array<pollfd, 4> wait = {{{output.reader.get(), POLLIN, 0},
                                   {error_output.reader.get(), POLLIN, 0},
                                   {child.ended().get(), POLLIN, 0},
                                   {cancelled_event.get(), POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), poll_timeout(clock, deadline)) < 0 && errno != EINTR) {
      return system_fault("waiting for " + command.program, errno);
    }
    const bool has_ended = wait[2].revents != 0;
    if (!drain(output.reader, outcome.output, command.max_output_bytes)) {
      return Status(StatusCode::ResourceExhausted, command.program + " printed more than " +
                                                       std::to_string(command.max_output_bytes) +
                                                       " bytes and was killed");
    }
    static_cast<void>(drain(error_output.reader, outcome.error_output, kErrorOutputBytes));
    if (has_ended) {  // a grandchild may hold the pipes open for ever; it is not waited for
      return Status::ok();
    }
  }
}

}  // namespace

Result<ChildOutcome> run_child(const ChildCommand& command,
                               const Clock& clock,
                               Deadline deadline,
                               const CancelToken& cancel) {
  OutputPipe output;
  OutputPipe error_output;
  VKHOST_TRY(output.open());
  VKHOST_TRY(error_output.open());
  const auto cancelled_event =
      std::make_shared<Descriptor>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancelled_event->is_open()) {
    return system_fault("making an eventfd", errno);
  }
  const CancelCallback on_cancel(
      cancel, [cancelled_event] { static_cast<void>(::eventfd_write(cancelled_event->get(), 1)); });

  SpawnSettings settings;
  if (const int error = settings.prepare(output.writer.get(), error_output.writer.get());
      error != 0) {
    return system_fault("preparing to run " + command.program, error);
  }
  std::vector<std::string> words = {command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = child_environment(command);
  pid_t pid = 0;
  const int error =
      ::posix_spawnp(&pid, command.program.c_str(), &settings.actions, &settings.attributes,
                     pointers_to(words).data(), pointers_to(environment).data());
  if (error != 0) {
    const Status fault = system_fault("running " + command.program, error);
    return error == ENOENT ? not_found(fault.message()) : fault;
  }
  RunningChild child(pid);
  if (!child.ended().is_open()) {
    return system_fault("watching " + command.program, errno);
  }
  output.writer.close();
  error_output.writer.close();
  ChildOutcome outcome;
  VKHOST_TRY(watch_child(child, output, error_output, command, clock, deadline, *cancelled_event,
                         cancel, outcome));
  outcome.exit_status = child.reap();
  return outcome;
}

}  // namespace vkhost::kube
