#include "kube/client_certificate.hpp"

#include "base/base64.hpp"
#include "base/mutex.hpp"
#include "support/certificates.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vkhost::kube {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kSoon = 20s;

// The time it is, and what a test adds to it.
class ShiftedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override {
    const MutexLock lock(mutex_);
    return std::chrono::steady_clock::now() + shift_;
  }
  [[nodiscard]] WallTime wall_now() const override {
    const MutexLock lock(mutex_);
    return std::chrono::system_clock::now() + shift_;
  }
  void shift(std::chrono::seconds by) {
    const MutexLock lock(mutex_);
    shift_ += by;
  }

 private:
  mutable Mutex mutex_;
  std::chrono::seconds shift_ VKHOST_GUARDED_BY(mutex_){0};
};

class FixedCredentials final : public Credentials {
 public:
  explicit FixedCredentials(std::string token) {
    identity_.authorization = Secret(std::move(token));
    identity_.tls = std::make_shared<const http::ClientTls>(http::ClientTls{.ca_pem = "ca"});
    identity_.generation = 1;
  }
  Result<Identity> current(Deadline /*deadline*/, const CancelToken& /*cancel*/) override {
    return identity_;
  }
  void reject(std::uint64_t /*generation*/) override {}

 private:
  Identity identity_;
};

// The files of a daemon, which outlive it.
using Files = std::map<std::string, std::string, std::less<>>;
using Names = std::set<std::string, std::less<>>;
class MapStore final : public CertificateStore {
 public:
  // Those that are `unwritable` there is no place for.
  MapStore(Files& files, const Names& unwritable) : files_(files), unwritable_(unwritable) {}
  Result<Secret> read(std::string_view name) override {
    const auto found = files_.find(name);
    return found == files_.end() ? Result<Secret>(not_found("no such file"))
                                 : Result<Secret>(Secret(found->second));
  }
  Status write(std::string_view name, const Secret& text) override {
    if (unwritable_.contains(name)) {
      return unavailable("no space left on device");
    }
    files_[std::string(name)] = text.reveal();
    return Status::ok();
  }

 private:
  Files& files_;
  const Names& unwritable_;
};

// An API server that signs what it is asked to, in the way that a test wants.
class Signer {
 public:
  enum class Does { Sign, Wait, Deny, SignAnother };

  void does(Does what) {
    const MutexLock lock(mutex_);
    does_ = what;
  }
  void lasts(std::chrono::seconds life) {
    const MutexLock lock(mutex_);
    life_ = life;
  }
  // Who asked, in order: an authorization, or "certificate".
  [[nodiscard]] std::vector<std::string> askers() const {
    const MutexLock lock(mutex_);
    return askers_;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    const MutexLock lock(mutex_);
    return names_;
  }
  bool wait_for_requests(std::size_t count) const {
    const SteadyTime until = std::chrono::steady_clock::now() + kSoon;
    const MutexLock lock(mutex_);
    while (names_.size() < count && changed_.wait_until(mutex_, until)) {
    }
    return names_.size() >= count;
  }

  Result<std::string> create(const std::string& body, const std::string& asker) {
    const MutexLock lock(mutex_);
    const std::string name = testing::json_at(body, "/metadata/name");
    askers_.push_back(asker);
    names_.push_back(name);
    bodies_.push_back(body);
    changed_.notify_all();
    if (!requests_.emplace(name, *base64_decode(testing::json_at(body, "/spec/request"))).second) {
      return Status(StatusCode::AlreadyExists, "there is one");
    }
    return body;
  }
  Result<std::string> get(const std::string& name) {
    const MutexLock lock(mutex_);
    const auto found = requests_.find(name);
    if (found == requests_.end()) {
      return not_found("no such request");
    }
    switch (does_) {
      case Does::Wait:
        return std::string(R"({"status":{}})");
      case Does::Deny:
        return std::string(
            R"({"status":{"conditions":[{"type":"Denied","reason":"No","message":"not you"}]}})");
      case Does::SignAnother:
        return issued(ca_.issue({.common_name = "system:node:web-1",
                                 .organizations = {"system:nodes"},
                                 .use = testing::CertificateUse::Client})
                          .certificate_pem);
      case Does::Sign:
        break;
    }
    return issued(ca_.sign(found->second, life_));
  }
  [[nodiscard]] std::string last_body() const {
    const MutexLock lock(mutex_);
    return bodies_.empty() ? std::string() : bodies_.back();
  }

