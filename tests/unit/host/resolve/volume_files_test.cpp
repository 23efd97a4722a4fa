#include "resolve/volume_files.hpp"

#include "base/base64.hpp"
#include "resolve/json_members.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"
#include "support/fake_token_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Lines = std::vector<std::string>;

// One container, "web", which mounts the volume "v".
class VolumeFilesTest : public ::testing::Test {
 protected:
  // `source` is the member of the volume beside its name.
  Result<std::string> json_of(const std::string& source) {
    const std::string spec =
        R"({"containers":[{"name":"web","resources":{"limits":{"cpu":"250m"}},)"
        R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)" +
        source + "}]" + more_ + "}";
    const auto pod = kube::parse_pod(
        R"({"metadata":{"name":"web-0","namespace":"shop","uid":"u-1","resourceVersion":"1",)"
        R"("labels":{"tier":"front","app":"web"},"annotations":{"note":"b\na","vkhost.io/told":"t"}},)"
        R"("spec":)" +
        spec + "}");
    const auto view = read_pod_view(spec);
    const auto volumes = read_pod_volumes(spec);
    EXPECT_TRUE(pod.is_ok() && view.is_ok()) << view.status().to_string();
    EXPECT_TRUE(volumes.is_ok()) << volumes.status().to_string();
    PodFields fields(**pod, *view, node_, PodAddresses::Late);
    return VolumeFiles({**pod, *view, node_, fields, events_,
                        [&](ObjectKind kind, const std::string& name) {
                          return objects_.read(kind, "shop", name, cancel_.token());
                        },
                        [&](std::size_t bytes) { return spend(bytes); }, makes_files_,
                        makes_tokens_, issue_})
        .json(*volumes);
  }
  // "PATH MODE CONTENT" of each file, and "secret" or "gid=…" behind it; or why there are none.
  Lines files(const std::string& source) {
    const auto json = json_of(source);
    if (!json) {
      return {json.status().to_string()};
    }
    Lines lines;
    const auto list = (*parse_json_object(*json, "the files"))->getObject("v")->getArray("files");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto file = list->getObject(static_cast<unsigned>(i));
      char mode[16];
      std::snprintf(mode, sizeof(mode), " %04o ", file->getValue<unsigned>("mode"));
      lines.push_back(file->getValue<std::string>("path") + mode +
                      base64_decode(file->getValue<std::string>("data")).value_or("(broken)") +
                      (file->has("uid") ? " uid=" + file->getValue<std::string>("uid") : "") +
                      (file->has("gid") ? " gid=" + file->getValue<std::string>("gid") : "") +
                      (file->has("secret") ? " secret" : ""));
    }
    return lines;
  }
  Status spend(std::size_t bytes) {
    if (bytes > budget_) {
      return failed_precondition("too much");
    }
    budget_ -= bytes;
    return Status::ok();
  }

  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  testing::RecordingResolveEvents events_;
  testing::FakeNodeFacts node_;
  CancelSource cancel_;
  Objects objects_{{source_, clock_}, std::chrono::milliseconds{0}, 0};
  std::size_t budget_ = std::numeric_limits<std::size_t>::max();
  std::string more_;  // further members of the spec
  bool makes_files_ = true;
  bool makes_tokens_ = false;
  std::function<Result<TokenPtr>(const TokenFile&)> issue_ = [this](const TokenFile& file) {
    return tokens_.token({"shop", "builder", "web-0", "u-1", file.audience,
                          std::chrono::seconds{file.expiration_seconds}},
                         nullptr, cancel_.token());
  };
  testing::FakeTokenSource token_source_{clock_};
  SeededRandom random_{1};
  Tokens tokens_{{token_source_, clock_, random_}};
};

constexpr const char* kToken =
    R"({"serviceAccountToken":{"path":"token","expirationSeconds":600}})";

// ---- configMap and secret ----

