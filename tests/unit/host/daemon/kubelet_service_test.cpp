#include "daemon/kubelet_service.hpp"

#include "support/certificates.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace vkhost::daemon {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class KubeletServiceTest : public ::testing::Test {
 protected:
  KubeletServiceTest() {
    config_.kubelet.listen = config::Listen{"127.0.0.1", 0, 0, false};
    config_.nodes.resize(1);
    config_.nodes[0].name = "virtual";
  }
  Status create() {
    auto made = KubeletService::create(config_, nullptr, shared_);
    if (made.is_ok()) {
      service_ = std::move(*made);
    }
    return made.status();
  }

  config::Config config_;
  Shared shared_{std::make_shared<SystemClock>(), std::make_shared<SeededRandom>(1), {}};
  std::unique_ptr<KubeletService> service_;
};

TEST_F(KubeletServiceTest, AnswersAtTheAddressThatItAdvertises) {
  ASSERT_TRUE(create().is_ok());

  const auto endpoint = service_->listen(config_.nodes[0], 0);

  ASSERT_TRUE(endpoint.is_ok()) << endpoint.status().to_string();
  EXPECT_EQ(endpoint->address, "127.0.0.1");
  EXPECT_TRUE(service_->check_endpoint(*endpoint, {}).is_ok());
}

TEST_F(KubeletServiceTest, ListensOnBothFamiliesWhereNoAddressIsConfigured) {
  config_.kubelet.listen = config::Listen{"", 0, 0, false};
  config_.kubelet.advertised_address = "127.0.0.1, ::1";
  ASSERT_TRUE(create().is_ok());

  const auto endpoint = service_->listen(config_.nodes[0], 0);

  ASSERT_TRUE(endpoint.is_ok()) << endpoint.status().to_string();
  EXPECT_EQ(endpoint->address, "127.0.0.1");
  EXPECT_EQ(endpoint->other_address, "::1");
  EXPECT_TRUE(service_->check_endpoint(*endpoint, {}).is_ok());
  if (std::filesystem::exists("/proc/net/if_inet6")) {
    EXPECT_EQ(service_->check_endpoint({"::1", endpoint->port}, {}).to_string(), "OK");
  }
}

TEST_F(KubeletServiceTest, NoticesWhenNobodyAnswersThere) {
  ASSERT_TRUE(create().is_ok());
  const auto endpoint = service_->listen(config_.nodes[0], 0);
  ASSERT_TRUE(endpoint.is_ok());
  service_->stop();

  EXPECT_EQ(service_->check_endpoint(*endpoint, {}).code(), StatusCode::Unavailable);
}

TEST_F(KubeletServiceTest, GivesEachNodeAPortOfItsOwn) {
  ASSERT_TRUE(create().is_ok());

  const auto first = service_->listen(config_.nodes[0], 0);
  const auto second = service_->listen(config_.nodes[0], 1);

  ASSERT_TRUE(first.is_ok());
  ASSERT_TRUE(second.is_ok());
  EXPECT_NE(first->port, second->port);
}

TEST_F(KubeletServiceTest, RefusesMoreNodesThanThereArePorts) {
  config_.kubelet.listen = config::Listen{"127.0.0.1", 1024, 1024, false};
  ASSERT_TRUE(create().is_ok());

  const auto second = service_->listen(config_.nodes[0], 1);

  EXPECT_EQ(second.status().code(), StatusCode::InvalidArgument);
  EXPECT_THAT(second.status().message(), HasSubstr("virtual"));
}

TEST_F(KubeletServiceTest, NamesACertificateFileThatIsMissing) {
  const testing::TestFolder folder;
  config_.kubelet.certificate_file = (folder.path() / "none.pem").string();
  config_.kubelet.key_file = (folder.path() / "none.key").string();

  EXPECT_THAT(create().message(), HasSubstr("none.pem"));
}

TEST_F(KubeletServiceTest, HandsTheOwnerACredentialOfItsOwn) {
  ASSERT_TRUE(create().is_ok());
  const std::string first = service_->runtime_file().token.reveal();
  ASSERT_TRUE(create().is_ok());

  EXPECT_GE(first.size(), 43U);
  EXPECT_NE(service_->runtime_file().token.reveal(), first);
}

class KubeletCertificates : public KubeletServiceTest {
 protected:
  void given_files(const testing::IssuedCertificate& issued) {
    config_.kubelet.certificate_file = folder_.write("tls.crt", issued.certificate_pem).string();
    config_.kubelet.key_file = folder_.write("tls.key", issued.key_pem).string();
  }
  // Whether another certificate is shown now.
  Result<bool> read_again() {
    VKHOST_TRY_ASSIGN(const auto commit, service_->prepare_certificates(config_));
    return commit();
  }
  [[nodiscard]] std::string shown() const { return service_->runtime_file().certificate_pem; }

  const testing::TestFolder folder_;
  const testing::CertificateAuthority authority_;
};

TEST_F(KubeletCertificates, AreTakenFromTheSameFilesWithAnotherContent) {
  given_files(testing::issue_for_loopback(authority_));
  ASSERT_TRUE(create().is_ok());
  const auto next = testing::issue_for_loopback(authority_);
  given_files(next);

  const auto changed = read_again();

  ASSERT_TRUE(changed.is_ok()) << changed.status().to_string();
  EXPECT_TRUE(*changed);
  EXPECT_EQ(shown(), next.certificate_pem);
}

TEST_F(KubeletCertificates, AreTakenInThePlaceOfTheOneThatTheDaemonSigned) {
  ASSERT_TRUE(create().is_ok());
  const auto next = testing::issue_for_loopback(authority_);
  given_files(next);

  EXPECT_TRUE(*read_again());

  EXPECT_EQ(shown(), next.certificate_pem);
}

TEST_F(KubeletCertificates, OfTheDaemonItselfStaysForItsLife) {
  ASSERT_TRUE(create().is_ok());
  const std::string before = shown();

  EXPECT_FALSE(*read_again());

  EXPECT_EQ(shown(), before);
}

TEST_F(KubeletCertificates, StayWhenTheNewOnesDoNotFitTogether) {
  given_files(testing::issue_for_loopback(authority_));
  ASSERT_TRUE(create().is_ok());
  const std::string before = shown();
  auto torn = testing::issue_for_loopback(authority_);
  torn.key_pem = testing::issue_for_loopback(authority_).key_pem;
  given_files(torn);

  EXPECT_EQ(read_again().status().code(), StatusCode::InvalidArgument);

  EXPECT_EQ(shown(), before);
}

TEST_F(KubeletCertificates, ChangeNothingBeforeTheyAreTaken) {
  given_files(testing::issue_for_loopback(authority_));
  ASSERT_TRUE(create().is_ok());
  const std::string before = shown();
  given_files(testing::issue_for_loopback(authority_));

  ASSERT_TRUE(service_->prepare_certificates(config_).is_ok());

  EXPECT_EQ(shown(), before);
}

TEST_F(KubeletCertificates, StandInTheFilesThatTheConfigurationNames) {
  given_files(testing::issue_for_loopback(authority_));
  config_.kubelet.client_ca_file = "/etc/ca.pem";

  EXPECT_THAT(KubeletService::certificate_files(config_),
              ::testing::ElementsAre(config_.kubelet.certificate_file, config_.kubelet.key_file,
                                     "/etc/ca.pem"));
}

TEST(PrimaryAddress, IsAnAddress) { EXPECT_THAT(primary_address(), ContainsRegex("[.:]")); }

}  // namespace
}  // namespace vkhost::daemon