 private:
  static std::string issued(const std::string& certificate) {
    return R"({"status":{"conditions":[{"type":"Approved","status":"True"}],"certificate":")" +
           base64_encode(certificate) + R"("}})";
  }

  mutable Mutex mutex_;
  mutable CondVar changed_;
  const testing::CertificateAuthority ca_;
  Does does_ VKHOST_GUARDED_BY(mutex_) = Does::Sign;
  std::chrono::seconds life_ VKHOST_GUARDED_BY(mutex_) = 1h;
  std::map<std::string, std::string> requests_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> askers_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> names_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> bodies_ VKHOST_GUARDED_BY(mutex_);
};

class SignerClient final : public Client {
 public:
  SignerClient(Signer& signer, std::shared_ptr<Credentials> credentials)
      : signer_(signer), credentials_(std::move(credentials)) {}

  Result<std::string> get(std::string_view path,
                          const Query& /*query*/,
                          const CallOptions& /*options*/) override {
    return signer_.get(std::string(path.substr(path.rfind('/') + 1)));
  }
  Result<std::string> create(std::string_view /*path*/,
                             std::string body,
                             const CallOptions& options) override {
    VKHOST_TRY_ASSIGN(const Identity identity,
                      credentials_->current(options.deadline, options.cancel));
    const std::string& token = identity.authorization.reveal();
    return signer_.create(body, token.empty() ? "certificate" : token);
  }
  Result<std::string> update(std::string_view /*path*/,
                             std::string /*body*/,
                             const CallOptions& /*options*/) override {
    return unimplemented("not here");
  }
  Result<std::string> patch(std::string_view /*path*/,
                            PatchType /*type*/,
                            std::string /*body*/,
                            const CallOptions& /*options*/) override {
    return unimplemented("not here");
  }
  Result<std::string> remove(std::string_view /*path*/,
                             std::string /*body*/,
                             const CallOptions& /*options*/) override {
    return unimplemented("not here");
  }
  Result<std::unique_ptr<WatchStream>> watch(std::string_view /*path*/,
                                             const Query& /*query*/,
                                             const CallOptions& /*options*/) override {
    return unimplemented("not here");
  }

 private:
  Signer& signer_;
  const std::shared_ptr<Credentials> credentials_;
};

class ClientCertificateTest : public ::testing::Test {
 protected:
  // Another life of the same daemon.
  void start(const std::string& node = "web-1") {
    certificate_.reset();
    ClientCertificateSettings settings;
    settings.node_name = node;
    settings.poll = {1ms, 2ms};
    settings.retry = {1ms, 2ms};
    settings.after_refusal = 1ms;
    settings.look = 1ms;
    ClientCertificateParts parts;
    parts.server = std::make_shared<FixedCredentials>("");
    parts.bootstrap = std::make_shared<FixedCredentials>("token");
    parts.make_client = [this](std::shared_ptr<Credentials> credentials) {
      return std::make_unique<SignerClient>(signer_, std::move(credentials));
    };
    parts.store = std::make_unique<MapStore>(files_, unwritable_);
    parts.clock = clock_;
    parts.random = std::make_shared<SeededRandom>(1);
    certificate_ = std::make_unique<ClientCertificate>(settings, std::move(parts));
    certificate_->start();
  }
  Result<Identity> current(std::chrono::milliseconds within = kSoon) {
    return certificate_->credentials()->current(Deadline::after(*clock_, within), {});
  }
  // Another identity than that of the generation.
  bool wait_for_another(std::uint64_t generation) {
    const SteadyTime until = std::chrono::steady_clock::now() + kSoon;
    while (std::chrono::steady_clock::now() < until) {
      const auto identity = current();
      if (identity.is_ok() && identity->generation != generation) {
        return true;
      }
    }
    return false;
  }

  // As an API server does with every request that shows it.
  void refuse(std::uint64_t generation) {
    for (int requests = 0; requests < 20; ++requests) {
      certificate_->credentials()->reject(generation);
    }
  }

  Files files_;
  Names unwritable_;
  Signer signer_;
  std::shared_ptr<ShiftedClock> clock_ = std::make_shared<ShiftedClock>();
  std::unique_ptr<ClientCertificate> certificate_;
};

