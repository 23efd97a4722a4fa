#include "http/client_authority.hpp"

#include "http/openssl_types.hpp"
#include "support/certificates.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::CertificateAuthority;
using testing::CertificateRequest;
using testing::CertificateUse;
using testing::IssuedCertificate;

std::vector<std::string> der_chain(const IssuedCertificate& issued) {
  auto read = read_certificates(issued.certificate_pem, "chain");
  EXPECT_TRUE(read.is_ok());
  std::vector<std::string> chain;
  for (const auto& certificate : *read) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    chain.emplace_back(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
  }
  return chain;
}

CertificateRequest api_server() {
  return {.common_name = "kube-apiserver-kubelet-client",
          .organizations = {"kubeadm:cluster-admins", "second"},
          .use = CertificateUse::Client};
}

WallTime now() { return std::chrono::system_clock::now(); }

TEST(ClientAuthority, BelievesWhatItsAuthoritiesSigned) {
  const CertificateAuthority ours;
  const auto authority = *ClientAuthority::create(ours.certificate_pem());

  const PeerCertificate peer = authority->examine(der_chain(ours.issue(api_server())), now());

  EXPECT_TRUE(peer.verified) << peer.problem;
  EXPECT_EQ(peer.common_name, "kube-apiserver-kubelet-client");
  EXPECT_EQ(peer.organizations, (std::vector<std::string>{"kubeadm:cluster-admins", "second"}));
  EXPECT_EQ(peer.sha256.size(), 64U);
}

TEST(ClientAuthority, FollowsIntermediateCertificatesOfTheClient) {
  const CertificateAuthority ours;
  const auto authority = *ClientAuthority::create(ours.certificate_pem());
  const auto middle = ours.intermediate("middle");

  EXPECT_TRUE(authority->examine(der_chain(middle.issue(api_server())), now()).verified);
}

struct DoubtfulClient {
  std::string what;
  std::vector<std::string> chain;
};

TEST(ClientAuthority, SaysWhyItBelievesNoOther) {
  const CertificateAuthority ours;
  const CertificateAuthority stranger;  // same name, other key
  const auto authority = *ClientAuthority::create(ours.certificate_pem());
  CertificateRequest expired = api_server();
  expired.ends = -60s;
  CertificateRequest server = api_server();
  server.use = CertificateUse::Server;
  auto cut = der_chain(ours.intermediate("middle").issue(api_server()));
  cut.resize(1);
  const std::vector<DoubtfulClient> cases = {
      {"of a stranger with the same name", der_chain(stranger.issue(api_server()))},
      {"expired", der_chain(ours.issue(expired))},
      {"for servers", der_chain(ours.issue(server))},
      {"without its intermediate certificate", cut},
      {"damaged", {"nonsense"}},
      {"missing", {}},
  };

  for (const DoubtfulClient& c : cases) {
    const PeerCertificate peer = authority->examine(c.chain, now());

    EXPECT_FALSE(peer.verified) << c.what;
    EXPECT_FALSE(peer.problem.empty()) << c.what;
  }
}

TEST(ClientAuthority, ChecksByTheTimeItIsGiven) {
  const CertificateAuthority ours;
  const auto authority = *ClientAuthority::create(ours.certificate_pem());
  const auto chain = der_chain(ours.issue(api_server()));

  EXPECT_TRUE(authority->examine(chain, now()).verified);
  EXPECT_FALSE(authority->examine(chain, now() + std::chrono::hours{48}).verified);
}

TEST(ClientAuthority, BelievesNobodyWithoutABundle) {
  const CertificateAuthority ours;
  const auto authority = *ClientAuthority::create("");

  const PeerCertificate peer = authority->examine(der_chain(ours.issue(api_server())), now());

  EXPECT_FALSE(peer.verified);
  EXPECT_NE(peer.problem.find("configured"), std::string::npos);
}

TEST(ClientAuthority, IsReplacedWhileInUseAndKeepsTheOldBundleOnFailure) {
  const CertificateAuthority first("first");
  const CertificateAuthority second("second");
  const auto authority = *ClientAuthority::create(first.certificate_pem());
  const auto chain = der_chain(second.issue(api_server()));
  const auto generation = authority->generation();

  EXPECT_EQ(authority->replace("nonsense").code(), StatusCode::InvalidArgument);
  EXPECT_EQ(authority->generation(), generation);
  EXPECT_FALSE(authority->examine(chain, now()).verified);

  EXPECT_TRUE(authority->replace(second.certificate_pem()).is_ok());
  EXPECT_NE(authority->generation(), generation);
  EXPECT_TRUE(authority->examine(chain, now()).verified);
}

}  // namespace
}  // namespace vkhost::http
