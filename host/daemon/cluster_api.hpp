// The API server as the pod engine wants it: PodApi, EventSink and PodSource over kube.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "daemon/pod_source.hpp"
#include "kube/client.hpp"
#include "kube/events.hpp"
#include "kube/pod_watch.hpp"
#include "observe/log.hpp"
#include "pods/interfaces.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace vkhost::daemon {

class ClusterPodApi final : public pods::PodApi {
 public:
  explicit ClusterPodApi(kube::Client& client) : client_(client) {}

  // A write of a status is under way.
  [[nodiscard]] bool is_writing() const { return writes_.load() > 0; }

  Result<std::string> patch_status(const kube::PodRecord& pod,
                                   const pods::StatusPatch& patch,
                                   const CancelToken& cancel) override;
  Status remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) override;
  Result<kube::PodPtr> read_pod(const std::string& pod_namespace,
                                const std::string& name,
                                const std::string& node_name,
                                const CancelToken& cancel) override;

 private:
  kube::Client& client_;
  std::atomic<int> writes_{0};
};

class ClusterEvents final : public pods::EventSink {
 public:
  explicit ClusterEvents(kube::EventWriter& writer) : writer_(writer) {}
  void pod_event(const kube::PodRecord& pod, const pods::Happening& what) override;
  void node_event(std::string_view node_name, const pods::Happening& what) override;
  [[nodiscard]] bool takes_normal() const override { return writer_.takes_normal(); }

 private:
  kube::EventWriter& writer_;
};

// The pods bound to a node, by list and watch.
class ClusterPodSource final : public PodSource {
 public:
  struct Parts {
    kube::Client& client;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    kube::WatchLoop& watches;
    observe::Metrics* metrics = nullptr;  // null: nothing is counted
  };
  ClusterPodSource(std::string only_namespace, bool stream_lists, Parts parts);

  Status start(const std::string& node_name, kube::PodListener* listener) override;
  void stop() override;

 private:
  const std::string only_namespace_;
  const bool stream_lists_;
  const Parts parts_;
  std::unique_ptr<kube::PodWatch> watch_;
};

}  // namespace vkhost::daemon
