#include "daemon/manifest_folder.hpp"
#include "daemon/standalone_store.hpp"
#include "daemon/state_file.hpp"
#include "daemon/surroundings.hpp"

#include <filesystem>
#include <utility>

namespace vkhost::daemon {
namespace {

// Events have nowhere to go but the log.
class LoggedEvents final : public pods::EventSink {
 public:
  explicit LoggedEvents(observe::Logger log) : log_(std::move(log)) {}

  void pod_event(const kube::PodRecord& pod, const pods::Happening& what) override {
    log(what, {{"pod", pod.display_name()}, {"uid", pod.uid}});
  }
  void node_event(std::string_view node_name, const pods::Happening& what) override {
    log(what, {{"node", std::string(node_name)}});
  }

 private:
  void log(const pods::Happening& what, observe::Fields fields) {
    fields.push_back({"reason", std::string(what.reason)});
    log_.with(std::move(fields))
        .log(what.type == pods::EventType::Warning ? observe::Level::Warn : observe::Level::Info,
             std::string(what.message) + std::string(what.detail));
  }

  const observe::Logger log_;
};

class StandalonePodSource final : public PodSource {
 public:
  StandalonePodSource(std::filesystem::path folder, StandaloneStore& store, observe::Logger log)
      : path_(std::move(folder)), store_(store), log_(std::move(log)) {}

  Status start(const std::string& node_name, kube::PodListener* listener) override {
    VKHOST_TRY_ASSIGN(folder_, ManifestFolder::create(path_, node_name, log_));
    store_.set_listener(listener);
    folder_->start([this](Manifests manifests) { store_.apply(std::move(manifests)); });
    return Status::ok();
  }
  void stop() override {
    if (folder_) {
      folder_->stop();
    }
  }

 private:
  const std::filesystem::path path_;
  StandaloneStore& store_;
  const observe::Logger log_;
  std::unique_ptr<ManifestFolder> folder_;
};

// ConfigMaps and Secrets of the manifest folder. There are no services.
resolve::DocumentLookup documents_of(const StandaloneStore& store) {
  return {[&store](std::string_view kind, const std::string& object_namespace,
                   const std::string& name) -> std::optional<std::string> {
            const std::string key = object_namespace + "/" + name;
            if (kind == "ConfigMap") {
              return store.config_map(key);
            }
            return kind == "Secret" ? store.secret(key) : std::nullopt;
          },
          [](std::string_view, const std::string&) { return std::vector<std::string>(); }};
}

class StandaloneSurroundings final : public Surroundings {
 public:
  StandaloneSurroundings(std::filesystem::path manifests,
                         std::unique_ptr<StandaloneStore> store,
                         std::string uid,
                         observe::Logger log)
      : manifests_(std::move(manifests)),
        store_(std::move(store)),
        uid_(std::move(uid)),
        log_(std::move(log)),
        events_(log_),
        objects_(documents_of(*store_)) {}

  void start() override {}
  void stop() override {}
  Result<std::string> node_identity(const CancelToken& /*cancel*/) override {
    return std::string();
  }
  Result<std::string> cluster_uid(const CancelToken& /*cancel*/) override { return uid_; }
  kube::Client* api() override { return nullptr; }
  pods::PodApi& pod_api() override { return *store_; }
  pods::EventSink& events() override { return events_; }
  resolve::ObjectSource& objects() override { return objects_; }
  resolve::ObjectFeed* object_feed() override { return &store_->object_feed(); }
  resolve::TokenSource* tokens() override { return nullptr; }
  Result<std::function<void()>> prepare_credentials(const config::Config& /*config*/) override {
    return std::function<void()>([] {});
  }
  std::unique_ptr<PodSource> make_pod_source() override {
    return std::make_unique<StandalonePodSource>(manifests_, *store_, log_);
  }

 private:
  const std::filesystem::path manifests_;
  const std::unique_ptr<StandaloneStore> store_;
  const std::string uid_;
  const observe::Logger log_;
  LoggedEvents events_;
  resolve::CallbackObjectSource objects_;
};

// Made once for a state folder: what its workloads are marked with.
Result<std::string> folder_uid(const std::filesystem::path& state, Random& random) {
  const std::filesystem::path path = state / "standalone-uid";
  auto present = read_state_file(path);
  if (present.is_ok() && !present->empty()) {
    return present;
  }
  if (!present.is_ok() && present.status().code() != StatusCode::NotFound) {
    return present.status();
  }
  std::string uid = "standalone-";
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) {
    uid += kDigits[static_cast<std::size_t>(random.next() * 16)];
  }
  VKHOST_TRY(write_state_file(path, uid, Durability::PowerLoss));
  return uid;
}

}  // namespace

Result<std::unique_ptr<Surroundings>> make_standalone_surroundings(const config::Config& config,
                                                                   const Shared& shared) {
  const std::filesystem::path state(config.paths.state);
  VKHOST_TRY(make_private_folder(state));
  VKHOST_TRY_ASSIGN(std::string uid, folder_uid(state, *shared.random));
  VKHOST_TRY_ASSIGN(std::unique_ptr<StandaloneStore> store,
                    StandaloneStore::create(state / "pods", shared.clock, shared.log));
  return std::unique_ptr<Surroundings>(std::make_unique<StandaloneSurroundings>(
      config.standalone.manifests, std::move(store), std::move(uid), shared.log));
}

}  // namespace vkhost::daemon
