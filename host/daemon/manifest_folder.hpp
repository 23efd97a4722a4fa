// ManifestFolder: reads a folder of manifests and reads it again whenever something in it changes.
//
// One thread waits on inotify; it sleeps while nothing happens. Files are *.yaml, *.yml and *.json of
// at most 8 MiB whose name does not begin with a dot. A file that cannot be read or used any more
// keeps its last good content, so that a typo does not delete pods; only its removal does.
#pragma once

#include "base/status.hpp"
#include "base/thread.hpp"
#include "daemon/manifest.hpp"
#include "observe/log.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace vkhost::daemon {

class ManifestFolder {
 public:
  // `changed` runs on the folder's thread, and once within start(). NOT_FOUND when there is no such
  // folder.
  static Result<std::unique_ptr<ManifestFolder>> create(std::filesystem::path folder,
                                                        std::string node_name,
                                                        observe::Logger log);
  ~ManifestFolder();
  ManifestFolder(const ManifestFolder&) = delete;
  ManifestFolder& operator=(const ManifestFolder&) = delete;

  void start(std::function<void(Manifests)> changed);
  void stop();

 private:
  ManifestFolder(std::filesystem::path folder,
                 std::string node_name,
                 observe::Logger log,
                 int inotify,
                 int wake);
  void loop();
  void read_all();
  // False when the inotify descriptor told nothing about a manifest.
  [[nodiscard]] bool drain_events() const;

  const std::filesystem::path folder_;
  const std::string node_name_;
  const observe::Logger log_;
  const int inotify_;
  const int wake_;  // eventfd: stop

  std::function<void(Manifests)> changed_;
  std::map<std::string, std::string> good_;  // file name to its last good content
  std::set<std::string> reported_;           // problems, each logged once
  Thread thread_;
};

}  // namespace vkhost::daemon