TEST_F(VolumeFilesTest, MakeAFileOfEachKey) {
  source_.put("ConfigMap/shop/app", R"({"data":{"b.txt":"two","a":""},"binaryData":{"c":"AP8="}})");

  EXPECT_EQ(
      *json_of(R"("configMap":{"name":"app"})"),
      R"({"v":{"files":[{"path":"a","data":"","mode":420},)"
      R"({"path":"b.txt","data":"dHdv","mode":420},{"path":"c","data":"AP8=","mode":420}]}})");
  EXPECT_THAT(events_.lines(), IsEmpty());
}

TEST_F(VolumeFilesTest, MarkWhatCameFromASecret) {
  source_.put("Secret/shop/db", R"({"data":{"user":"bWU=","key":"c2VzYW1l"}})");

  EXPECT_EQ(*json_of(R"("secret":{"secretName":"db","items":[{"key":"key","path":"k"}]})"),
            R"({"v":{"files":[{"path":"k","data":"c2VzYW1l","mode":420,"secret":true}]}})");
}

TEST_F(VolumeFilesTest, MakeTheFilesOfItemsOnly) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":"1","b":"2"},"binaryData":{"c":"Mw=="}})");

  EXPECT_THAT(files(R"("configMap":{"name":"app","items":[{"key":"b","path":"conf.d/b"},
                       {"key":"c","path":"./conf.d//c/"},{"key":"b","path":"again"}]})"),
              ElementsAre("again 0644 2", "conf.d/b 0644 2", "conf.d/c 0644 3"));
}

TEST_F(VolumeFilesTest, HaveTheModeOfTheItemElseOfTheVolume) {
  source_.put("Secret/shop/db", R"({"stringData":{"a":"1","b":"2","c":"3"}})");

  EXPECT_THAT(files(R"("secret":{"secretName":"db","defaultMode":256,"items":[
                       {"key":"a","path":"a"},{"key":"b","path":"b","mode":511},
                       {"key":"c","path":"c","mode":0}]})"),
              ElementsAre("a 0400 1 secret", "b 0777 2 secret", "c 0000 3 secret"));
}

TEST_F(VolumeFilesTest, BelongToTheGroupOfThePodWhichMayReadThem) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":"1","b":"2"}})");
  more_ = R"(,"securityContext":{"fsGroup":2000})";

  EXPECT_THAT(files(R"("configMap":{"name":"app","defaultMode":256,"items":[
                       {"key":"a","path":"a"},{"key":"b","path":"b","mode":7}]})"),
              ElementsAre("a 0440 1 gid=2000", "b 0447 2 gid=2000"));
}

TEST_F(VolumeFilesTest, TakeTheLastOfItemsWithOnePath) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":"1","b":"2"}})");

  EXPECT_THAT(files(R"("configMap":{"name":"app","items":[{"key":"a","path":"x"},
                       {"key":"b","path":"./x"}]})"),
              ElementsAre("x 0644 2"));
}

// ---- what is missing ----

struct Missing {
  const char* source;
  const char* event;  // in a kubelet's words
};

class MissingFiles : public VolumeFilesTest, public ::testing::WithParamInterface<Missing> {};

TEST_P(MissingFiles, KeepThePodWaitingWithAnEvent) {
  source_.put("ConfigMap/shop/there", "{}");
  source_.put("Secret/shop/there", "{}");

  const auto json = json_of(GetParam().source);

  const std::string words =
      std::string(R"(MountVolume.SetUp failed for volume "v" : )") + GetParam().event;
  EXPECT_THAT(events_.lines(), ElementsAre("FailedMount: " + words));
  EXPECT_EQ(json.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(json.status().reason(), "ContainerCreating");
  EXPECT_EQ(json.status().retry(), Retry::Backoff);
  EXPECT_EQ(json.status().effect(), Effect::None);
  EXPECT_EQ(json.status().message(),
            words + " in namespace shop: add it, or mark the reference optional");
}

INSTANTIATE_TEST_SUITE_P(
    Objects,
    MissingFiles,
    ::testing::Values(Missing{R"("configMap":{"name":"no"})", R"(configmap "no" not found)"},
                      Missing{R"("configMap":{"name":"no","optional":false})",
                              R"(configmap "no" not found)"},
                      Missing{R"("configMap":{})", R"(configmap "" not found)"},
                      Missing{R"("secret":{"secretName":"no"})", R"(secret "no" not found)"},
                      Missing{R"("projected":{"sources":[{"configMap":{"name":"there"}},
                                           {"configMap":{"name":"no"}}]})",
                              R"(configmap "no" not found)"},
                      Missing{R"("projected":{"sources":[{"secret":{"name":"no"}}]})",
                              R"(secret "no" not found)"}));

