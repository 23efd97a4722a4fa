// Pod in, material out: what a provider sees.
#include "resolve/resolver.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"
#include "support/fake_token_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kMaster =
    R"({"metadata":{"name":"kubernetes"},"spec":{"clusterIP":"10.0.0.1"}})";
constexpr const char* kMasterEnv =
    R"({"name":"KUBERNETES_SERVICE_HOST","value":"10.0.0.1","service":true})";

class RecordingUser final : public ObjectUser {
 public:
  void object_changed(const std::string& pod_uid, std::uint64_t changes) override {
    told.push_back(pod_uid + ":" + std::to_string(changes));
  }
  std::vector<std::string> told;
};

class RecordingTokenUser final : public TokenUser {
 public:
  void token_renewed(const std::string& pod_uid) override { told.push_back(pod_uid); }
  std::vector<std::string> told;
};

// A pod as API servers make them: its token, the authority of the API server, and a Secret beside it.
constexpr const char* kPodWithToken =
    R"({"serviceAccountName":"builder","containers":[{"name":"web",
    "volumeMounts":[{"name":"api","mountPath":"/api"},{"name":"db","mountPath":"/db"}]}],"volumes":[
    {"name":"api","projected":{"sources":[
      {"serviceAccountToken":{"expirationSeconds":600,"path":"token"}},
      {"configMap":{"name":"kube-root-ca.crt"}}]}},
    {"name":"db","secret":{"secretName":"db"}}]})";

class Resolving : public ::testing::Test {
 protected:
  Resolving() { capabilities_.uses_env = true; }
  Result<std::string> material(const std::string& spec) {
    const auto pod = kube::parse_pod(
        R"({"metadata":{"name":"web","namespace":"shop","uid":"u-1","resourceVersion":"1",)"
        R"("labels":{"env":"prod"}},"spec":)" +
        spec + R"(,"status":)" + status_ + "}");
    EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
    Resolver& used = resolver();
    return used.material(**pod, scope_, cancel_.token());
  }
  Resolver& resolver() {
    if (!resolver_) {
      resolver_ =
          std::make_unique<Resolver>(ResolverParts{&cache_, &events_, &node_, &user_, &tokens_,
                                                   &token_user_, &accounts_, &claims_},
                                     settings_, capabilities_);
    }
    return *resolver_;
  }

