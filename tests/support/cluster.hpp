// Cluster: the real control plane that cluster tests talk to, with the verbs they are written in.
//
// In ctest all tests share one, started as a fixture and named by $VKHOST_CLUSTER; a test that is run
// by hand gets one of its own, as does one that asks for it with start(). Tests keep apart by
// namespaces and node names (unique_name()). Verbs throw std::runtime_error with the answer of the
// API server when it refuses. [any-thread] [may-block]
#pragma once

#include "support/api_client.hpp"
#include "support/certificates.hpp"
#include "support/child_process.hpp"
#include "support/fault_proxy.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

// The service account of packaging/rbac, with the roles of packaging/rbac: what the daemon is unless a
// test says otherwise.
inline constexpr std::string_view kDaemonUser = "system:serviceaccount:vkhost:vkhost";

class Cluster {
 public:
  static constexpr std::chrono::seconds kSoon{30};

  static Cluster& instance();
  // One more, stopped by the destructor. Options are those of the script `cluster start`.
  static std::unique_ptr<Cluster> start(const std::vector<std::string>& options = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // ---- who and where
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const std::string& ca_pem() const { return ca_.certificate_pem(); }
  [[nodiscard]] const CertificateAuthority& ca() const { return ca_; }
  // Of kDaemonUser, "admin", "vkhost" (no rights but those a test gives it) or "system:node:vk-0" …
  // "vk-9".
  [[nodiscard]] std::string token(std::string_view user) const;
  // Text of a kubeconfig: straight to the API server, or through a proxy.
  [[nodiscard]] std::string kubeconfig(std::string_view user) const;
  [[nodiscard]] std::string kubeconfig(std::string_view user, const FaultProxy& proxy) const;
  // The same for whoever holds a client certificate.
  [[nodiscard]] std::string kubeconfig(const IssuedCertificate& holder) const;
  [[nodiscard]] std::unique_ptr<FaultProxy> proxy(std::uint64_t seed = 1) const;
  [[nodiscard]] const std::filesystem::path& logs_dir() const { return logs_dir_; }
  [[nodiscard]] pid_t supervisor_pid() const { return supervisor_pid_; }
  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

  // ---- the API, as admin
  [[nodiscard]] ApiClient& api() { return api_; }
  std::string get(std::string_view path);
  std::string create(std::string_view path, std::string_view json);
  std::string patch(std::string_view path, std::string_view json);
  // Success too when there is no such object. With `grace_s` >= 0 that grace period.
  void remove(std::string_view path, int grace_s = -1);
  [[nodiscard]] bool exists(std::string_view path);
  // A new namespace in which pods are admitted; returns its name.
  [[nodiscard]] std::string create_namespace();
  // 36 of Kubernetes 1.36.
  [[nodiscard]] int minor_version() const { return minor_version_; }
  // Follows one object (path of the object, not of its collection) until `condition` holds for its
  // JSON text, "" while there is none; returns that text. Throws with the last state when `within`
  // passes first.
  std::string wait_for(std::string_view path,
                       const std::function<bool(const std::string& object)>& condition,
                       std::chrono::milliseconds within = kSoon);
  void wait_until_gone(std::string_view path, std::chrono::milliseconds within = kSoon);

  // kubectl as admin; `input` is what it reads from stdin.
  CommandResult kubectl(const std::vector<std::string>& arguments, std::string input = {});

  // "web-1234-5": different at every call, in every process.
  [[nodiscard]] static std::string unique_name(std::string_view prefix);

 private:
  // From the text of cluster.json.
  explicit Cluster(const std::string& facts);

  std::string facts_;
  int port_;
  CertificateAuthority ca_;
  std::filesystem::path work_dir_;
  std::filesystem::path logs_dir_;
  pid_t supervisor_pid_;
  std::vector<pid_t> pids_;
  int minor_version_;
  ApiClient api_;
  bool stop_at_the_end_ = false;
};

// Text of a kubeconfig for the server at `url`, identified by a token.
[[nodiscard]] std::string kubeconfig_text(std::string_view url,
                                          std::string_view ca_pem,
                                          std::string_view token);

}  // namespace vkhost::testing
