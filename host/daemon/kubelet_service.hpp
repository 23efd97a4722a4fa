// KubeletService: the kubelet API of all nodes of the process: one server, a port for each node, one
// certificate, one idea of who may. Also keeps the client authority fresh and answers what the
// handler asks about pods.
//
// [startup] to build and to add nodes; the lookups are [any-thread].
#pragma once

#include "base/cancel.hpp"
#include "base/mutex.hpp"
#include "config/config.hpp"
#include "daemon/node_plan.hpp"
#include "daemon/runtime_file.hpp"
#include "daemon/surroundings.hpp"
#include "http/server.hpp"
#include "kube/object_watch.hpp"
#include "kubelet/access.hpp"
#include "kubelet/kubelet_handler.hpp"
#include "kubelet/pod_lookup.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::daemon {

class VirtualNode;

class KubeletService final : public kubelet::PodLookup, private kube::ObjectListener {
 public:
  // `api` null: standalone, where only the owner's token counts. Fails with what is wrong with
  // certificates or addresses.
  static Result<std::unique_ptr<KubeletService>> create(const config::Config& config,
                                                        kube::Client* api,
                                                        const Shared& shared);
  ~KubeletService() override;
  KubeletService(const KubeletService&) = delete;
  KubeletService& operator=(const KubeletService&) = delete;

  // Listens for one node; `index` is its place in the configuration.
  Result<Endpoint> listen(const config::NodeConfig& node, std::size_t index);
  // From now on that port answers for this node, which outlives stop().
  void serve(const Endpoint& endpoint, const VirtualNode& node, std::string provider);
  void start();
  void stop();

  // The files with certificates that this configuration names.
  [[nodiscard]] static std::vector<std::filesystem::path> certificate_files(
      const config::Config& config);
  // Reads and checks them, and changes nothing: what comes back takes them into use, for connections that
  // begin then, and says whether runtime_file() is another one now. The authority for clients is that of
  // the same file as at the start. One at a time. [may-block]
  [[nodiscard]] Result<std::function<bool()>> prepare_certificates(const config::Config& config);

  // How `vkhost get` of the same user gets in.
  [[nodiscard]] RuntimeFile runtime_file() const;
  // Whether somebody answers at the advertised address. [may-block]
  [[nodiscard]] Status check_endpoint(const Endpoint& endpoint, const CancelToken& cancel) const;

  // kubelet::PodLookup
  [[nodiscard]] std::string node_at(int local_port) const override;
  [[nodiscard]] std::vector<kubelet::PodState> pods(const std::string& node_name) const override;
  [[nodiscard]] std::optional<kubelet::NodeState> node(const std::string& node_name) const override;

 private:
  struct Served {
    const VirtualNode* node = nullptr;
    std::string provider;
  };
  struct Certificates {
    std::shared_ptr<http::TlsIdentity> identity;
    std::string certificate_pem;
    std::string authority_pem;  // empty: the cluster's
    std::shared_ptr<http::ClientAuthority> clients;
  };

  KubeletService(const config::Config& config, kube::Client* api, const Shared& shared);
  Status prepare();
  [[nodiscard]] Result<Certificates> make_certificates(const config::KubeletConfig& config) const;
  [[nodiscard]] const Served* find(const std::string& node_name) const VKHOST_REQUIRES(mutex_);

  // kube::ObjectListener: the ConfigMap with the cluster's client authority.
  void object_changed(std::string json) override;
  void object_gone() override;
  void take_authority(const std::string& json);
  void wait_for_authority(const CancelToken& cancel) const;

  const config::KubeletConfig config_;
  bool has_files_;  // the serving certificate stands in some
  std::vector<std::string> node_names_;
  const std::vector<std::string> advertised_;  // at least one
  kube::Client* const api_;
  const Shared shared_;
  const Secret owner_token_;

  std::unique_ptr<kubelet::Reviewer> reviewer_;
  std::unique_ptr<kubelet::Access> access_;
  Certificates certificates_;  // certificate_pem is guarded by mutex_
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<kube::ObjectWatch> authority_watch_;
  // Fired when the cluster has said which client authority it has, or was waited for long enough.
  mutable CancelSource authority_told_;

  mutable Mutex mutex_;
  std::map<int, Served> served_ VKHOST_GUARDED_BY(mutex_);  // by port
};

// The address by which other machines most likely reach this one; no packet is sent.
[[nodiscard]] std::string primary_address();

// Those that a node has in the cluster. The first is that of the node's pods too; one more at most, of the
// other family. An entry that is no address is given back as it stands.
[[nodiscard]] std::vector<std::string> advertised_addresses(const config::Config& config);

}  // namespace vkhost::daemon