  testing::FakeObjectSource objects_;
  testing::RecordingResolveEvents events_;
  testing::FakeNodeFacts node_;
  testing::FakeClock clock_;
  testing::FakeObjectFeed feed_;
  Objects cache_{{objects_, clock_, &feed_}};
  RecordingUser user_;
  testing::FakeTokenSource token_source_{clock_};
  SeededRandom random_{1};
  Tokens tokens_{{token_source_, clock_, random_}};
  RecordingTokenUser token_user_;
  ServiceAccounts accounts_{objects_, clock_, {}};
  Claims claims_{objects_, clock_};
  CancelSource cancel_;
  ResolverSettings settings_;
  MaterialScope scope_;
  plugin::Capabilities capabilities_;
  std::string status_ = "{}";
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(Resolving, GivesAPlainPodItsServiceVariables) {
  objects_.put("Service/default/kubernetes", kMaster);
  objects_.put("Services/shop",
               R"({"items":[{"metadata":{"name":"db"},"spec":{"clusterIP":"10.0.0.9"}}]})");

  const auto text = material(
      R"({"initContainers":[{"name":"first","image":"i"}],"containers":[{"name":"web","image":"i"}]})");

  const std::string env =
      R"({"env":[{"name":"DB_SERVICE_HOST","value":"10.0.0.9","service":true},)" +
      std::string(kMasterEnv) + "]}";
  EXPECT_EQ(*text, R"({"containers":{"first":)" + env + R"(,"web":)" + env + "}}");
}

TEST_F(Resolving, GivesThePlainAndTheParsedPodTheSameEnvironment) {
  objects_.put("Service/default/kubernetes", kMaster);

  const auto plain = material(R"({"containers":[{"name":"web"}]})");
  const auto parsed = material(R"({"containers":[{"name":"web","env":[]}]})");

  EXPECT_EQ(*plain, *parsed);
}

TEST_F(Resolving, ListsNoServicesWithoutLinksButNamesTheApiServer) {
  objects_.put("Service/default/kubernetes", kMaster);

  const auto text =
      material(R"({"enableServiceLinks":false,"containers":[{"name":"web","image":"i"}]})");

  EXPECT_EQ(*text, R"({"containers":{"web":{"env":[)" + std::string(kMasterEnv) + "]}}}");
  EXPECT_THAT(objects_.reads(), ElementsAre("Service/default/kubernetes"));
}

TEST_F(Resolving, PrefersAServiceOfTheOwnNamespaceOverTheApiServer) {
  objects_.put("Service/default/kubernetes", kMaster);
  objects_.put("Services/shop",
               R"({"items":[{"metadata":{"name":"kubernetes"},"spec":{"clusterIP":"10.9.9.9"}}]})");

  const auto text = material(R"({"containers":[{"name":"web"}]})");

  EXPECT_THAT(*text, HasSubstr("10.9.9.9"));
  EXPECT_THAT(*text, Not(HasSubstr("10.0.0.1")));
}

TEST_F(Resolving, RunsWithoutServicesWhereThereIsNoApiServer) {
  EXPECT_EQ(*material(R"({"containers":[{"name":"web"}]})"),
            R"({"containers":{"web":{"env":[]}}})");
}

TEST_F(Resolving, FailsWhenServicesCannotBeRead) {
  objects_.fail("Services/shop", unavailable("connection refused"));

  const auto text = material(R"({"containers":[{"name":"web"}]})");

  EXPECT_EQ(text.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(text.status().reason(), "CreateContainerConfigError");
}

TEST_F(Resolving, DoesNotTakeForbiddenForAVerdictOfTheProvider) {
  objects_.fail("Services/shop", Status(StatusCode::PermissionDenied, "services is forbidden")
                                     .with_retry(Retry::Never)
                                     .with_scope(Scope::Provider));

  const auto text = material(R"({"containers":[{"name":"web"}]})");

  EXPECT_EQ(text.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(text.status().retry(), Retry::Backoff);
  EXPECT_EQ(text.status().scope(), Scope::Pod);
  EXPECT_THAT(text.status().message(), HasSubstr("services is forbidden"));
}

TEST_F(Resolving, MarksWhatCameFromASecret) {
  objects_.put("Secret/shop/db", R"({"data":{"password":"c2VzYW1l"}})");

  const auto text = material(R"j({"containers":[{"name":"web",
      "env":[{"name":"PW","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}},
             {"name":"URL","value":"db://u:$(PW)@db"},{"name":"MODE","value":"x"}],
      "command":["run","--pw=$(PW)"],"args":["$(MODE)","$$(MODE)","$(NONE)"]}]})j");

  EXPECT_EQ(*text, R"j({"containers":{"web":{"env":[{"name":"PW","value":"sesame","secret":true},)j"
                   R"j({"name":"URL","value":"db://u:sesame@db","secret":true},)j"
                   R"j({"name":"MODE","value":"x"}],)j"
                   R"j("command":[{"value":"run"},{"value":"--pw=sesame","secret":true}],)j"
                   R"j("args":[{"value":"x"},{"value":"$(MODE)"},{"value":"$(NONE)"}]}}})j");
}

TEST_F(Resolving, MakesNothingForAProviderThatUsesNoEnvironment) {
  capabilities_.uses_env = false;

  const auto text =
      material(R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"missing"}}]}]})");

  EXPECT_EQ(*text, R"({"containers":{}})");
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

TEST_F(Resolving, GivesFilesBesideTheEnvironment) {
  capabilities_.uses_files = true;
  objects_.put("Secret/shop/db", R"({"data":{"key":"c2VzYW1l"}})");

  const auto text = material(R"({"containers":[{"name":"web",
      "envFrom":[{"secretRef":{"name":"db"}}],
      "volumeMounts":[{"name":"v","mountPath":"/v"}]}],
      "volumes":[{"name":"v","secret":{"secretName":"db"}}]})");

  EXPECT_EQ(*text,
            R"({"containers":{"web":{"env":[{"name":"key","value":"sesame","secret":true}]}},)"
            R"("volumes":{"v":{"files":[)"
            R"({"path":"key","data":"c2VzYW1l","mode":420,"secret":true}]}}})");
  // Once for both, so that they come from the same state of it.
  EXPECT_EQ(std::ranges::count(objects_.reads(), "Secret/shop/db"), 1);
}

