#include "plugin/library.hpp"

#include "base/json_text.hpp"
#include "base/thread_pool.hpp"
#include "plugin/abi_read.hpp"
#include "plugin/adapter.hpp"
#include "plugin/elf_descriptor.hpp"
#include "plugin/plugin_call.hpp"
#include "plugin/shared_object.hpp"

#include <vkhost/provider.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <utility>

namespace vkhost::plugin {
namespace {

// The members that both sides know. The table has its size in its third place, so read_struct
// cannot do it.
vkp_plugin_table read_table(const vkp_plugin_table* from) {
  vkp_plugin_table table{};
  const std::size_t known = std::min<std::uint64_t>(from->size, sizeof(table));
  std::memcpy(&table, from, known & ~std::size_t{7});
  return table;
}

// The names of required functions that are null; empty when all are there.
std::string missing_functions(const vkp_plugin_table& table) {
  std::string missing;
  const auto need = [&](bool there, const char* name) {
    if (!there) {
      missing += (missing.empty() ? "" : ", ") + std::string(name);
    }
  };
  need(table.describe != nullptr, "describe");
  need(table.init != nullptr, "init");
  need(table.check_config != nullptr, "check_config");
  need(table.create != nullptr, "create");
  need(table.capabilities != nullptr, "capabilities");
  need(table.node != nullptr, "node");
  need(table.ping != nullptr, "ping");
  need(table.recover_pods != nullptr, "recover_pods");
  need(table.start != nullptr, "start");
  need(table.create_pod != nullptr, "create_pod");
  need(table.update_pod != nullptr, "update_pod");
  need(table.delete_pod != nullptr, "delete_pod");
  need(table.list_pods != nullptr, "list_pods");
  need(table.stop != nullptr, "stop");
  need(table.destroy != nullptr, "destroy");
  need(table.shutdown != nullptr, "shutdown");
  return missing;
}

Status in_file(const std::filesystem::path& path, const Status& status) {
  return status.while_doing("plugin " + path.string());
}

}  // namespace

struct Loader::Parts {
  Parts(LoaderSettings with,
        const Clock& with_clock,
        observe::Logger with_log,
        std::shared_ptr<observe::Metrics> with_metrics)
      : settings(with),
        clock(with_clock),
        log(std::move(with_log)),
        metrics(std::move(with_metrics)),
        threads(with_clock, thread_settings(with)) {}

  static ThreadPoolSettings thread_settings(const LoaderSettings& from) {
    ThreadPoolSettings threads;
    threads.name = "plugin-call";
    threads.kept_idle = 1;
    threads.idle_limit = std::chrono::seconds{2};
    threads.end_limit = from.end_limit;
    return threads;
  }

  const LoaderSettings settings;
  const Clock& clock;
  const observe::Logger log;
  const std::shared_ptr<observe::Metrics> metrics;
  ThreadPool threads;
  const StuckTotal stuck = std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<std::unique_ptr<Loaded>> libraries;
};

// ---- Loaded: one library ----

class Loader::Loaded final : public Library {
 public:
  Loaded(Parts& parts, OpenedFile file)
      : parts_(parts),
        log_(parts.log),
        file_(std::make_shared<OpenedFile>(std::move(file))),
        path_(file_->path),
        name_(path_.filename().string()) {}

  // Maps the library and makes it ready. What fails stays the answer to every later load.
  const Status& open() {
    state_ = make_ready();
    return state_;
  }

  [[nodiscard]] bool is(const OpenedFile& file) const {
    return file_->device == file.device && file_->inode == file.inode;
  }
  [[nodiscard]] const Status& state() const { return state_; }
  [[nodiscard]] bool is_idle() const { return calls_->stuck() == 0 && uses_.use_count() == 1; }

  void shut_down() {
    if (!initialised_) {
      return;
    }
    const Status done = calls_->run({"shutdown", "shutdown"}, load_options(),
                                    std::make_shared<Sink>(), [end = table_.shutdown](const auto&) {
                                      end();
                                      return VKP_OK;
                                    });
    if (!done.is_ok()) {
      log_.error("shutting the plugin down failed", {observe::error_field(done)});
    }
    host_->close();
  }