INSTANTIATE_TEST_SUITE_P(
    Keys,
    MissingFiles,
    ::testing::Values(Missing{R"("configMap":{"name":"there","items":[{"key":"k","path":"p"}]})",
                              "configmap references non-existent config key: k"},
                      Missing{R"("secret":{"secretName":"there","items":[{"key":"k","path":"p"}]})",
                              "references non-existent secret key: k"},
                      Missing{R"("projected":{"sources":[
                    {"secret":{"name":"there","items":[{"key":"k","path":"p"}]}}]})",
                              "references non-existent secret key: k"}));

TEST_F(VolumeFilesTest, MayBeMissingWhereTheyAreOptional) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":"1"}})");
  const struct {
    const char* source;
    Lines files;
  } cases[] = {
      {R"("configMap":{"name":"no","optional":true})", {}},
      {R"("configMap":{"name":"no","optional":true,"items":[{"key":"k","path":"p"}]})", {}},
      {R"("configMap":{"optional":true})", {}},
      {R"("secret":{"secretName":"no","optional":true})", {}},
      {R"("configMap":{"name":"app","optional":true,"items":[{"key":"k","path":"p"},
                                                             {"key":"a","path":"a"}]})",
       {"a 0644 1"}},
      {R"("projected":{"sources":[{"secret":{"name":"no","optional":true}},
                                  {"configMap":{"name":"app"}}]})",
       {"a 0644 1"}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(files(one.source), one.files) << one.source;
  }
  EXPECT_THAT(events_.lines(), IsEmpty());
}

