// What host/resolve asks of others, played by the test: objects held in memory and counted, events
// recorded, facts of a node as set. [any-thread] where the real ones are
#pragma once

#include "base/mutex.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/object_source.hpp"
#include "resolve/resolve_events.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

// Objects are put and failed by "Kind/namespace/name"; a list of services by "Services/namespace".
class FakeObjectSource final : public resolve::ObjectSource {
 public:
  void put(const std::string& key, std::string json) {
    MutexLock lock(mutex_);
    objects_[key] = std::move(json);
  }
  void fail(const std::string& key, Status status) {
    MutexLock lock(mutex_);
    failures_.insert_or_assign(key, std::move(status));
  }
  void heal(const std::string& key) {
    MutexLock lock(mutex_);
    failures_.erase(key);
  }
  [[nodiscard]] std::vector<std::string> reads() const {
    MutexLock lock(mutex_);
    return reads_;
  }

  Result<std::string> get_config_map(const std::string& object_namespace,
                                     const std::string& name,
                                     const CancelToken& /*cancel*/) override {
    return read("ConfigMap/" + object_namespace + "/" + name);
  }
  Result<std::string> get_secret(const std::string& object_namespace,
                                 const std::string& name,
                                 const CancelToken& /*cancel*/) override {
    return read("Secret/" + object_namespace + "/" + name);
  }
  Result<std::string> get_service(const std::string& object_namespace,
                                  const std::string& name,
                                  const CancelToken& /*cancel*/) override {
    return read("Service/" + object_namespace + "/" + name);
  }
  Result<std::string> list_services(const std::string& object_namespace,
                                    const CancelToken& /*cancel*/) override {
    auto list = read("Services/" + object_namespace);
    if (list.status().code() == StatusCode::NotFound) {
      return std::string(R"({"items":[]})");
    }
    return list;
  }

 private:
  Result<std::string> read(const std::string& key) {
    MutexLock lock(mutex_);
    reads_.push_back(key);
    if (const auto failure = failures_.find(key); failure != failures_.end()) {
      return failure->second;
    }
    const auto object = objects_.find(key);
    if (object == objects_.end()) {
      return not_found(key + " not found");
    }
    return object->second;
  }

  mutable Mutex mutex_;
  std::map<std::string, std::string> objects_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, Status> failures_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> reads_ VKHOST_GUARDED_BY(mutex_);
};

// "Reason: message" of each warning.
class RecordingResolveEvents final : public resolve::ResolveEvents {
 public:
  void warning(const kube::PodRecord& /*pod*/,
               std::string_view reason,
               std::string_view message) override {
    MutexLock lock(mutex_);
    lines_.push_back(std::string(reason) + ": " + std::string(message));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ VKHOST_GUARDED_BY(mutex_);
};

// Set before use, then only read.
class FakeNodeFacts final : public resolve::NodeFacts {
 public:
  std::vector<std::string> ips;
  std::map<std::string, std::string, std::less<>> amounts;

  [[nodiscard]] std::vector<std::string> host_ips() const override { return ips; }
  [[nodiscard]] std::optional<std::string> allocatable(std::string_view resource) const override {
    const auto amount = amounts.find(resource);
    return amount == amounts.end() ? std::nullopt : std::optional(amount->second);
  }
};

}  // namespace vkhost::testing