TEST_F(Resolving, GivesAPodThatHasOnlyFilesItsServiceVariables) {
  capabilities_.uses_files = true;
  objects_.put("Service/default/kubernetes", kMaster);
  objects_.put("ConfigMap/shop/app", R"({"data":{"a":"b"}})");

  const auto text = material(
      R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
          "volumes":[{"name":"v","configMap":{"name":"app"}}]})");

  EXPECT_EQ(*text, R"({"containers":{"web":{"env":[)" + std::string(kMasterEnv) +
                       R"(]}},"volumes":{"v":{"files":[{"path":"a","data":"Yg==","mode":420}]}}})");
}

TEST_F(Resolving, MakesFilesForAProviderThatUsesNoEnvironment) {
  capabilities_.uses_env = false;
  capabilities_.uses_files = true;
  objects_.put("ConfigMap/shop/app", R"({"data":{"a":"b"}})");

  const auto text = material(R"({"containers":[{"name":"web",
      "envFrom":[{"secretRef":{"name":"missing"}}],
      "volumeMounts":[{"name":"v","mountPath":"/v"}]}],
      "volumes":[{"name":"v","configMap":{"name":"app"}}]})");

  EXPECT_EQ(
      *text,
      R"({"containers":{},"volumes":{"v":{"files":[{"path":"a","data":"Yg==","mode":420}]}}})");
  EXPECT_THAT(objects_.reads(), ElementsAre("ConfigMap/shop/app"));
}

TEST_F(Resolving, ReadsNothingForFilesThatTheProviderDoesNotUse) {
  capabilities_.uses_env = false;

  const auto text = material(
      R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
          "volumes":[{"name":"v","configMap":{"name":"app"}}]})");

  EXPECT_EQ(*text, R"({"containers":{}})");
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

TEST_F(Resolving, LeavesOtherVolumesToThePodDocument) {
  capabilities_.uses_files = true;

  const auto text = material(
      R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
          "volumes":[{"name":"v","emptyDir":{"medium":"Memory","sizeLimit":"1Mi"}}]})");

  EXPECT_EQ(*text, R"({"containers":{"web":{"env":[]}}})");
}

TEST_F(Resolving, SetsVolumesUpBeforeItLooksAtContainers) {
  capabilities_.uses_files = true;

  const auto text = material(R"({"containers":[{"name":"web",
      "envFrom":[{"configMapRef":{"name":"also-missing"}}],
      "volumeMounts":[{"name":"v","mountPath":"/v"}]}],
      "volumes":[{"name":"v","configMap":{"name":"missing"}}]})");

  EXPECT_EQ(text.status().reason(), "ContainerCreating");
  EXPECT_THAT(events_.lines(),
              ElementsAre(R"(FailedMount: MountVolume.SetUp failed for volume "v" : )"
                          R"(configmap "missing" not found)"));
}

TEST_F(Resolving, MakesFilesOnceTheObjectIsThere) {
  capabilities_.uses_files = true;
  const std::string spec =
      R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
          "volumes":[{"name":"v","configMap":{"name":"late"}}]})";
  EXPECT_EQ(material(spec).status().retry(), Retry::Backoff);

  objects_.put("ConfigMap/shop/late", R"({"data":{"a":"now"}})");

  EXPECT_THAT(*material(spec), HasSubstr(R"("path":"a")"));
}

