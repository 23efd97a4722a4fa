#include "resolve/pull_credentials.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "resolve/config_error.hpp"
#include "resolve/json_members.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Lines = std::vector<std::string>;

class PullCredentialsTest : public ::testing::Test {
 protected:
  PullCredentialsTest() {
    pod_.pod_namespace = "shop";
    pod_.name = "web";
    pod_.uid = "u-1";
  }
  void given_secret(const std::string& name, const std::string& key, const std::string& value) {
    std::string json = R"({"data":{")" + key + R"(":")" + base64_encode(value) + "\"}}";
    source_.put("Secret/shop/" + name, std::move(json));
  }
  // A secret for one server, with the user "me" and that password.
  void given_credentials(const std::string& name,
                         const std::string& server,
                         const std::string& password) {
    given_secret(
        name, ".dockerconfigjson",
        R"({"auths":{")" + server + R"(":{"auth":")" + base64_encode("me:" + password) + R"("}}})");
  }
  void given_account(const std::string& name, const std::string& secrets) {
    source_.put("ServiceAccount/shop/" + name, R"({"imagePullSecrets":[)" + secrets + "]}");
  }
  Result<std::string> json_of(std::vector<std::string> secrets, std::string account = "") {
    return PullCredentials({pod_, events_, &accounts_, token_,
                            [&](const std::string& name) {
                              return objects_.read(ObjectKind::Secret, "shop", name, token_);
                            },
                            [&](std::size_t bytes) { return spend(bytes); }})
        .json({std::move(secrets), std::move(account)});
  }
  // "SERVER PASSWORD SECRET" of each; or why there are none.
  Lines lines_of(std::vector<std::string> secrets, std::string account = "") {
    const auto json = json_of(std::move(secrets), std::move(account));
    if (!json) {
      return {json.status().to_string()};
    }
    Lines lines;
    const auto list =
        (*parse_json_object(R"({"all":)" + *json + "}", "the credentials"))->getArray("all");
    for (unsigned i = 0; i < list->size(); ++i) {
      const auto each = list->getObject(i);
      lines.push_back(each->getValue<std::string>("server") + " " +
                      each->getValue<std::string>("password") + " " +
                      each->getValue<std::string>("secret_name"));
    }
    return lines;
  }
  Status spend(std::size_t bytes) {
    if (bytes > budget_) {
      return config_error("too much");
    }
    budget_ -= bytes;
    return Status::ok();
  }

  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  testing::RecordingResolveEvents events_;
  kube::PodRecord pod_;
  CancelSource cancel_;
  CancelToken token_ = cancel_.token();
  Objects objects_{{source_, clock_}, std::chrono::milliseconds{0}, 0};
  ServiceAccounts accounts_{source_, clock_, {}};
  std::size_t budget_ = std::numeric_limits<std::size_t>::max();
};

// ---- Which secrets

TEST_F(PullCredentialsTest, OfThePodComeBeforeThoseOfItsAccount) {
  given_credentials("z-own", "r", "first");
  given_credentials("b-own", "r", "second");
  given_credentials("a-account", "r", "third");
  given_account("builder", R"({"name":"a-account"})");

  EXPECT_THAT(lines_of({"z-own", "b-own"}, "builder"),
              ElementsAre("r first z-own", "r second b-own", "r third a-account"));
}

TEST_F(PullCredentialsTest, OfASecretThatPodAndAccountNameAreThereOnce) {
  given_credentials("both", "r", "sesame");
  given_credentials("more", "r", "other");
  given_account("builder", R"({"name":"both"},{"name":"more"})");

  EXPECT_THAT(lines_of({"both"}, "builder"), ElementsAre("r sesame both", "r other more"));
}

TEST_F(PullCredentialsTest, OfTheAccountAloneAreEnough) {
  given_credentials("registry", "r", "sesame");
  given_account("builder", R"({"name":"registry"})");

  EXPECT_THAT(lines_of({}, "builder"), ElementsAre("r sesame registry"));
}

TEST_F(PullCredentialsTest, OfThePodCountWhereAccountsMayNotBeRead) {
  given_credentials("own", "r", "sesame");
  source_.fail("ServiceAccount/shop/builder",
               Status(StatusCode::PermissionDenied, "not for nodes"));

  EXPECT_THAT(lines_of({"own"}, "builder"), ElementsAre("r sesame own"));
  EXPECT_THAT(events_.lines(), IsEmpty());
}

TEST_F(PullCredentialsTest, MayBeNone) {
  EXPECT_EQ(*json_of({}), "[]");
  EXPECT_THAT(source_.reads(), IsEmpty());
}

// ---- Which form

TEST_F(PullCredentialsTest, HaveAllThatTheSecretSays) {
  given_secret("s", ".dockerconfigjson",
               R"({"auths":{"https://r/v1/":{"username":"me","password":"a\"b","email":"e",
                                             "identitytoken":"i","registrytoken":"t"}}})");

  EXPECT_EQ(*json_of({"s"}),
            R"([{"server":"https://r/v1/","username":"me","password":"a\"b","email":"e",)"
            R"("identity_token":"i","registry_token":"t","secret_name":"s"}])");
}

TEST_F(PullCredentialsTest, LeaveOutWhatIsEmpty) {
  given_secret("s", ".dockerconfigjson",
               R"({"auths":{"r":{"identitytoken":"i"},"q":{"auth":"bWU6YQ"}}})");

  EXPECT_EQ(*json_of({"s"}), R"([{"server":"q","username":"me","password":"a","secret_name":"s"},)"
                             R"({"server":"r","identity_token":"i","secret_name":"s"}])");
}