  // ---- Library ----

  [[nodiscard]] const PluginDescription& description() const override { return description_; }
  [[nodiscard]] const std::filesystem::path& path() const override { return path_; }
  [[nodiscard]] const std::string& sha256() const override { return file_->sha256; }

  [[nodiscard]] bool supports(std::string_view extension) const override {
    if (table_.get_extension == nullptr) {
      return false;
    }
    const auto found = std::make_shared<std::atomic<bool>>(false);
    const Status asked =
        calls_->run({"get_extension", "get_extension"}, load_options(), std::make_shared<Sink>(),
                    [get = table_.get_extension, id = std::string(extension), found](const auto&) {
                      found->store(get(id.data(), id.size()) != nullptr);
                      return VKP_OK;
                    });
    return asked.is_ok() && found->load();
  }

  Result<std::vector<ConfigProblem>> check_config(std::string_view config_json,
                                                  const CallOptions& options) override {
    const auto sink = std::make_shared<ProblemSink>();
    VKHOST_TRY(calls_->run(
        {"check_config", "check_config"}, options, sink,
        [check = table_.check_config, config = std::string(config_json)](const CallPointers& to) {
          return check(to.call, config.data(), config.size(), to.problems);
        }));
    return sink->problems();
  }

  Result<std::unique_ptr<Provider>> create(const InstanceRequest& request,
                                           ProviderListener& listener,
                                           const CallOptions& options) override {
    VKHOST_TRY(validate_json_object(request.config_json, VKP_MAX_JSON_DEPTH));
    VKHOST_TRY(validate_json_object(request.info_json, VKP_MAX_JSON_DEPTH));
    HostTable& host =
        HostTable::for_instance(log_, listener, description_.annotation_prefixes, metrics_);
    CallParts calls = call_parts();
    calls.metrics = std::make_shared<CallMetrics>(
        parts_.metrics, request.provider.empty() ? name_ : request.provider);
    Result<std::unique_ptr<Adapter>> adapter =
        Adapter::create({table_, std::move(calls), uses_}, request, host, options);
    if (!adapter.is_ok()) {
      host.close();
      return in_file(path_, adapter.status());
    }
    return std::unique_ptr<Provider>(*std::move(adapter));
  }

 private:
  [[nodiscard]] CallParts call_parts() const {
    const LoaderSettings& settings = parts_.settings;
    return {name_,
            parts_.threads,
            parts_.clock,
            log_,
            {settings.call_grace, settings.default_deadline, settings.max_stuck_calls},
            parts_.stuck,
            nullptr};
  }

  [[nodiscard]] CallOptions load_options() const {
    CallOptions options;
    options.deadline = Deadline::after(parts_.clock, parts_.settings.load_deadline);
    return options;
  }

  Status make_ready() {
    calls_ = std::make_unique<PluginCalls>(call_parts());
    VKHOST_TRY(map());
    VKHOST_TRY(describe());
    name_ = description_.name;
    log_ = log_.with({{"provider", name_}});
    calls_ = std::make_unique<PluginCalls>(call_parts());
    return init();
  }

  // Constructors of the library run in here, so it happens on a thread that may be lost.
  Status map() {
    const auto mapped = std::make_shared<Result<const vkp_plugin_table*>>(internal_error(""));
    VKHOST_TRY(calls_->run({"loading", "loading"}, load_options(), std::make_shared<Sink>(),
                           [mapped, file = file_](const auto&) {
                             *mapped = load_shared_object(*file);
                             return VKP_OK;
                           }));
    VKHOST_TRY_ASSIGN(const vkp_plugin_table* const table, *mapped);
    table_ = read_table(table);
    VKHOST_TRY(check_plugin_head({table_.magic, table_.abi_major, table_.abi_minor, table_.size}));
    const std::string missing = missing_functions(table_);
    return missing.empty()
               ? Status::ok()
               : invalid_argument("its table vkp_plugin lacks functions that every plugin needs: " +
                                  missing);
  }

