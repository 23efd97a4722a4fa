// Host: what a provider instance may ask of the daemon. A value to copy freely: it names the
// instance, and stays valid until the process ends. [any-thread]; [no-block] but for save_handle.
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/provider.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::sdk {

enum class LogLevel : std::int32_t {
  Trace = VKP_LOG_TRACE,
  Debug = VKP_LOG_DEBUG,
  Info = VKP_LOG_INFO,
  Warn = VKP_LOG_WARN,
  Error = VKP_LOG_ERROR,
};

// News of one pod; see vkp_pod_change, also for what `gone` and `error` mean. What is empty says
// nothing.
struct PodChange {
  std::string_view uid;
  std::uint64_t seq = 0;  // taken when the read of the back end began
  std::string_view status_json;
  std::string_view annotations_json;
  const Error* error = nullptr;  // accepted work has failed; the host repeats as it advises
  bool gone = false;
};

// Numbers for PodChange::seq: one counter for all pods of an instance is enough.
class Sequence {
 public:
  [[nodiscard]] std::uint64_t next() noexcept { return last_.fetch_add(1) + 1; }

 private:
  std::atomic<std::uint64_t> last_{0};
};

// The id under which the host offers a table; specialised for each in host_extensions.hpp.
template <class Table>
struct HostExtensionId;

class Host {
 public:
  Host() = default;
  explicit Host(const vkp_host* raw) noexcept : raw_(raw) {}

  // `fields_json` is an object of strings, numbers and booleans. Never a secret.
  void log(LogLevel level,
           std::string_view message,
           std::string_view pod_uid = {},
           std::string_view fields_json = {}) const noexcept {
    auto entry = sized<vkp_log_entry>();
    entry.message = str(message);
    entry.pod_uid = str(pod_uid);
    entry.fields_json = str(fields_json);
    entry.level = static_cast<std::int32_t>(level);
    raw_->log(raw_, &entry);
  }

  // From the beginning of start on; of a new pod from the beginning of its create_pod on. NotFound:
  // no such pod here; InvalidArgument: nothing was taken; Cancelled: the instance is being stopped.
  Code pod_changed(const PodChange& news) const noexcept {
    auto change = sized<vkp_pod_change>();
    change.uid = str(news.uid);
    change.seq = news.seq;
    change.status_json = str(news.status_json);
    change.annotations_json = str(news.annotations_json);
    std::optional<vkp_error> error;
    if (news.error != nullptr) {
      error = news.error->raw();
      change.error = &*error;
    }
    change.gone = news.gone;
    return static_cast<Code>(raw_->pod_changed(raw_, &change));
  }

  // The host calls Provider::node again soon.
  Code node_changed() const noexcept { return static_cast<Code>(raw_->node_changed(raw_)); }

  // Ok means durable. Blocks for one write to the API server. To be called, and waited for, before
  // a request that creates something which cannot be found by UID.
  [[nodiscard]] Code save_handle(std::string_view uid, std::string_view handle) const noexcept {
    return static_cast<Code>(
        raw_->save_handle(raw_, uid.data(), uid.size(), handle.data(), handle.size()));
  }

  // Table of a host extension (vkp_host_events, …), or null when this host has none.
  template <class Table>
  [[nodiscard]] const Table* extension() const noexcept {
    return static_cast<const Table*>(extension(HostExtensionId<Table>::kValue));
  }
  [[nodiscard]] const void* extension(std::string_view id) const noexcept {
    return raw_->get_extension(raw_, id.data(), id.size());
  }
  // The same for one that the provider cannot do without: throws FailedPrecondition, naming it.
  template <class Table>
  [[nodiscard]] const Table& require_extension() const {
    const Table* table = extension<Table>();
    if (table == nullptr) {
      throw Error(Code::FailedPrecondition, "HostExtensionMissing",
                  std::string("this provider needs the host extension ") +
                      HostExtensionId<Table>::kValue + ", which this host does not have");
    }
    return *table;
  }

  [[nodiscard]] const vkp_host* raw() const noexcept { return raw_; }

 private:
  const vkp_host* raw_ = nullptr;
};

}  // namespace vkhost::sdk