TEST_F(Resolving, GivesPullCredentialsBesideTheEnvironment) {
  capabilities_.uses_pull_credentials = true;
  objects_.put("Service/default/kubernetes", kMaster);
  objects_.put("Secret/shop/own",
               R"j({"stringData":{".dockercfg":"{\"r\":{\"auth\":\"bWU6YQ\"}}"}})j");
  objects_.put("ServiceAccount/shop/builder", R"({"imagePullSecrets":[{"name":"gone"}]})");

  const auto text = material(R"({"containers":[{"name":"web"}],"serviceAccountName":"builder",
                                 "imagePullSecrets":[{"name":"own"}]})");

  EXPECT_EQ(*text, R"({"containers":{"web":{"env":[)" + std::string(kMasterEnv) +
                       R"(]}},"pull_credentials":[)"
                       R"({"server":"r","username":"me","password":"a","secret_name":"own"}]})");
  EXPECT_THAT(events_.lines(), ElementsAre(HasSubstr("secrets (gone)")));
}

constexpr const char* kWithStorage =
    R"({"containers":[{"name":"web","volumeMounts":[{"name":"d"},{"name":"t"},{"name":"c"}]}],
        "volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}},
                   {"name":"t","emptyDir":{"medium":"Memory"}},
                   {"name":"c","csi":{"driver":"d","nodePublishSecretRef":{"name":"s"}}}]})";

TEST_F(Resolving, GivesTheStorageOfVolumesBesideTheirFiles) {
  capabilities_.uses_env = false;
  capabilities_.uses_storage = true;
  objects_.put("PersistentVolumeClaim/shop/data",
               R"({"metadata":{"uid":"c"},"spec":{"volumeName":"pv"},"status":{"phase":"Bound"}})");
  objects_.put("PersistentVolume//pv", R"({"spec":{"claimRef":{"uid":"c"},"csi":{"driver":"d"}}})");
  objects_.put("Secret/shop/s", R"({"data":{}})");

  EXPECT_EQ(*material(kWithStorage),
            R"({"containers":{},"storage":{"d":{"claim":{"name":"data","volume_name":"pv",)"
            R"("volume_mode":"Filesystem","source":{"csi":{"driver":"d"}}}},)"
            R"("t":{"empty_dir":{"medium":"Memory"}},)"
            R"("c":{"secrets":{"nodePublishSecretRef":{}}}}})");
}

TEST_F(Resolving, LooksForNoStorageThatTheProviderDoesNotUse) {
  capabilities_.uses_env = false;
  capabilities_.uses_files = true;

  EXPECT_EQ(*material(kWithStorage), R"({"containers":{}})");
  EXPECT_THAT(objects_.reads(), IsEmpty());

  resolver_.reset();
  capabilities_.uses_storage = true;
  scope_.storage = false;
  EXPECT_EQ(*material(kWithStorage), R"({"containers":{}})");
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

TEST_F(Resolving, WaitsForTheSecretOfASourceAndHearsOfIt) {
  capabilities_.uses_env = false;
  capabilities_.uses_storage = true;
  const std::string spec =
      R"({"containers":[{"name":"web","volumeMounts":[{"name":"c"}]}],"volumes":[
          {"name":"c","csi":{"driver":"d","nodePublishSecretRef":{"name":"s"}}}]})";
  EXPECT_EQ(material(spec).status().reason(), "ContainerCreating");
  EXPECT_THAT(feed_.followed(), ElementsAre("Secret/shop/s@"));

  feed_.change("Secret/shop/s", R"({"data":{}})");
  EXPECT_THAT(user_.told, ElementsAre("u-1:0"));

  EXPECT_TRUE(material(spec).is_ok());
  cache_.store().tidy();
  EXPECT_THAT(feed_.followed(), IsEmpty()) << "what it has read no change concerns any more";
}