TEST_F(VolumeFilesTest, AreNotMissingOnlyBecauseTheyCannotBeRead) {
  source_.fail("Secret/shop/db", unavailable("connection refused"));
  source_.fail("ConfigMap/shop/app",
               Status(StatusCode::PermissionDenied, "configmaps is forbidden"));

  const auto secret = json_of(R"("secret":{"secretName":"db","optional":true})");
  const auto config = json_of(R"("configMap":{"name":"app","optional":true})");

  EXPECT_EQ(secret.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(secret.status().reason(), "ContainerCreating");
  EXPECT_EQ(config.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(config.status().retry(), Retry::Backoff);
  EXPECT_THAT(
      events_.lines(),
      ElementsAre(R"(FailedMount: MountVolume.SetUp failed for volume "v" : failed to read secret )"
                  R"("db": connection refused)",
                  R"(FailedMount: MountVolume.SetUp failed for volume "v" : failed to read )"
                  R"(configmap "app": configmaps is forbidden)"));
}

TEST_F(VolumeFilesTest, TellNobodyThatReadingThemWasCancelled) {
  source_.fail("Secret/shop/db", cancelled("the pod was deleted"));

  EXPECT_EQ(json_of(R"("secret":{"secretName":"db"})").status().code(), StatusCode::Cancelled);
  EXPECT_THAT(events_.lines(), IsEmpty());
}

// ---- downwardAPI ----

TEST_F(VolumeFilesTest, HoldFieldsOfThePod) {
  const auto field = [](const char* path) {
    return std::string(R"({"path":"f","fieldRef":{"fieldPath":")") + path + R"("}})";
  };
  const struct {
    const char* field;
    const char* content;
  } cases[] = {
      {"metadata.name", "web-0"},
      {"metadata.namespace", "shop"},
      {"metadata.uid", "u-1"},
      {"metadata.labels", "app=\"web\"\ntier=\"front\""},
      {"metadata.labels['tier']", "front"},
      {"metadata.labels['none']", ""},
      {"metadata.annotations", "note=\"b\\na\""},  // and none of the host's own
      {"metadata.annotations['note']", "b\na"},
      {"metadata.annotations['vkhost.io/told']", ""},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(files(R"("downwardAPI":{"items":[)" + field(one.field) + "]}"),
                ElementsAre(std::string("f 0644 ") + one.content));
  }
}

TEST_F(VolumeFilesTest, HoldResourcesOfAContainer) {
  node_.amounts = {{"memory", "2Gi"}};

  EXPECT_THAT(files(R"("downwardAPI":{"defaultMode":256,"items":[
      {"path":"cpu","resourceFieldRef":
        {"containerName":"web","resource":"limits.cpu","divisor":"1m"}},
      {"path":"memory","mode":292,"resourceFieldRef":
        {"containerName":"web","resource":"limits.memory","divisor":"1Mi"}}]})"),
              ElementsAre("cpu 0400 250", "memory 0444 2048"));
}

TEST_F(VolumeFilesTest, RefuseForGoodReferencesThatMakeNoSense) {
  const struct {
    const char* reference;
    const char* why;
  } cases[] = {
      {R"("fieldRef":{"fieldPath":"spec.nodeName"})", "unsupported fieldPath: spec.nodeName"},
      {R"("fieldRef":{"fieldPath":"status.podIP"})", "unsupported fieldPath: status.podIP"},
      {R"("fieldRef":{"fieldPath":"metadata.finalizers"})", "unsupported fieldPath"},
      {R"("fieldRef":{})", "unsupported fieldPath"},
      {R"("fieldRef":{"fieldPath":"metadata.labels['a b']"})", "cannot be the key"},
      {R"("fieldRef":{"fieldPath":"metadata.labels['a"})", "no field"},
      {R"("fieldRef":{"apiVersion":"v2","fieldPath":"metadata.name"})", "apiVersion v1"},
      {R"("resourceFieldRef":{"resource":"limits.cpu"})", "names no container"},
      {R"("resourceFieldRef":{"containerName":"no","resource":"limits.cpu"})", "no container no"},
      {R"("resourceFieldRef":{"containerName":"web","resource":"limits.gpu"})", "limits.gpu"},
  };
  for (const auto& one : cases) {
    const auto json =
        json_of(R"("downwardAPI":{"items":[{"path":"f",)" + std::string(one.reference) + "}]}");

    EXPECT_EQ(json.status().code(), StatusCode::FailedPrecondition) << one.reference;
    EXPECT_EQ(json.status().retry(), Retry::Never) << one.reference;
    EXPECT_EQ(json.status().reason(), "ContainerCreating");
    EXPECT_THAT(json.status().message(), HasSubstr(one.why));
  }
}

TEST_F(VolumeFilesTest, WaitForWhatTheNodeCanAllocate) {
  EXPECT_EQ(json_of(R"("downwardAPI":{"items":[{"path":"f","resourceFieldRef":
                       {"containerName":"web","resource":"limits.memory"}}]})")
                .status()
                .retry(),
            Retry::Backoff);
}

// ---- projected ----

TEST_F(VolumeFilesTest, OfSeveralSourcesAreOneVolume) {
  source_.put("ConfigMap/shop/kube-root-ca.crt", R"({"data":{"ca.crt":"CA"}})");
  source_.put("Secret/shop/db", R"({"stringData":{"key":"sesame"}})");

  EXPECT_THAT(files(R"("projected":{"defaultMode":292,"sources":[
      {"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},
      {"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}},
      {"secret":{"name":"db","items":[{"key":"key","path":"db/key","mode":256}]}}]})"),
              ElementsAre("ca.crt 0444 CA", "db/key 0400 sesame secret", "namespace 0444 shop"));
}

