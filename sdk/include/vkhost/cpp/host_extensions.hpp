// The host's optional services in C++: events, metrics, evictions, a little state. Each class is a
// value made from a Host; where the host lacks the service, calls answer Code::Unimplemented, so
// that a provider for which it is a nicety needs no branch. One that cannot do without it calls
// Host::require_extension in its constructor. [any-thread]; [no-block] but for State::put.
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/cpp/host.hpp>
#include <vkhost/ext/host_events.h>
#include <vkhost/ext/host_evict.h>
#include <vkhost/ext/host_metrics.h>
#include <vkhost/ext/host_state.h>
#include <vkhost/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::sdk {

template <>
struct HostExtensionId<vkp_host_events> {
  static constexpr const char* kValue = VKP_EXT_HOST_EVENTS;
};
template <>
struct HostExtensionId<vkp_host_metrics> {
  static constexpr const char* kValue = VKP_EXT_HOST_METRICS;
};
template <>
struct HostExtensionId<vkp_host_evict> {
  static constexpr const char* kValue = VKP_EXT_HOST_EVICT;
};
template <>
struct HostExtensionId<vkp_host_state> {
  static constexpr const char* kValue = VKP_EXT_HOST_STATE;
};

enum class EventType : std::int32_t { Normal = VKP_EVENT_NORMAL, Warning = VKP_EVENT_WARNING };

struct Event {
  std::string_view pod_uid;  // empty: about the node
  std::string_view reason;   // one CamelCase word
  std::string_view message;
  std::string_view key;               // the same key again is no new event
  std::int64_t occurred_unix_ns = 0;  // 0: now
  EventType type = EventType::Normal;
};

class Events {
 public:
  explicit Events(Host host) noexcept : host_(host), table_(host.extension<vkp_host_events>()) {}

  Code emit(const Event& event) const noexcept {
    if (table_ == nullptr) {
      return Code::Unimplemented;
    }
    auto raw = sized<vkp_event>();
    raw.pod_uid = str(event.pod_uid);
    raw.reason = str(event.reason);
    raw.message = str(event.message);
    raw.key = str(event.key);
    raw.occurred_unix_ns = event.occurred_unix_ns;
    raw.type = static_cast<std::int32_t>(event.type);
    return static_cast<Code>(table_->emit(host_.raw(), &raw));
  }

 private:
  Host host_;
  const vkp_host_events* table_;
};

class Evictions {
 public:
  explicit Evictions(Host host) noexcept : host_(host), table_(host.extension<vkp_host_evict>()) {}

  // The host calls delete_pod and marks the pod Failed with this reason. Without a grace: the pod's
  // own.
  Code evict(std::string_view uid,
             std::string_view reason,
             std::string_view message,
             std::optional<std::chrono::milliseconds> grace = std::nullopt) const noexcept {
    if (table_ == nullptr) {
      return Code::Unimplemented;
    }
    auto raw = sized<vkp_evict_request>();
    raw.uid = str(uid);
    raw.reason = str(reason);
    raw.message = str(message);
    raw.grace_ms = grace ? grace->count() : -1;
    return static_cast<Code>(table_->evict(host_.raw(), &raw));
  }

 private:
  Host host_;
  const vkp_host_evict* table_;
};

// Hints that outlive the process: up to 16 keys of 1 KiB. Never secrets, never the truth.
class State {
 public:
  explicit State(Host host) noexcept : host_(host), table_(host.extension<vkp_host_state>()) {}

  // Ok means durable; blocks for one write. An empty value removes the key.
  [[nodiscard]] Code put(std::string_view key, std::string_view value) const noexcept {
    return table_ == nullptr ? Code::Unimplemented
                             : static_cast<Code>(table_->put(host_.raw(), key.data(), key.size(),
                                                             value.data(), value.size()));
  }

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    struct Sink : vkp_text_sink {
      std::string text;
    };
    Sink sink{};
    sink.size = sizeof(vkp_text_sink);
    sink.put = [](const vkp_text_sink* self, const char* text, std::size_t size) -> vkp_code {
      // The host gives back the sink that it was lent, hence not const.
      const_cast<Sink*>(static_cast<const Sink*>(self))->text.assign(text, size);
      return VKP_OK;
    };
    const bool found =
        table_ != nullptr && table_->get(host_.raw(), key.data(), key.size(), &sink) == VKP_OK;
    return found ? std::optional<std::string>(sink.text) : std::nullopt;
  }

 private:
  Host host_;
  const vkp_host_state* table_;
};

// One metric in the host's exposition; see vkp_host_metrics. Make it once (in init or in the
// constructor), keep it, record on it. When the host refuses or lacks metrics, recording does
// nothing.
class Metric {
 public:
  static Metric counter(Host host,
                        std::string_view name,
                        std::string_view help,
                        std::initializer_list<std::string_view> labels = {}) {
    return Metric(host, VKP_METRIC_COUNTER, name, help, labels, {});
  }
  static Metric gauge(Host host,
                      std::string_view name,
                      std::string_view help,
                      std::initializer_list<std::string_view> labels = {}) {
    return Metric(host, VKP_METRIC_GAUGE, name, help, labels, {});
  }
  // `buckets`: upper bounds, ascending, without infinity.
  static Metric histogram(Host host,
                          std::string_view name,
                          std::string_view help,
                          std::initializer_list<double> buckets,
                          std::initializer_list<std::string_view> labels = {}) {
    return Metric(host, VKP_METRIC_HISTOGRAM, name, help, labels, buckets);
  }

  // Counter: adds `value`; gauge: sets it; histogram: observes it.
  void record(double value, std::initializer_list<std::string_view> label_values = {}) const {
    if (table_ != nullptr) {
      const std::vector<vkp_str> values = strings(label_values);
      table_->record(host_.raw(), id_, values.data(), values.size(), value);
    }
  }

  // Why nothing is recorded; Ok when all is well.
  [[nodiscard]] Code registered() const noexcept { return registered_; }

 private:
  Metric(Host host,
         std::int32_t kind,
         std::string_view name,
         std::string_view help,
         std::initializer_list<std::string_view> labels,
         std::initializer_list<double> buckets)
      : host_(host), table_(host.extension<vkp_host_metrics>()) {
    if (table_ == nullptr) {
      return;
    }
    const std::vector<vkp_str> names = strings(labels);
    auto raw = sized<vkp_metric>();
    raw.name = str(name);
    raw.help = str(help);
    raw.label_count = names.size();
    raw.labels = names.data();
    raw.bucket_count = buckets.size();
    raw.buckets = buckets.begin();
    raw.kind = kind;
    registered_ = static_cast<Code>(table_->register_metric(host.raw(), &raw, &id_));
    if (registered_ != Code::Ok) {
      table_ = nullptr;
    }
  }

  static std::vector<vkp_str> strings(std::initializer_list<std::string_view> texts) {
    std::vector<vkp_str> result;
    result.reserve(texts.size());
    for (const std::string_view text : texts) {
      result.push_back(str(text));
    }
    return result;
  }

  Host host_;
  const vkp_host_metrics* table_;
  std::uint64_t id_ = 0;
  Code registered_ = Code::Unimplemented;
};

}  // namespace vkhost::sdk