TEST_F(PullCredentialsTest, ComeInTheOlderFormToo) {
  given_secret("s", ".dockercfg", R"({"r":{"auth":"bWU6b2xk"}})");

  EXPECT_THAT(lines_of({"s"}), ElementsAre("r old s"));
}

TEST_F(PullCredentialsTest, PreferTheNewerForm) {
  source_.put("Secret/shop/s",
              R"({"stringData":{".dockercfg":"{\"r\":{\"auth\":\"bWU6b2xk\"}}",
                                ".dockerconfigjson":"{\"auths\":{\"r\":{\"auth\":\"bWU6bmV3\"}}}"}})");

  EXPECT_THAT(lines_of({"s"}), ElementsAre("r new s"));
}

// ---- What is missing or wrong

TEST_F(PullCredentialsTest, OfMissingSecretsAreLeftOutWithOneWarning) {
  given_credentials("there", "r", "sesame");
  given_account("builder", R"({"name":"gone-too"})");

  EXPECT_THAT(lines_of({"gone", "there"}, "builder"), ElementsAre("r sesame there"));
  EXPECT_THAT(events_.lines(),
              ElementsAre("FailedToRetrieveImagePullSecret: Unable to retrieve some image pull "
                          "secrets (gone, gone-too); attempting to pull the image may not "
                          "succeed."));
}

TEST_F(PullCredentialsTest, OfASecretOfAnotherShapeAreLeftOutWithAWarning) {
  given_secret("broken", ".dockerconfigjson", "sesame");
  given_secret("opaque", "password", "sesame");
  given_secret("empty", ".dockerconfigjson", "");
  source_.put("Secret/shop/manifest", R"({"data":{".dockerconfigjson":"sesame?"}})");
  given_credentials("good", "r", "ok");

  EXPECT_THAT(lines_of({"broken", "opaque", "empty", "manifest", "good"}),
              ElementsAre("r ok good"));
  EXPECT_THAT(
      events_.lines(),
      ElementsAre(
          R"(InvalidImagePullSecret: image pull secret "broken": the docker configuration is not valid JSON)",
          AllOf(HasSubstr("\"opaque\""), HasSubstr("neither .dockerconfigjson nor .dockercfg")),
          AllOf(HasSubstr("\"empty\""), HasSubstr("neither")),
          AllOf(HasSubstr("\"manifest\""), HasSubstr("is not base64"))));
  EXPECT_THAT(events_.lines(), Not(::testing::Contains(HasSubstr("sesame"))));
}

TEST_F(PullCredentialsTest, OfHelpersAreRefusedInWords) {
  given_secret("s", ".dockerconfigjson", R"({"credHelpers":{"r":"ecr-login"}})");

  EXPECT_EQ(*json_of({"s"}), "[]");
  EXPECT_THAT(events_.lines(),
              ElementsAre(AllOf(StartsWith("InvalidImagePullSecret: "), HasSubstr("credHelpers"),
                                HasSubstr("write the credentials themselves into auths"))));
}

TEST_F(PullCredentialsTest, TellOfFewProblemsAndCountTheOthers) {
  given_secret("s", ".dockerconfigjson",
               R"({"auths":{"a":{},"b":{},"c":{},"d":{},"e":{"auth":"bWU6YQ=="}}})");

  EXPECT_THAT(lines_of({"s"}), ElementsAre("e a s"));
  EXPECT_THAT(events_.lines(), ElementsAre(AllOf(HasSubstr("of c holds"), Not(HasSubstr("of d")),
                                                 HasSubstr("and 1 more"))));
}

TEST_F(PullCredentialsTest, WaitForASecretThatCannotBeRead) {
  given_credentials("s", "r", "sesame");
  source_.fail("Secret/shop/s", unavailable("no answer"));

  const Status passing = json_of({"s"}).status();
  source_.fail("Secret/shop/s", Status(StatusCode::PermissionDenied, "not yet"));
  const Status refused = json_of({"s"}).status();
  source_.heal("Secret/shop/s");

  EXPECT_EQ(passing.code(), StatusCode::Unavailable);
  EXPECT_EQ(refused.code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(refused.reason(), kConfigErrorReason);
  EXPECT_NE(refused.retry(), Retry::Never);
  EXPECT_THAT(refused.message(), HasSubstr("image pull secret \"s\" in namespace shop"));
  EXPECT_THAT(lines_of({"s"}), ElementsAre("r sesame s"));
  EXPECT_THAT(events_.lines(), IsEmpty());
}

// As the Node authoriser has it.
TEST_F(PullCredentialsTest, DoNotWaitForASecretThatOnlyTheAccountNamesAndThatIsForbidden) {
  given_credentials("own", "r", "sesame");
  given_account("builder", R"({"name":"team"})");
  source_.fail("Secret/shop/team", Status(StatusCode::PermissionDenied, "no relationship"));

  EXPECT_THAT(lines_of({"own"}, "builder"), ElementsAre("r sesame own"));

  EXPECT_THAT(events_.lines(), ElementsAre(HasSubstr("some image pull secrets (team)")));
}

TEST_F(PullCredentialsTest, WaitForAnAccountThatCannotBeRead) {
  source_.fail("ServiceAccount/shop/builder", unavailable("no answer"));

  EXPECT_EQ(json_of({}, "builder").status().code(), StatusCode::Unavailable);
}

TEST_F(PullCredentialsTest, CountAsPartOfTheMaterial) {
  given_credentials("s", "r", std::string(1000, 'x'));
  budget_ = 1000;

  EXPECT_THAT(json_of({"s"}).status().message(), HasSubstr("too much"));
}

}  // namespace
}  // namespace vkhost::resolve