TEST_F(VolumeFilesTest, OfALaterSourceReplaceThoseOfAnEarlierOne) {
  source_.put("ConfigMap/shop/one", R"({"data":{"a":"1","b":"1","c":"1"}})");
  source_.put("Secret/shop/two", R"({"stringData":{"b":"2","c":"2"}})");

  EXPECT_THAT(
      files(R"("projected":{"sources":[{"configMap":{"name":"one"}},{"secret":{"name":"two"}},
      {"downwardAPI":{"items":[{"path":"c","fieldRef":{"fieldPath":"metadata.name"}}]}}]})"),
      ElementsAre("a 0644 1", "b 0644 2 secret", "c 0644 web-0"));
}

TEST_F(VolumeFilesTest, AreRefusedWhenAPathIsSpelledOutTwice) {
  source_.put("ConfigMap/shop/one", R"({"data":{"a":"1"}})");
  const std::string item = R"({"configMap":{"name":"one","items":[{"key":"a","path":"d/x"}]}},)";
  const char* const second[] = {
      R"({"configMap":{"name":"one","items":[{"key":"a","path":"d/x"}]}})",
      R"({"downwardAPI":{"items":[{"path":"./d//x","fieldRef":{"fieldPath":"metadata.name"}}]}})",
  };
  for (const char* source : second) {
    const auto json = json_of(R"("projected":{"sources":[)" + item + source + "]}");

    EXPECT_EQ(json.status().retry(), Retry::Never) << source;
    EXPECT_THAT(json.status().message(), HasSubstr("conflicting duplicate paths: \"d/x\""));
  }
}

TEST_F(VolumeFilesTest, LackTheTokenForAProviderThatUsesNone) {
  source_.put("ConfigMap/shop/ca", R"({"data":{"ca.crt":"CA"}})");

  EXPECT_THAT(files(R"("projected":{"sources":[
      {"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},
      {"configMap":{"name":"ca"}}]})"),
              ElementsAre("ca.crt 0644 CA"));
}

TEST_F(VolumeFilesTest, AreRefusedWithASourceThatNobodyMakes) {
  for (const char* kind : {"podCertificate", "somethingNew"}) {
    const auto json =
        json_of(R"("projected":{"sources":[{")" + std::string(kind) + R"(":{"path":"x"}}]})");

    EXPECT_EQ(json.status().retry(), Retry::Never);
    EXPECT_THAT(json.status().message(), HasSubstr("a projected " + std::string(kind)));
  }
}

// ---- trust bundles ----

constexpr const char* kBundle = "ClusterTrustBundles//metadata.name=ca\n";
constexpr const char* kBundleList =
    R"({"items":[{"spec":{"trustBundle":"-----BEGIN CERTIFICATE-----\nQUE=\n-----END CERTIFICATE-----"}}]})";
constexpr const char* kAnchors = "-----BEGIN CERTIFICATE-----\nQUE=\n-----END CERTIFICATE-----\n";

std::string projected_bundle(const std::string& members) {
  return R"("projected":{"sources":[{"clusterTrustBundle":{"path":"ca.pem",)" + members + "}}]}";
}

TEST_F(VolumeFilesTest, HoldTheCertificatesOfATrustBundle) {
  source_.put(kBundle, kBundleList);
  EXPECT_THAT(files(projected_bundle(R"("name":"ca")")),
              ElementsAre("ca.pem 0644 " + std::string(kAnchors)));

  source_.put("ClusterTrustBundles//spec.signerName=example.com/s\na=b", kBundleList);
  EXPECT_THAT(files(projected_bundle(
                  R"("signerName":"example.com/s","labelSelector":{"matchLabels":{"a":"b"}})")),
              ElementsAre("ca.pem 0644 " + std::string(kAnchors)));
}

