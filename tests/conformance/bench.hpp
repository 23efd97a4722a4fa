// Bench: one provider under check, with the verbs that cases are written in, and the list of what it
// did wrong. A case goes on after a failure unless it cannot; nothing here depends on a test
// framework, so that the same cases can serve a command.
#pragma once

#include "conformance/subject.hpp"
#include "observe/metrics.hpp"
#include "plugin/library.hpp"
#include "plugin/provider.hpp"
#include "support/plugin_files.hpp"
#include "support/recording_listener.hpp"
#include "support/recording_log_sink.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::conformance {

// A pod as the case knows it.
struct Pod {
  plugin::PodRef ref;
  std::string json;
  std::string material;
};

class Bench {
 public:
  // `state` is the folder that "{state}" in the settings stands for.
  Bench(Subject subject, std::filesystem::path state);
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // ---- The report ----

  bool expect(bool holds, const std::string& sentence);  // returns `holds`
  bool expect_ok(const Status& status, const std::string& what);
  // A failure that a host and a user can act on: a code of its own, a reason, a message.
  bool expect_advice(const Status& status, const std::string& what);
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

  // ---- Life ----

  bool load();                                        // the library
  bool create(const std::string& owner = "owner-1");  // an instance; not started
  bool recover(const std::vector<Pod>& pods);
  bool start();
  // Both, and create_pod where the provider asks for it.
  bool recover_and_start(const std::vector<Pod>& pods);
  // All of it, with a node that has no pods.
  bool begin() { return load() && create() && recover({}) && start(); }
  void stop();
  void destroy();  // without a stop
  // A new instance that is told of these pods; with `new_process` in a new copy of the library.
  bool restart(const std::vector<Pod>& pods, bool new_process = false);
  // Creates the pod in a process of its own, which ends at the given step of it (0, 1, …: before and
  // after each word of the provider to the host), with the handle that is saved by then kept in `pod`.
  // False when create_pod has fewer steps; then the process ended right after its return. Nothing may
  // have been loaded before.
  bool crash_in_create(Pod& pod, int step);

  [[nodiscard]] plugin::Provider& provider() { return *provider_; }
  [[nodiscard]] plugin::Library& library() { return *library_; }
  [[nodiscard]] const vkhost::testing::RecordingListener& heard() const { return listener_; }
  [[nodiscard]] const vkhost::testing::RecordingLogSink& log() const { return *log_; }
  // Of the library that was loaded last, beside the host's own.
  [[nodiscard]] const observe::Metrics& metrics() const { return *metrics_; }
  [[nodiscard]] const Subject& subject() const { return subject_; }
  [[nodiscard]] std::string settings() const;
  // A second instance beside the first, of the same library.
  std::unique_ptr<plugin::Provider> another(const std::string& owner);

  // ---- Pods ----

  // A plain pod with one container, "main". Each has a UID of its own.
  Pod pod(const std::string& name);
  Pod pod(const std::string& pod_namespace, const std::string& name, const std::string& uid);
  // Creates it and keeps its handle in the pod.
  Status create_pod(Pod& pod, plugin::CreateReason why = plugin::CreateReason::First);
  Status delete_pod(const Pod& pod, std::chrono::milliseconds grace = std::chrono::seconds(1));

  // ---- What the provider says of pods ----

  // The complete list, or a problem.
  std::optional<plugin::PodList> list(const std::vector<std::string>& uids = {});
  // The items of one UID in the list of everything.
  std::vector<plugin::ListedPod> listed(const Pod& pod);
  // Whether the condition comes to hold in time; it is tried again at every news.
  bool eventually(const std::function<bool()>& holds);
  bool expect_present(const Pod& pod, const std::string& when);
  bool expect_gone(const Pod& pod, const std::string& when);
  // The newest status that was pushed or listed.
  std::string status_of(const Pod& pod);

  [[nodiscard]] plugin::CallOptions within(std::chrono::milliseconds time) const;

 private:
  // How a process ended that was made for a crash.
  enum class Ending { Returned = 0, Failed = 1, Crashed = 2 };
  struct Doomed {
    const Bench& bench;
    std::string uid;
    int handle_to;  // descriptor for the handle that was saved
    std::atomic<int> steps_left;
    [[noreturn]] void leave(Ending ending) const;
  };
  [[noreturn]] void create_and_die(Pod pod, int step, int handle_to);
  void note_step();
  std::unique_ptr<plugin::Provider> make_instance();

  Subject subject_;
  std::filesystem::path state_;
  vkhost::testing::PluginFiles files_;
  int copies_ = 0;
  int pods_ = 0;
  std::atomic<Doomed*> doomed_ = nullptr;  // while create_pod runs in a process that shall crash
  std::vector<std::string> problems_;
  SystemClock clock_;
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  std::shared_ptr<observe::Metrics> metrics_;
  vkhost::testing::RecordingListener listener_{[this] { note_step(); }};
  std::optional<plugin::Loader> loader_;
  plugin::Library* library_ = nullptr;
  std::unique_ptr<plugin::Provider> provider_;
  std::string owner_;
};

}  // namespace vkhost::conformance
