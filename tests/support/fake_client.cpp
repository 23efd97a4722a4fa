#include "support/fake_client.hpp"

#include "kube/api_client.hpp"

#include <chrono>
#include <utility>

namespace vkhost::testing {
namespace {

class FixedCredentials final : public kube::Credentials {
 public:
  Result<kube::Identity> current(Deadline /*deadline*/, const CancelToken& /*cancel*/) override {
    kube::Identity identity;
    identity.authorization = Secret("Bearer test");
    identity.tls = tls_;
    identity.generation = 1;
    return identity;
  }
  void reject(std::uint64_t /*generation*/) override {}

 private:
  std::shared_ptr<const http::ClientTls> tls_ = std::make_shared<http::ClientTls>();
};

}  // namespace

std::unique_ptr<kube::Client> client_on(std::shared_ptr<FakeServer> server) {
  kube::ClientSettings settings;
  settings.server = "https://127.0.0.1:6443";
  settings.retry = {std::chrono::milliseconds{1}, std::chrono::milliseconds{2}};
  kube::ClientParts parts;
  parts.credentials = std::make_shared<FixedCredentials>();
  parts.clock = std::make_shared<SystemClock>();
  parts.random = std::make_shared<SeededRandom>(1);
  parts.make_transport =
      [server = std::move(server)](
          const http::TransportSettings&) -> Result<std::unique_ptr<http::Transport>> {
    return std::unique_ptr<http::Transport>(std::make_unique<FakeTransport>(server));
  };
  return kube::make_client(std::move(settings), std::move(parts));
}

}  // namespace vkhost::testing