TEST_F(VolumeFilesTest, HoldTrustBundlesForTheUserOfThePodAlone) {
  source_.put(kBundle, kBundleList);
  more_ = R"(,"securityContext":{"runAsUser":1000})";

  EXPECT_THAT(files(projected_bundle(R"("name":"ca")")),
              ElementsAre("ca.pem 0600 " + std::string(kAnchors) + " uid=1000"));
}

TEST_F(VolumeFilesTest, WaitForTrustBundlesThatAreMissing) {
  const auto by_name = json_of(projected_bundle(R"("name":"ca")"));
  const auto by_signer = json_of(projected_bundle(R"("signerName":"s","labelSelector":{})"));
  const auto of_nothing = json_of(projected_bundle(R"("signerName":"s")"));

  for (const auto* json : {&by_name, &by_signer, &of_nothing}) {
    EXPECT_EQ(json->status().code(), StatusCode::FailedPrecondition);
    EXPECT_EQ(json->status().retry(), Retry::Backoff);
  }
  EXPECT_THAT(by_name.status().message(),
              HasSubstr("clustertrustbundle.certificates.k8s.io \"ca\" not found"));
  EXPECT_THAT(by_signer.status().message(), HasSubstr("matched zero ClusterTrustBundles"));
  EXPECT_THAT(of_nothing.status().message(), HasSubstr("matched zero ClusterTrustBundles"));
}

TEST_F(VolumeFilesTest, HoldAnEmptyFileForTrustBundlesThatMayBeMissing) {
  EXPECT_THAT(files(projected_bundle(R"("name":"ca","optional":true)")),
              ElementsAre("ca.pem 0644 "));
  EXPECT_THAT(files(projected_bundle(R"("signerName":"s","optional":true)")),
              ElementsAre("ca.pem 0644 "));
  source_.fail(kBundle, unavailable("nobody is there"));
  EXPECT_EQ(json_of(projected_bundle(R"("name":"ca","optional":true)")).status().code(),
            StatusCode::Unavailable)
      << "nobody said that it does not exist";
}

// ---- tokens ----

TEST_F(VolumeFilesTest, HoldTokensWithTheirAudienceAndEnd) {
  makes_tokens_ = true;

  EXPECT_EQ(*json_of(R"("projected":{"sources":[{"serviceAccountToken":
                          {"path":"token","audience":"vault","expirationSeconds":600}}]})"),
            R"({"v":{"files":[{"path":"token","data":"dG9rZW4tMQ==","mode":420,"secret":true,)"
            R"("audience":"vault","expires":"2026-01-02T03:14:05Z"}]}})");
}