TEST_F(Resolving, SaysThatThereAreNoPullCredentials) {
  capabilities_.uses_env = false;
  capabilities_.uses_pull_credentials = true;

  const auto text = material(R"({"containers":[{"name":"web","env":[{"name":"A"}]}]})");

  EXPECT_EQ(*text, R"({"containers":{},"pull_credentials":[]})");
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

constexpr const char* kPulling =
    R"({"containers":[{"name":"web"}],"imagePullSecrets":[{"name":"own"}]})";

TEST_F(Resolving, FollowsPullSecretsWhereTheProviderTakesChangesOfThem) {
  capabilities_.uses_env = false;
  capabilities_.uses_pull_credentials = true;
  objects_.put("Secret/shop/own",
               R"({"metadata":{"resourceVersion":"7"},"data":{".dockercfg":"e30="}})");
  EXPECT_TRUE(material(kPulling).is_ok());
  EXPECT_THAT(feed_.followed(), IsEmpty());

  resolver_.reset();
  capabilities_.updates = plugin::kChangedPullCredentials;
  EXPECT_TRUE(material(kPulling).is_ok());
  EXPECT_THAT(feed_.followed(), ElementsAre("Secret/shop/own@7"));
  feed_.change("Secret/shop/own", R"({"data":{".dockercfg":"e30K"}})");

  EXPECT_THAT(user_.told, ElementsAre("u-1:" + std::to_string(plugin::kChangedPullCredentials)));
}

TEST_F(Resolving, KeepsPullCredentialsOfWhatIsGoneForAPodThatHasThem) {
  capabilities_.uses_env = false;
  capabilities_.uses_pull_credentials = true;
  capabilities_.updates = plugin::kChangedPullCredentials;
  objects_.put("Secret/shop/own",
               R"j({"stringData":{".dockercfg":"{\"r\":{\"auth\":\"bWU6YQ\"}}"}})j");
  const auto before = material(kPulling);
  objects_.fail("Secret/shop/own", not_found("gone"));
  feed_.end("Secret/shop/own");

  scope_ = {.environment = false, .files = false, .keeps_vanished = true};

  EXPECT_THAT(*before, HasSubstr(R"("password":"a")"));
  EXPECT_EQ(*material(kPulling), *before);
  EXPECT_THAT(events_.lines(), IsEmpty());
}

TEST_F(Resolving, ReadsNothingForPullCredentialsThatTheProviderDoesNotUse) {
  objects_.put("Service/default/kubernetes", kMaster);

  const auto text = material(R"({"containers":[{"name":"web"}],"serviceAccountName":"builder",
                                 "imagePullSecrets":[{"name":"own"}]})");

  EXPECT_EQ(*text, R"({"containers":{"web":{"env":[)" + std::string(kMasterEnv) + "]}}}");
  EXPECT_THAT(objects_.reads(), ElementsAre("Services/shop", "Service/default/kubernetes"));
}

TEST_F(Resolving, RefusesPullSecretsOfAnotherTypeForGood) {
  capabilities_.uses_pull_credentials = true;

  const auto text = material(R"({"containers":[{"name":"web"}],"imagePullSecrets":["own"]})");

  EXPECT_EQ(text.status().retry(), Retry::Never);
  EXPECT_THAT(text.status().message(), HasSubstr("spec.imagePullSecrets[0]"));
}

TEST_F(Resolving, ReadsASharedObjectOnceForPodsThatComeTogether) {
  objects_.put("Secret/shop/db", R"({"data":{"a":"YQ=="}})");
  const std::string spec =
      R"({"enableServiceLinks":false,"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"db"}}]}]})";

  EXPECT_TRUE(material(spec).is_ok());
  EXPECT_TRUE(material(spec).is_ok());

  EXPECT_THAT(objects_.reads(), ElementsAre("Service/default/kubernetes", "Secret/shop/db"));
}

TEST_F(Resolving, SeesAChangeOnceTheMomentIsOver) {
  objects_.put("Secret/shop/db", R"({"data":{"a":"YQ=="}})");
  const std::string spec =
      R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"db"}}]}]})";
  EXPECT_THAT(*material(spec), HasSubstr(R"("value":"a")"));

  objects_.put("Secret/shop/db", R"({"data":{"a":"Yg=="}})");
  clock_.advance(std::chrono::seconds{1});

  EXPECT_THAT(*material(spec), HasSubstr(R"("value":"b")"));
}

TEST_F(Resolving, NeverRemembersThatSomethingIsMissing) {
  const std::string spec =
      R"({"containers":[{"name":"web","envFrom":[{"configMapRef":{"name":"late"}}]}]})";
  EXPECT_FALSE(material(spec).is_ok());

  objects_.put("ConfigMap/shop/late", R"({"data":{"A":"now"}})");

  EXPECT_THAT(*material(spec), HasSubstr("now"));
}

