// ClientCertificate: a client certificate that the cluster issues to a node, and that is renewed
// before it expires.
//
// The first one is asked for with bootstrap credentials (a CertificateSigningRequest for the signer
// of kubelets' client certificates), each further one with the certificate before it; without a valid
// one the bootstrap credentials are used again. Each has a key of its own, which is kept, if it can be,
// before anything is asked with it, so that a daemon that starts again goes on with the same request.
//
// The API server's word against a new certificate is not believed at once, and the longer the more of them
// it refuses: with a signer that it doesn't trust, each would only be another object in the cluster.
//
// One thread between start() and stop(); credentials() may be used as long as it is held, also before
// start(). What fails is repeated with back-off, and warned of. [any-thread] unless it says otherwise.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/thread.hpp"
#include "http/certificate_request.hpp"
#include "kube/client.hpp"
#include "kube/credentials.hpp"
#include "observe/log.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

// Where the certificate and keys are kept; small texts by name. [may-block]
class CertificateStore {
 public:
  CertificateStore() = default;
  CertificateStore(const CertificateStore&) = delete;
  CertificateStore& operator=(const CertificateStore&) = delete;
  virtual ~CertificateStore() = default;
  // NOT_FOUND when there is none of that name.
  virtual Result<Secret> read(std::string_view name) = 0;
  // Private to this user, whole or not at all, and safe from a loss of power once OK was returned.
  virtual Status write(std::string_view name, const Secret& text) = 0;
};

// Its name in the store: key and certificate in one text, so that the two always fit.
inline constexpr std::string_view kKeptCertificate = "client.pem";

struct ClientCertificateSettings {
  std::string node_name;
  // Between two looks at a request that waits for its approval.
  BackoffLimits poll{std::chrono::milliseconds{250}, std::chrono::seconds{5}};
  BackoffLimits retry{std::chrono::seconds{1}, std::chrono::minutes{1}};
  // After a request that was denied, since each makes one more object.
  std::chrono::milliseconds after_refusal{std::chrono::minutes{10}};
  // For so long a new certificate is kept whatever the API server says; the longer the more were refused.
  BackoffLimits patience{std::chrono::minutes{2}, std::chrono::hours{1}};
  // How often somebody is told that a request still waits.
  std::chrono::milliseconds reminder{std::chrono::minutes{15}};
  // A certificate is looked at this often, since the wall clock may be set.
  std::chrono::milliseconds look{std::chrono::seconds{30}};
};

struct ClientCertificateParts {
  std::shared_ptr<Credentials> server;     // whom to trust; shows nobody's identity
  std::shared_ptr<Credentials> bootstrap;  // may ask for a first certificate
  // A client for the same server, for some requests.
  std::function<std::unique_ptr<Client>(std::shared_ptr<Credentials> credentials)> make_client;
  std::unique_ptr<CertificateStore> store;
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  observe::Logger log;
};

class ClientCertificate {
 public:
  ClientCertificate(ClientCertificateSettings settings, ClientCertificateParts parts);
  ~ClientCertificate();
  ClientCertificate(const ClientCertificate&) = delete;
  ClientCertificate& operator=(const ClientCertificate&) = delete;

  // While there is no certificate, current() waits for it until its deadline.
  [[nodiscard]] std::shared_ptr<Credentials> credentials() const;
  void start();
  void stop();  // [may-block]

 private:
  class Holder;
  enum class As { Bootstrap, Node };

  void run();
  void load();
  // Gets one more certificate and keeps it.
  Status renew(As who);
  Result<std::string> request(Client& client, const Secret& key);
  Result<std::string> wait_for_issue(Client& client, const std::string& name);
  Status accept(const std::string& certificate, const Secret& key);
  // FAILED_PRECONDITION unless it is one of this node, with this key, and not expired.
  [[nodiscard]] Result<http::CertificateFacts> check(std::string_view certificate,
                                                     const Secret& key) const;
  // Takes it into use; `from` is when its life begins to count.
  void install(std::string certificate,
               const Secret& key,
               const http::CertificateFacts& facts,
               WallTime from);
  [[nodiscard]] Status refused(std::string message);
  // That of the request under way, or a new one.
  Result<Secret> pending_key();
  void drop_pending_key();
  [[nodiscard]] CallOptions call_options() const;

  const ClientCertificateSettings settings_;
  const ClientCertificateParts parts_;
  CancelSource stop_;
  const std::shared_ptr<Holder> holder_;
  std::optional<Secret> pending_;  // only the thread; in the store as well, where that works
  Thread thread_;
};

}  // namespace vkhost::kube