TEST_F(VolumeFilesTest, HoldTokensBesideOtherSources) {
  makes_tokens_ = true;
  source_.put("ConfigMap/shop/kube-root-ca.crt", R"({"data":{"ca.crt":"CA"}})");

  EXPECT_THAT(files(R"("projected":{"defaultMode":420,"sources":[)" + std::string(kToken) +
                    R"(,{"configMap":{"name":"kube-root-ca.crt","items":[
                          {"key":"ca.crt","path":"ca.crt"}]}},
                        {"downwardAPI":{"items":[
                          {"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}}]})"),
              ElementsAre("ca.crt 0644 CA", "namespace 0644 shop", "token 0644 token-1 secret"));
}

TEST_F(VolumeFilesTest, HoldTokensForTheUserAndGroupOfThePodAlone) {
  makes_tokens_ = true;
  const std::string volume = R"("projected":{"sources":[)" + std::string(kToken) + "]}";

  more_ = R"(,"securityContext":{"runAsUser":1000})";
  EXPECT_THAT(files(volume), ElementsAre("token 0600 token-1 uid=1000 secret"));
  more_ = R"(,"securityContext":{"fsGroup":2000})";
  EXPECT_THAT(files(volume), ElementsAre("token 0640 token-1 gid=2000 secret"));
}

TEST_F(VolumeFilesTest, AreTokensAloneForAProviderThatUsesNoFiles) {
  makes_files_ = false;
  makes_tokens_ = true;

  EXPECT_THAT(files(R"("projected":{"sources":[{"configMap":{"name":"missing"}},)" +
                    std::string(kToken) + R"(,{"somethingNew":{}}]})"),
              ElementsAre("token 0644 token-1 secret"));
  EXPECT_EQ(*json_of(R"("configMap":{"name":"missing"})"), "{}");
}

TEST_F(VolumeFilesTest, WaitForATokenThatIsNotIssued) {
  makes_tokens_ = true;
  token_source_.fail(not_found("serviceaccounts \"builder\" not found"));

  const auto json = json_of(R"("projected":{"sources":[)" + std::string(kToken) + "]}");

  EXPECT_EQ(json.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(json.status().retry(), Retry::Backoff);
  EXPECT_EQ(json.status().reason(), "ContainerCreating");
  EXPECT_THAT(events_.lines(),
              ElementsAre(R"(FailedMount: MountVolume.SetUp failed for volume "v" : )"
                          R"(failed to fetch token: serviceaccounts "builder" not found)"));
}

TEST_F(VolumeFilesTest, AskForNoTokenThatApiServersDoNotIssue) {
  makes_tokens_ = true;
  for (const char* seconds : {"599", "0", "-600", "4294967297"}) {
    const auto json = json_of(R"("projected":{"sources":[{"serviceAccountToken":
                                   {"path":"token","expirationSeconds":)" +
                              std::string(seconds) + "}}]}");

    EXPECT_EQ(json.status().retry(), Retry::Never) << seconds;
    EXPECT_THAT(json.status().message(), HasSubstr("may not specify a duration"));
  }
  for (const char* path : {"", "../token", "/token"}) {
    EXPECT_EQ(json_of(R"("projected":{"sources":[{"serviceAccountToken":{"path":")" +
                      std::string(path) + R"("}}]})")
                  .status()
                  .retry(),
              Retry::Never)
        << path;
  }
}

TEST_F(VolumeFilesTest, RefuseForGoodATokenWhereNobodyIssuesAny) {
  makes_tokens_ = true;
  issue_ = nullptr;

  const auto json = json_of(R"("projected":{"sources":[)" + std::string(kToken) + "]}");

  EXPECT_EQ(json.status().retry(), Retry::Never);
  EXPECT_THAT(json.status().message(), HasSubstr("no API server"));
}

// ---- hostile ----

TEST_F(VolumeFilesTest, NeverLeaveTheirVolume) {
  source_.put("ConfigMap/shop/app", R"({"data":{"k":"1"}})");
  const std::string long_name(256, 'n');
  std::string long_path;
  while (long_path.size() <= 4096) {
    long_path += "folder/";
  }
  for (const std::string& path :
       {std::string(), std::string("."), std::string("/"), std::string("./."),
        std::string("/etc/passwd"), std::string("//etc"), std::string(".."), std::string("../x"),
        std::string("a/../../x"), std::string("a/.."), std::string("..data"),
        std::string("./..data"), std::string("...x"), std::string("..2026_01_01/x"),
        std::string(R"(a\u0000b)"), long_name, "a/" + long_name, long_path}) {
    const auto item =
        json_of(R"("configMap":{"name":"app","items":[{"key":"k","path":")" + path + R"("}]})");
    const auto downward = json_of(R"("downwardAPI":{"items":[{"path":")" + path +
                                  R"(","fieldRef":{"fieldPath":"metadata.name"}}]})");

    EXPECT_EQ(item.status().retry(), Retry::Never) << path;
    EXPECT_EQ(downward.status().retry(), Retry::Never) << path;
  }
  for (const std::string& path :
       {std::string("a..b"), std::string("a/..b"), std::string("a/...")}) {
    EXPECT_THAT(
        files(R"("configMap":{"name":"app","items":[{"key":"k","path":")" + path + R"("}]})"),
        ElementsAre(path + " 0644 1"));
  }
}