TEST_F(ClientCertificateTest, ComesFromTheBootstrapCredentials) {
  start();

  const auto identity = current();

  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_TRUE(identity->authorization.empty());
  EXPECT_EQ(identity->tls->ca_pem, "ca");
  const auto facts = http::read_certificate_facts(identity->tls->certificate_pem);
  EXPECT_EQ(facts->subject.common_name, "system:node:web-1");
  EXPECT_TRUE(
      http::check_key_of_certificate(identity->tls->certificate_pem, Secret(identity->tls->key_pem))
          .is_ok());
  EXPECT_EQ(signer_.askers(), std::vector<std::string>{"token"});
}

TEST_F(ClientCertificateTest, IsAskedForAsTheSignerOfKubeletsWantsIt) {
  start();
  ASSERT_TRUE(current().is_ok());

  const std::string body = signer_.last_body();

  EXPECT_EQ(testing::json_at(body, "/spec/signerName"),
            "kubernetes.io/kube-apiserver-client-kubelet");
  EXPECT_EQ(testing::json_at(body, "/spec/usages/0"), "digital signature");
  EXPECT_EQ(testing::json_at(body, "/spec/usages/1"), "key encipherment");
  EXPECT_EQ(testing::json_at(body, "/spec/usages/2"), "client auth");
  EXPECT_THAT(body, Not(HasSubstr("PRIVATE")));
}

TEST_F(ClientCertificateTest, IsWaitedForByThoseWhoNeedIt) {
  signer_.does(Signer::Does::Wait);
  start();
  ASSERT_TRUE(signer_.wait_for_requests(1));

  // What it waits for is said a moment after it was asked for.
  const SteadyTime until = std::chrono::steady_clock::now() + kSoon;
  auto none = current(5ms);
  while (none.status().message().find("node-csr-") == std::string::npos &&
         std::chrono::steady_clock::now() < until) {
    none = current(5ms);
  }
  signer_.does(Signer::Does::Sign);
  const auto identity = current();

  EXPECT_EQ(none.status().code(), StatusCode::Unauthenticated);
  EXPECT_THAT(none.status().message(), HasSubstr("node-csr-"));
  EXPECT_TRUE(identity.is_ok()) << identity.status().to_string();
}

TEST_F(ClientCertificateTest, KeepsNobodyWaitingWhoIsCancelled) {
  signer_.does(Signer::Does::Wait);
  start();
  CancelSource gone;
  gone.cancel();

  const auto identity =
      certificate_->credentials()->current(Deadline::after(*clock_, kSoon), gone.token());

  EXPECT_EQ(identity.status().code(), StatusCode::Cancelled);
}

TEST_F(ClientCertificateTest, IsStillThereAfterARestart) {
  start();
  const auto before = current();
  ASSERT_TRUE(before.is_ok());

  start();

  const auto after = current();
  ASSERT_TRUE(after.is_ok()) << after.status().to_string();
  EXPECT_EQ(after->tls->certificate_pem, before->tls->certificate_pem);
  EXPECT_THAT(after->tls->certificate_pem, Not(HasSubstr("PRIVATE")));
  EXPECT_EQ(signer_.names().size(), 1U);
}

TEST_F(ClientCertificateTest, GoesOnWithTheSameRequestAfterARestart) {
  signer_.does(Signer::Does::Wait);
  start();
  ASSERT_TRUE(signer_.wait_for_requests(1));

  start();
  ASSERT_TRUE(signer_.wait_for_requests(2));
  signer_.does(Signer::Does::Sign);

  ASSERT_TRUE(current().is_ok());
  const std::vector<std::string> names = signer_.names();
  EXPECT_EQ(names[0], names[1]);
}

TEST_F(ClientCertificateTest, RenewsItselfWithAnotherKeyBeforeItExpires) {
  start();
  const auto before = current();
  ASSERT_TRUE(before.is_ok());

  clock_->shift(55min);

  ASSERT_TRUE(wait_for_another(before->generation));
  const auto after = current();
  EXPECT_NE(after->tls->key_pem, before->tls->key_pem);
  EXPECT_EQ(signer_.askers()[1], "certificate");
  EXPECT_NE(signer_.names()[0], signer_.names()[1]);
}

TEST_F(ClientCertificateTest, IsNotRenewedWhileItIsYoung) {
  start();
  ASSERT_TRUE(current().is_ok());

  clock_->shift(20min);
  start();  // looks at it at once

  ASSERT_TRUE(current().is_ok());
  EXPECT_EQ(signer_.names().size(), 1U);
}

