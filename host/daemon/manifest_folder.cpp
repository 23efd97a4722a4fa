#include "daemon/manifest_folder.hpp"

#include "base/check.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{8} * 1024 * 1024;

bool is_manifest_name(const std::string& name) {
  return !name.starts_with('.') &&
         (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) {
    return unavailable("cannot be read: " + error.message());
  }
  if (size > kMaxFileBytes) {
    return invalid_argument("is larger than 8 MiB");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  if (!file || static_cast<std::uintmax_t>(file.gcount()) != size) {
    return unavailable(std::string("cannot be read: ") + std::generic_category().message(errno));
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<ManifestFolder>> ManifestFolder::create(std::filesystem::path folder,
                                                               std::string node_name,
                                                               observe::Logger log) {
  const int inotify = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify < 0) {
    return unavailable(std::string("watching folders is not possible here: ") +
                       std::generic_category().message(errno));
  }
  const int watch = ::inotify_add_watch(
      inotify, folder.c_str(),
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR);
  if (watch < 0) {
    const int reason = errno;
    ::close(inotify);
    return not_found("the manifest folder " + folder.string() +
                     " cannot be watched: " + std::generic_category().message(reason) +
                     "; create it or set standalone.manifests");
  }
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) {
    const int reason = errno;
    ::close(inotify);
    return unavailable(std::string("no event descriptor: ") +
                       std::generic_category().message(reason));
  }
  return std::unique_ptr<ManifestFolder>(
      new ManifestFolder(std::move(folder), std::move(node_name), std::move(log), inotify, wake));
}

ManifestFolder::ManifestFolder(
    std::filesystem::path folder, std::string node_name, observe::Logger log, int inotify, int wake)
    : folder_(std::move(folder)),
      node_name_(std::move(node_name)),
      log_(std::move(log)),
      inotify_(inotify),
      wake_(wake) {}

ManifestFolder::~ManifestFolder() {
  stop();
  ::close(inotify_);
  ::close(wake_);
}

void ManifestFolder::start(std::function<void(Manifests)> changed) {
  changed_ = std::move(changed);
  read_all();
  thread_ = Thread("manifests", [this] { loop(); });
}

void ManifestFolder::stop() {
  if (thread_.joinable()) {
    VKHOST_CHECK(::eventfd_write(wake_, 1) == 0, "an event descriptor cannot be full here");
    thread_.join();
  }
}

bool ManifestFolder::drain_events() const {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  bool relevant = false;
  while (true) {
    const ssize_t size = ::read(inotify_, buffer.data(), buffer.size());
    if (size <= 0) {
      return relevant;
    }
    for (ssize_t offset = 0; offset < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + offset, sizeof event);
      const char* name = buffer.data() + offset + sizeof event;
      // "..data" is how a mounted ConfigMap changes: a link that is replaced.
      relevant = relevant || (event.mask & (IN_Q_OVERFLOW | IN_IGNORED)) != 0 ||
                 (event.len > 0 && (is_manifest_name(name) || std::strcmp(name, "..data") == 0));
      offset += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

void ManifestFolder::loop() {
  while (true) {
    std::array<pollfd, 2> fds = {{{inotify_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    if ((fds[1].revents & POLLIN) != 0) {
      return;
    }
    if ((fds[0].revents & POLLIN) != 0 && drain_events()) {
      read_all();
    }
  }
}

void ManifestFolder::read_all() {
  std::set<std::string> present;
  std::set<std::string> problems;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (!is_manifest_name(name)) {
      continue;
    }
    present.insert(name);
    auto text = read_file(entry.path());
    if (!text.is_ok()) {
      problems.insert(name + " " + text.status().message());
      continue;
    }
    Manifests alone;
    add_manifest_file(name, *text, node_name_, &alone);
    if (alone.problems.empty() || !good_.contains(name)) {
      good_[name] = std::move(*text);
    }
    for (const std::string& problem : alone.problems) {
      problems.insert(problem);
    }
  }
  if (error) {
    log_.error("the manifest folder cannot be read; its pods stay as they are",
               {{"folder", folder_.string()}, {"error", error.message()}});
    return;
  }
  std::erase_if(good_, [&](const auto& entry) { return !present.contains(entry.first); });
  Manifests all;
  for (const auto& [name, text] : good_) {
    add_manifest_file(name, text, node_name_, &all);
  }
  for (const std::string& problem : all.problems) {
    problems.insert(problem);
  }
  for (const std::string& problem : problems) {
    if (!reported_.contains(problem)) {
      log_.error("a manifest cannot be used", {{"folder", folder_.string()}, {"error", problem}});
    }
  }
  reported_ = std::move(problems);
  changed_(std::move(all));
}

}  // namespace vkhost::daemon