TEST_F(VolumeFilesTest, AreNotMadeOfKeysThatNoApiServerTakes) {
  for (const std::string& key : {std::string("../x"), std::string("/etc"), std::string("a/b"),
                                 std::string(".."), std::string("..data"), std::string("."),
                                 std::string(), std::string("a b"), std::string(254, 'k')}) {
    source_.put("ConfigMap/shop/app", R"({"data":{")" + key + R"(":"1"}})");
    source_.put("Secret/shop/app", R"({"stringData":{")" + key + R"(":"sesame"}})");

    const auto config = json_of(R"("configMap":{"name":"app"})");
    const auto secret = json_of(R"("secret":{"secretName":"app"})");

    EXPECT_EQ(config.status().code(), StatusCode::FailedPrecondition) << key;
    EXPECT_EQ(config.status().retry(), Retry::Backoff) << key;  // the object may be mended
    EXPECT_EQ(secret.status().code(), StatusCode::FailedPrecondition) << key;
    EXPECT_THAT(secret.status().message(), Not(HasSubstr("sesame")));
  }
}

TEST_F(VolumeFilesTest, AreNoFoldersOfOthers) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":"1","a-b":"2","b":"3"}})");
  const auto items = [](const char* first, const char* second) {
    return std::string(R"("projected":{"sources":[{"configMap":{"name":"app","items":[)") +
           R"({"key":"a","path":")" + first +
           R"("},{"key":"a-b","path":"a-b"},{"key":"b","path":")" + second + R"("}]}}]})";
  };

  for (const auto& [first, second] :
       {std::pair("a", "a/b"), std::pair("a/b/c", "a"), std::pair("d/a", "d/a/b/c")}) {
    const auto json = json_of(items(first, second));

    EXPECT_EQ(json.status().code(), StatusCode::FailedPrecondition) << first << ' ' << second;
    EXPECT_THAT(json.status().message(), HasSubstr("the folder of"));
  }
  EXPECT_THAT(files(items("a/x", "ab")), ElementsAre("a/x 0644 1", "a-b 0644 2", "ab 0644 3"));
}

TEST_F(VolumeFilesTest, RefuseModesThatAreNone) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":"1"}})");
  for (const char* mode : {"-1", "512", "4096", "9223372036854775807", "-9223372036854775808"}) {
    const std::string own = R"("configMap":{"name":"app","items":[{"key":"a","path":"a","mode":)" +
                            std::string(mode) + "}]}";
    const std::string of_all =
        R"("configMap":{"name":"app","defaultMode":)" + std::string(mode) + "}";

    EXPECT_EQ(json_of(own).status().retry(), Retry::Never) << mode;
    EXPECT_EQ(json_of(of_all).status().retry(), Retry::Never) << mode;
  }
}

TEST_F(VolumeFilesTest, AreCountedBeforeTheyAreMade) {
  source_.put("ConfigMap/shop/app", R"({"data":{"a":")" + std::string(3000, 'x') + R"("}})");
  const std::string item = R"({"key":"a","path":"a"},{"key":"a","path":"b"})";
  budget_ = 10000;
  EXPECT_TRUE(json_of(R"("configMap":{"name":"app","items":[)" + item + "]}").is_ok());

  budget_ = 5000;
  const auto json = json_of(R"("configMap":{"name":"app","items":[)" + item + "]}");

  EXPECT_THAT(json.status().message(), HasSubstr("too much"));
}

TEST_F(VolumeFilesTest, ShowNothingOfASecretThatIsBroken) {
  source_.put("Secret/shop/db", R"({"data":{"key":"sesame!"}})");

  const auto json = json_of(R"("secret":{"secretName":"db"})");

  EXPECT_EQ(json.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(json.status().retry(), Retry::Backoff);
  EXPECT_THAT(json.status().message(), Not(HasSubstr("sesame")));
  EXPECT_THAT(events_.lines(), ElementsAre(Not(HasSubstr("sesame"))));
}

}  // namespace
}  // namespace vkhost::resolve
