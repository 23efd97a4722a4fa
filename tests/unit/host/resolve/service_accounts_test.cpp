#include "resolve/service_accounts.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::resolve {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ServiceAccountsTest : public ::testing::Test {
 protected:
  Result<std::vector<std::string>> secrets_of(const std::string& name,
                                              const std::string& in = "shop") {
    return accounts_.pull_secrets(in, name, cancel_.token());
  }

  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  std::shared_ptr<testing::RecordingLogSink> log_ = std::make_shared<testing::RecordingLogSink>();
  CancelSource cancel_;
  ServiceAccounts accounts_{source_, clock_, observe::Logger(log_)};
};

TEST_F(ServiceAccountsTest, NamePullSecretsInTheirOrder) {
  source_.put("ServiceAccount/shop/builder",
              R"({"metadata":{"name":"builder"},"secrets":[{"name":"token"}],
                  "imagePullSecrets":[{"name":"b"},{"name":"a"},{"name":"b"}]})");

  EXPECT_THAT(*secrets_of("builder"), ElementsAre("b", "a"));
}

TEST_F(ServiceAccountsTest, MayBeMissingOrNameNone) {
  source_.put("ServiceAccount/shop/plain", R"({"metadata":{"name":"plain"}})");

  EXPECT_THAT(*secrets_of("plain"), IsEmpty());
  EXPECT_THAT(*secrets_of("missing"), IsEmpty());
}

TEST_F(ServiceAccountsTest, AreReadOnceForPodsThatComeTogether) {
  source_.put("ServiceAccount/shop/a", R"({"imagePullSecrets":[{"name":"one"}]})");
  EXPECT_THAT(*secrets_of("a"), ElementsAre("one"));
  source_.put("ServiceAccount/shop/a", R"({"imagePullSecrets":[{"name":"two"}]})");

  EXPECT_THAT(*secrets_of("a"), ElementsAre("one"));
  clock_.advance(seconds{1});

  EXPECT_THAT(*secrets_of("a"), ElementsAre("two"));
  EXPECT_THAT(source_.reads(), SizeIs(2));
}

TEST_F(ServiceAccountsTest, OfNamespacesAreKeptApart) {
  source_.put("ServiceAccount/shop/a", R"({"imagePullSecrets":[{"name":"one"}]})");
  source_.put("ServiceAccount/bank/a", R"({"imagePullSecrets":[{"name":"two"}]})");

  EXPECT_THAT(*secrets_of("a", "shop"), ElementsAre("one"));
  EXPECT_THAT(*secrets_of("a", "bank"), ElementsAre("two"));
}

TEST_F(ServiceAccountsTest, AreNeverRememberedAsMissing) {
  EXPECT_THAT(*secrets_of("late"), IsEmpty());
  source_.put("ServiceAccount/shop/late", R"({"imagePullSecrets":[{"name":"one"}]})");

  EXPECT_THAT(*secrets_of("late"), ElementsAre("one"));
}

TEST_F(ServiceAccountsTest, ThatMayNotBeReadNameNoneAndAreToldOfOnce) {
  for (const char* key : {"ServiceAccount/shop/a", "ServiceAccount/bank/b"}) {
    source_.fail(key, Status(StatusCode::PermissionDenied, "not for nodes"));
  }

  EXPECT_THAT(*secrets_of("a"), IsEmpty());
  EXPECT_THAT(*secrets_of("other"), IsEmpty());
  EXPECT_THAT(*secrets_of("b", "bank"), IsEmpty());

  EXPECT_THAT(log_->lines(), ElementsAre(AllOf(StartsWith("warn: service accounts may not be read"),
                                               HasSubstr("not for nodes"))));
  EXPECT_THAT(source_.reads(), SizeIs(2)) << "each namespace is asked once";
}

TEST_F(ServiceAccountsTest, AreAskedForAgainAWhileAfterARefusal) {
  source_.put("ServiceAccount/shop/a", R"({"imagePullSecrets":[{"name":"one"}]})");
  source_.fail("ServiceAccount/shop/a", Status(StatusCode::PermissionDenied, "not yet"));
  EXPECT_THAT(*secrets_of("a"), IsEmpty());
  source_.heal("ServiceAccount/shop/a");

  clock_.advance(minutes{5});

  EXPECT_THAT(*secrets_of("a"), ElementsAre("one"));
}

TEST_F(ServiceAccountsTest, ThatCouldNotBeReadAreNoneThatNameNone) {
  source_.fail("ServiceAccount/shop/a", unavailable("no answer"));

  EXPECT_EQ(secrets_of("a").status().code(), StatusCode::Unavailable);
  EXPECT_THAT(log_->lines(), IsEmpty());
}

TEST_F(ServiceAccountsTest, OfAnotherShapeAreRefused) {
  source_.put("ServiceAccount/shop/a", R"({"imagePullSecrets":["one"]})");

  EXPECT_EQ(secrets_of("a").status().code(), StatusCode::InvalidArgument);
}

}  // namespace
}  // namespace vkhost::resolve