TEST_F(Resolving, TellsWhenWhatAPodWaitsForIsThere) {
  const std::string spec =
      R"({"containers":[{"name":"web","envFrom":[{"configMapRef":{"name":"late"}}]}]})";
  EXPECT_FALSE(material(spec).is_ok());
  EXPECT_THAT(feed_.followed(), ElementsAre("ConfigMap/shop/late@"));

  feed_.change("ConfigMap/shop/late", R"({"data":{"A":"now"}})");

  EXPECT_THAT(user_.told, ElementsAre("u-1:0"));
}

TEST_F(Resolving, TellsWhenTheKeyThatAPodWaitsForMayBeThere) {
  objects_.put("Secret/shop/db", R"({"metadata":{"resourceVersion":"7"},"data":{"a":"YQ=="}})");
  const std::string spec =
      R"({"containers":[{"name":"web","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"db","key":"b"}}}]}]})";
  EXPECT_FALSE(material(spec).is_ok());
  EXPECT_THAT(feed_.followed(), ElementsAre("Secret/shop/db@7"));

  feed_.change("Secret/shop/db", R"({"data":{"a":"YQ==","b":"Yg=="}})");

  EXPECT_THAT(user_.told, ElementsAre("u-1:0"));
  EXPECT_TRUE(material(spec).is_ok());
  cache_.store().tidy();
  EXPECT_THAT(feed_.followed(), IsEmpty());
}

TEST_F(Resolving, TellsWhenFilesThatAPodMountsChange) {
  capabilities_.uses_files = true;
  capabilities_.updates = plugin::kChangedFiles;
  objects_.put("ConfigMap/shop/app", R"({"data":{"a":"1"}})");
  EXPECT_TRUE(
      material(R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
                           "volumes":[{"name":"v","configMap":{"name":"app"}}]})")
          .is_ok());

  feed_.change("ConfigMap/shop/app", R"({"data":{"a":"2"}})");

  EXPECT_THAT(user_.told, ElementsAre("u-1:" + std::to_string(plugin::kChangedFiles)));
}

TEST_F(Resolving, KeepsFilesOfWhatIsGoneForAPodThatHasThem) {
  capabilities_.uses_files = true;
  capabilities_.updates = plugin::kChangedFiles;
  const std::string spec =
      R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
          "volumes":[{"name":"v","configMap":{"name":"app"}}]})";
  objects_.put("ConfigMap/shop/app", R"({"data":{"a":"1"}})");
  EXPECT_TRUE(material(spec).is_ok());
  objects_.fail("ConfigMap/shop/app", not_found("gone"));
  feed_.end("ConfigMap/shop/app");

  scope_ = {.environment = false, .keeps_vanished = true};

  EXPECT_EQ(
      *material(spec),
      R"({"containers":{},"volumes":{"v":{"files":[{"path":"a","data":"MQ==","mode":420}]}}})");
}