  Status describe() {
    const auto sink = std::make_shared<TextSink>(VKP_MAX_DESCRIBE_BYTES);
    VKHOST_TRY(calls_->run({"describe", "describe"}, load_options(), sink,
                           [describe = table_.describe](const CallPointers& to) {
                             return describe(to.call, to.text);
                           }));
    const std::optional<std::string> text = sink->text();
    if (!text) {
      return calls_->empty_result("describe");
    }
    Result<PluginDescription> parsed = parse_description(*text);
    if (!parsed.is_ok()) {
      return calls_->invalid_result("describe", parsed.status().message());
    }
    description_ = std::move(*parsed);
    return Status::ok();
  }

  Status init() {
    metrics_ = std::make_shared<LibraryMetrics>(parts_.metrics, path_.string(),
                                                description_.metric_prefixes);
    host_ = &HostTable::for_library(log_, metrics_);
    VKHOST_TRY(calls_->run({"init", "init"}, load_options(), std::make_shared<Sink>(),
                           [init = table_.init, abi = host_->abi()](const CallPointers& to) {
                             return init(to.call, abi);
                           }));
    initialised_ = true;
    return Status::ok();
  }

  Parts& parts_;
  observe::Logger log_;
  const std::shared_ptr<OpenedFile> file_;
  const std::filesystem::path path_;
  std::string name_;  // of the file until describe has given a better one
  vkp_plugin_table table_{};
  std::unique_ptr<PluginCalls> calls_;
  PluginDescription description_;
  std::shared_ptr<LibraryMetrics> metrics_;  // from init on
  HostTable* host_ = nullptr;                // as well
  // Held by every instance that is not destroyed.
  const std::shared_ptr<int> uses_ = std::make_shared<int>(0);
  bool initialised_ = false;
  Status state_;
};

// ---- Loader ----

Loader::Loader(LoaderSettings settings,
               const Clock& clock,
               observe::Logger log,
               std::shared_ptr<observe::Metrics> metrics)
    : parts_(std::make_unique<Parts>(settings, clock, std::move(log), std::move(metrics))) {}

Loader::~Loader() {
  for (std::unique_ptr<Loaded>& library : parts_->libraries) {
    if (library->is_idle()) {
      library->shut_down();
    } else {
      parts_->log.error("a plugin is not shut down, as calls or instances of it are left",
                        {{"file", library->path().string()}});
      // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): without memory the process ends anyway
      static auto* const left = new std::vector<std::unique_ptr<Loaded>>;
      left->push_back(std::move(library));  // what still runs may look at it
    }
  }
}

Result<Library*> Loader::load(const LoadRequest& request) {
  Result<OpenedFile> file = open_plugin_file(request.path, request.trust, request.sha256);
  if (!file.is_ok()) {
    return in_file(request.path, file.status());
  }
  for (const std::unique_ptr<Loaded>& library : parts_->libraries) {
    if (library->is(*file)) {
      if (!library->state().is_ok()) {
        return in_file(request.path, library->state());
      }
      return library.get();
    }
  }
  const Result<PluginHead> head = read_plugin_head(file->descriptor.get(), file->size);
  const Status fits = head.is_ok() ? check_plugin_head(*head) : head.status();
  if (!fits.is_ok()) {
    return in_file(request.path, fits);
  }
  parts_->libraries.push_back(std::make_unique<Loaded>(*parts_, std::move(*file)));
  Loaded& library = *parts_->libraries.back();
  if (const Status& state = library.open(); !state.is_ok()) {
    return in_file(request.path, state);
  }
  const PluginDescription& about = library.description();
  parts_->log.info("plugin loaded", {{"provider", about.name},
                                     {"version", about.version},
                                     {"file", library.path().string()},
                                     {"sha256", library.sha256()}});
  return &library;
}

std::size_t Loader::stuck_calls() const { return parts_->stuck->load(); }

}  // namespace vkhost::plugin