TEST_F(ClientCertificateTest, ComesFromTheBootstrapCredentialsAgainWhenItHasExpired) {
  start();
  ASSERT_TRUE(current().is_ok());
  certificate_.reset();
  signer_.lasts(4h);

  clock_->shift(2h);
  start();

  const auto identity = current();
  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_EQ(signer_.askers(), (std::vector<std::string>{"token", "token"}));
}

TEST_F(ClientCertificateTest, ComesFromTheBootstrapCredentialsAgainWhenTheServerRefusesIt) {
  start();
  const auto before = current();
  ASSERT_TRUE(before.is_ok());

  clock_->shift(10min);
  refuse(before->generation);

  ASSERT_TRUE(wait_for_another(before->generation));
  EXPECT_EQ(signer_.askers()[1], "token");
}

TEST_F(ClientCertificateTest, OutlivesARefusalWhileItIsYoung) {
  start();
  const auto before = current();
  ASSERT_TRUE(before.is_ok());

  refuse(before->generation);

  // The next one comes in its time, from the certificate.
  clock_->shift(55min);
  ASSERT_TRUE(wait_for_another(before->generation));
  EXPECT_EQ(signer_.askers(), (std::vector<std::string>{"token", "certificate"}));
}

TEST_F(ClientCertificateTest, IsKeptTheLongerTheMoreOfThemTheServerRefused) {
  signer_.lasts(48h);
  start();
  std::uint64_t generation = 0;
  for (int refused = 0; refused < 2; ++refused) {
    generation = current()->generation;
    refuse(generation);
    clock_->shift(5min);
    refuse(generation);
    ASSERT_TRUE(wait_for_another(generation));
  }
  generation = current()->generation;

  refuse(generation);
  clock_->shift(3min);
  refuse(generation);

  clock_->shift(45h);
  ASSERT_TRUE(wait_for_another(generation));
  EXPECT_EQ(signer_.askers(), (std::vector<std::string>{"token", "token", "token", "certificate"}));
}

TEST_F(ClientCertificateTest, RenewsItselfWithAnotherKeyWhereTheOneBeforeCouldNotBeKept) {
  for (const Names& names : {Names{"client.pem"}, Names{"client.pem", "client-request.key"}}) {
    unwritable_ = names;
    start();
    const auto before = current();
    ASSERT_TRUE(before.is_ok()) << before.status().to_string();

    clock_->shift(55min);

    ASSERT_TRUE(wait_for_another(before->generation));
    EXPECT_NE(current()->tls->key_pem, before->tls->key_pem);
    certificate_.reset();
    files_.clear();
    clock_->shift(-55min);  // the signer goes by its own
  }
}

TEST_F(ClientCertificateTest, OfAnotherNodeIsNotUsed) {
  start("web-2");
  ASSERT_TRUE(current().is_ok());

  start("web-1");

  const auto identity = current();
  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_EQ(http::read_certificate_facts(identity->tls->certificate_pem)->subject.common_name,
            "system:node:web-1");
}

TEST_F(ClientCertificateTest, OfAnotherKeyIsNotUsed) {
  signer_.does(Signer::Does::SignAnother);
  start();
  ASSERT_TRUE(signer_.wait_for_requests(2));

  signer_.does(Signer::Does::Sign);

  const auto identity = current();
  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_TRUE(
      http::check_key_of_certificate(identity->tls->certificate_pem, Secret(identity->tls->key_pem))
          .is_ok());
}

TEST_F(ClientCertificateTest, IsAskedForAnewWhenARequestWasDenied) {
  signer_.does(Signer::Does::Deny);
  start();
  ASSERT_TRUE(signer_.wait_for_requests(2));
  const auto refused = current(20ms);

  signer_.does(Signer::Does::Sign);

  ASSERT_TRUE(current().is_ok());
  EXPECT_NE(signer_.names()[0], signer_.names()[1]);
  EXPECT_EQ(refused.status().code(), StatusCode::Unauthenticated);
}

TEST_F(ClientCertificateTest, SurvivesFilesThatSomebodySpoiled) {
  files_["client.pem"] = "-----BEGIN CERTIFICATE-----\nnonsense";
  files_["client-request.key"] = "nonsense";

  start();

  EXPECT_TRUE(current().is_ok());
}

}  // namespace
}  // namespace vkhost::kube