TEST_F(Resolving, AsksForTokensInTheNameOfThePod) {
  capabilities_.uses_env = false;
  capabilities_.uses_tokens = true;

  EXPECT_EQ(*material(kPodWithToken),
            R"({"containers":{},"volumes":{"api":{"files":[{"path":"token","data":"dG9rZW4tMQ==",)"
            R"("mode":420,"secret":true,"audience":"https://api",)"
            R"("expires":"2026-01-02T03:14:05Z"}]}}})");

  ASSERT_EQ(token_source_.count(), 1U);
  const kube::TokenRequest asked = token_source_.requests()[0];
  EXPECT_EQ(asked.account_namespace, "shop");
  EXPECT_EQ(asked.account, "builder");
  EXPECT_EQ(asked.pod_name, "web");
  EXPECT_EQ(asked.pod_uid, "u-1");
  EXPECT_EQ(asked.audience, "");
  EXPECT_EQ(asked.lifetime, std::chrono::seconds{600});
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

TEST_F(Resolving, AsksForNoTokensThatTheProviderDoesNotUse) {
  capabilities_.uses_files = true;
  objects_.put("ConfigMap/shop/kube-root-ca.crt", R"({"data":{"ca.crt":"CA"}})");
  objects_.put("Secret/shop/db", R"({"data":{"key":"c2VzYW1l"}})");

  EXPECT_TRUE(material(kPodWithToken).is_ok());

  EXPECT_EQ(token_source_.count(), 0U);
}

TEST_F(Resolving, TellsOfNewTokensIfTheProviderTakesThem) {
  capabilities_.uses_env = false;
  capabilities_.uses_tokens = true;
  capabilities_.updates = plugin::kChangedTokens;
  EXPECT_TRUE(material(kPodWithToken).is_ok());
  clock_.advance(std::chrono::seconds{480});

  EXPECT_TRUE(tokens_.renew_one({}));

  EXPECT_THAT(token_user_.told, ElementsAre("u-1"));
  EXPECT_THAT(*material(kPodWithToken), HasSubstr(R"("data":"dG9rZW4tMg==")"));
  EXPECT_EQ(token_source_.count(), 2U);
}

TEST_F(Resolving, RenewsNoTokensForAProviderThatTakesNoNewOnes) {
  capabilities_.uses_env = false;
  capabilities_.uses_tokens = true;

  EXPECT_TRUE(material(kPodWithToken).is_ok());

  EXPECT_EQ(tokens_.next_look(), std::nullopt);
}

TEST_F(Resolving, RenewsTokensUntilThePodIsForgotten) {
  capabilities_.uses_env = false;
  capabilities_.uses_tokens = true;
  capabilities_.updates = plugin::kChangedTokens;
  EXPECT_TRUE(material(kPodWithToken).is_ok());

  resolver().forget("u-1");

  EXPECT_EQ(tokens_.size(), 0U);
}

TEST_F(Resolving, LetsNoOtherVolumeKeepANewTokenFromThePod) {
  capabilities_.uses_files = true;
  capabilities_.uses_tokens = true;
  objects_.put("ConfigMap/shop/kube-root-ca.crt", R"({"data":{"ca.crt":"CA"}})");
  objects_.fail("Secret/shop/db", Status(StatusCode::PermissionDenied, "not any more"));
  EXPECT_FALSE(material(kPodWithToken).is_ok());

  scope_ = {.environment = false, .keeps_vanished = true, .only_with_tokens = true};
  const auto text = material(kPodWithToken);

  ASSERT_TRUE(text.is_ok()) << text.status().to_string();
  EXPECT_THAT(*text, HasSubstr(R"("volumes":{"api":{"files":[{"path":"ca.crt")"));
  EXPECT_THAT(*text, HasSubstr(R"("path":"token")"));
}

TEST_F(Resolving, FollowsNothingForAnEnvironmentOnceItIsMade) {
  objects_.put("Secret/shop/db", R"({"data":{"a":"YQ=="}})");

  EXPECT_TRUE(material(R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"db"}}]}]})")
                  .is_ok());

  EXPECT_THAT(feed_.followed(), IsEmpty());
}

TEST_F(Resolving, FollowsNothingWhileTheApiServerIsAway) {
  objects_.fail("Secret/shop/db", unavailable("connection refused"));

  EXPECT_FALSE(
      material(R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"db"}}]}]})")
          .is_ok());

  EXPECT_THAT(feed_.followed(), IsEmpty());
}

TEST_F(Resolving, ForgetsWhatAPodWaitedFor) {
  EXPECT_FALSE(
      material(R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"db"}}]}]})")
          .is_ok());

  resolver().forget("u-1");
  cache_.store().tidy();

  EXPECT_THAT(feed_.followed(), IsEmpty());
}

TEST_F(Resolving, LeavesTheEnvironmentOutWhereNoContainerStarts) {
  scope_.environment = false;

  const auto text =
      material(R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"missing"}}]}]})");

  EXPECT_EQ(*text, R"({"containers":{}})");
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

class ResolvingFiles : public Resolving {
 protected:
  static constexpr const char* kKey = "ConfigMap/shop/app";
  static constexpr const char* kSpec = R"({"containers":[{"name":"web",
      "envFrom":[{"secretRef":{"name":"db"}}],
      "volumeMounts":[{"name":"v","mountPath":"/v"}]}],
      "volumes":[{"name":"v","configMap":{"name":"app"}}]})";

  ResolvingFiles() {
    capabilities_.uses_files = true;
    capabilities_.updates = plugin::kChangedFiles;
    objects_.put("Secret/shop/db", R"({"data":{"A":"YQ=="}})");
  }
};

TEST_F(ResolvingFiles, TellsWhenTheVolumeThatAPodWaitsForIsThere) {
  EXPECT_FALSE(material(kSpec).is_ok());
  EXPECT_THAT(feed_.followed(), ElementsAre("ConfigMap/shop/app@"));

  feed_.change(kKey, R"({"data":{"a":"now"}})");

  EXPECT_THAT(user_.told, ElementsAre("u-1:" + std::to_string(plugin::kChangedFiles)));
}

TEST_F(ResolvingFiles, AreFollowedAndTheEnvironmentIsNot) {
  objects_.put(kKey, R"({"metadata":{"resourceVersion":"7"},"data":{"a":"b"}})");

  EXPECT_TRUE(material(kSpec).is_ok());

  EXPECT_THAT(feed_.followed(), ElementsAre("ConfigMap/shop/app@7"));
}

TEST_F(ResolvingFiles, OfAnObjectThatIsGoneAreNothingForANewPod) {
  objects_.put(kKey, R"({"data":{"a":"b"}})");
  EXPECT_TRUE(material(kSpec).is_ok());
  objects_.remove(kKey);
  feed_.end(kKey);
  clock_.advance(std::chrono::seconds{2});

  EXPECT_EQ(material(kSpec).status().reason(), "ContainerCreating");
}

TEST_F(ResolvingFiles, LeaveTheLookOutForAnEnvironmentThatIsMissingAsItIs) {
  objects_.put(kKey, R"({"data":{"a":"b"}})");
  objects_.remove("Secret/shop/db");
  EXPECT_FALSE(material(kSpec).is_ok());
  scope_ = {.environment = false, .files = true, .keeps_vanished = true};
  EXPECT_TRUE(material(kSpec).is_ok());

  feed_.change("Secret/shop/db", R"({"data":{"A":"YQ=="}})");

  EXPECT_THAT(user_.told, ElementsAre("u-1:0"));
}

TEST_F(Resolving, RefusesManifestsWithMembersOfWrongTypeForGood) {
  const auto text =
      material(R"({"containers":[{"name":"web","env":[{"name":"PORT","value":8080}]}]})");

  EXPECT_EQ(text.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(text.status().retry(), Retry::Never);
  EXPECT_EQ(text.status().reason(), "CreateContainerConfigError");
  EXPECT_THAT(text.status().message(), HasSubstr("spec.containers[0].env[0].value"));
}

TEST_F(Resolving, BoundsVariablesThatDoubleEachOther) {
  std::string env = R"({"name":"V0","value":")" + std::string(1000, 'x') + R"("})";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "$(V" + std::to_string(i - 1) + ")";
    env += R"(,{"name":"V)" + std::to_string(i) + R"(","value":")" + before + before + R"("})";
  }

  const auto text = material(R"({"containers":[{"name":"web","env":[)" + env + "]}]}");

  EXPECT_EQ(text.status().code(), StatusCode::FailedPrecondition);
}

TEST_F(Resolving, ServesManyThreadsAtOnce) {
  objects_.put("Service/default/kubernetes", kMaster);
  objects_.put("Secret/shop/db", R"({"data":{"a":"YQ=="}})");
  const std::string spec =
      R"({"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"db"}}]}]})";
  const auto expected = material(spec);
  std::atomic<int> wrong = 0;
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back("resolve-" + std::to_string(i), [&] {
        for (int round = 0; round < 50; ++round) {
          const auto text = material(spec);
          wrong += text.is_ok() && *text == *expected ? 0 : 1;
          clock_.advance(std::chrono::milliseconds{100});
          cache_.drop_expired();
        }
      });
    }
  }

  EXPECT_EQ(wrong, 0);
}

TEST_F(Resolving, ReadsNothingOnceCancelled) {
  cancel_.cancel();

  const auto text = material(R"({"containers":[{"name":"web"}]})");

  EXPECT_EQ(text.status().code(), StatusCode::Cancelled);
  EXPECT_THAT(objects_.reads(), IsEmpty());
}

}  // namespace
}  // namespace vkhost::resolve
