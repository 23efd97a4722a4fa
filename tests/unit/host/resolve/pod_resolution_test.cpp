#include "resolve/pod_resolution.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// One container called "web", whose members the test writes.
class PodResolutionTest : public ::testing::Test {
 protected:
  Result<std::string> material_of(const std::string& spec) {
    const auto pod = kube::parse_pod(
        R"({"metadata":{"name":"web-0","namespace":"shop","uid":"u-1","resourceVersion":"1"},"spec":)" +
        spec + "}");
    const auto view = read_pod_view(spec);
    EXPECT_TRUE(pod.is_ok() && view.is_ok()) << view.status().to_string();
    const ServiceVariables services = make_service_variables(services_);
    auto containers = PodResolution(parts_, **pod, *view, services,
                                    PodResolution::Vanished::Missing, cancel_.token())
                          .containers();
    return containers ? R"({"containers":)" + *containers + "}" : containers;
  }
  Result<std::string> web(const std::string& members) {
    return material_of(R"({"containers":[{"name":"web",)" + members + "}]}");
  }
  // The text of `env` of the container.
  std::string env(const std::string& members) {
    const auto material = web(members);
    if (!material) {
      return material.status().to_string();
    }
    const std::string head = R"({"containers":{"web":{"env":[)";
    EXPECT_TRUE(material->starts_with(head));
    return material->substr(head.size(), material->size() - head.size() - 4);
  }

  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  testing::RecordingResolveEvents events_;
  testing::FakeNodeFacts node_;
  CancelSource cancel_;
  Services services_;
  Objects objects_{{source_, clock_}, std::chrono::milliseconds{0}, 0};
  PodResolution::Parts parts_{objects_, events_, node_, EnvNames::Identifiers,
                              PodAddresses::FromStatus};
};

TEST_F(PodResolutionTest, MergesSeveralSourcesWithPrefixes) {
  source_.put("ConfigMap/shop/one", R"({"data":{"A":"1a","B":"1b"}})");
  source_.put("ConfigMap/shop/two", R"({"data":{"B":"2b"}})");
  source_.put("Secret/shop/three", R"({"stringData":{"A":"3a"}})");

  EXPECT_EQ(env(R"("envFrom":[{"configMapRef":{"name":"one"}},
                              {"prefix":"X_","configMapRef":{"name":"two"}},
                              {"prefix":"Y_","secretRef":{"name":"three"}}])"),
            R"({"name":"A","value":"1a"},{"name":"B","value":"1b"},{"name":"X_B","value":"2b"},)"
            R"({"name":"Y_A","value":"3a","secret":true})");
  EXPECT_THAT(events_.lines(), IsEmpty());
}

TEST_F(PodResolutionTest, LetsLaterSourcesAndEnvWin) {
  source_.put("ConfigMap/shop/one", R"({"data":{"A":"1","B":"1","C":"1"}})");
  source_.put("Secret/shop/two", R"({"stringData":{"B":"2","C":"2"}})");

  EXPECT_EQ(
      env(R"("envFrom":[{"configMapRef":{"name":"one"}},{"secretRef":{"name":"two"}}],
             "env":[{"name":"C","value":"3"},{"name":"C","value":"4"}])"),
      R"({"name":"A","value":"1"},{"name":"B","value":"2","secret":true},{"name":"C","value":"4"})");
}

TEST_F(PodResolutionTest, ExpandsFromWhatCameBeforeAndFromServices) {
  source_.put("ConfigMap/shop/one", R"({"data":{"FROM":"map"}})");
  services_ = {{"db", {"db", "10.0.0.9", {}}}};

  EXPECT_EQ(env(R"j("envFrom":[{"configMapRef":{"name":"one"}}],
                    "env":[{"name":"A","value":"$(FROM)/$(DB_SERVICE_HOST)/$(LATER)"},
                           {"name":"LATER","value":"$(A)"},
                           {"name":"EMPTY","value":""},{"name":"UNSET"},
                           {"name":"LAST","value":"[$(EMPTY)$(UNSET)]"}])j"),
            R"j({"name":"FROM","value":"map"},{"name":"A","value":"map/10.0.0.9/$(LATER)"},)j"
            R"j({"name":"LATER","value":"map/10.0.0.9/$(LATER)"},{"name":"EMPTY","value":""},)j"
            R"j({"name":"UNSET","value":""},{"name":"LAST","value":"[]"},)j"
            R"j({"name":"DB_SERVICE_HOST","value":"10.0.0.9","service":true})j");
}

TEST_F(PodResolutionTest, ExpandsAVariableOfItsOwnNameFromBefore) {
  services_ = {{"db", {"db", "10.0.0.9", {}}}};

  EXPECT_EQ(env(R"j("env":[{"name":"DB_SERVICE_HOST","value":"tcp:$(DB_SERVICE_HOST)"},
                           {"name":"DB_SERVICE_HOST","value":"<$(DB_SERVICE_HOST)>"}])j"),
            R"({"name":"DB_SERVICE_HOST","value":"<tcp:10.0.0.9>"})");
}

TEST_F(PodResolutionTest, DoesNotExpandWhatCameFromAReference) {
  source_.put("ConfigMap/shop/one", R"j({"data":{"A":"$(B)","C":"$$"}})j");

  EXPECT_EQ(env(R"j("envFrom":[{"configMapRef":{"name":"one"}}],
                    "env":[{"name":"B","value":"b"},
                           {"name":"D","valueFrom":{"configMapKeyRef":{"name":"one","key":"A"}}},
                           {"name":"E","value":"$(D)"}])j"),
            R"j({"name":"A","value":"$(B)"},{"name":"C","value":"$$"},{"name":"B","value":"b"},)j"
            R"j({"name":"D","value":"$(B)"},{"name":"E","value":"$(B)"})j");
}

TEST_F(PodResolutionTest, PrefersAReferenceOverAValueBesideIt) {
  EXPECT_EQ(env(R"("env":[{"name":"A","value":"x",
                           "valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}])"),
            R"({"name":"A","value":"web-0"})");
}

TEST_F(PodResolutionTest, ResolvesEveryKindOfContainer) {
  const auto material = material_of(R"j({
      "initContainers":[{"name":"i","env":[{"name":"A","value":"1"}],"args":["$(A)"]}],
      "containers":[{"name":"c","env":[{"name":"A","value":"2"}],"args":["$(A)"]}],
      "ephemeralContainers":[{"name":"e","env":[{"name":"A","value":"3"}],"args":["$(A)"]}]})j");

  EXPECT_EQ(*material,
            R"({"containers":{"i":{"env":[{"name":"A","value":"1"}],"args":[{"value":"1"}]},)"
            R"("c":{"env":[{"name":"A","value":"2"}],"args":[{"value":"2"}]},)"
            R"("e":{"env":[{"name":"A","value":"3"}],"args":[{"value":"3"}]}}})");
}

TEST_F(PodResolutionTest, ReportsKeysThatCannotBeNamesInOneSortedEvent) {
  source_.put("ConfigMap/shop/one", R"({"data":{"ok":"1","9a":"2","..x":"3"}})");
  source_.put("Secret/shop/two", R"({"stringData":{"b":"2"}})");

  EXPECT_EQ(env(R"("envFrom":[{"configMapRef":{"name":"one"}},
                              {"prefix":"7","secretRef":{"name":"two"}}])"),
            R"({"name":"ok","value":"1"})");
  EXPECT_THAT(events_.lines(),
              ElementsAre("InvalidEnvironmentVariableNames: keys [..x, 9a] from configmap shop/one "
                          "were skipped since they are invalid as environment variable names",
                          "InvalidEnvironmentVariableNames: keys [7b] from secret shop/two were "
                          "skipped since they are invalid as environment variable names"));
}

TEST_F(PodResolutionTest, TakesMoreNamesWhereTheClusterDoes) {
  parts_.env_names = EnvNames::Printable;
  source_.put("ConfigMap/shop/one", R"({"data":{"9a":"2"}})");

  EXPECT_EQ(env(R"("envFrom":[{"prefix":"a b/","configMapRef":{"name":"one"}}])"),
            R"({"name":"a b/9a","value":"2"})");
}

// ---- references to what is not there ----

struct Missing {
  const char* container;
  const char* event;  // empty message: it is optional and only skipped
  const char* error;
};

class MissingReference : public PodResolutionTest, public ::testing::WithParamInterface<Missing> {};

TEST_P(MissingReference, IsAnEventAndUnlessOptionalAnError) {
  source_.put("ConfigMap/shop/there", "{}");
  source_.put("Secret/shop/there", "{}");

  const auto material = web(GetParam().container);

  EXPECT_THAT(events_.lines(), ElementsAre(GetParam().event));
  if (*GetParam().error == '\0') {
    EXPECT_EQ(*material, R"({"containers":{"web":{"env":[]}}})");
    return;
  }
  EXPECT_EQ(material.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(material.status().reason(), "CreateContainerConfigError");
  EXPECT_EQ(material.status().retry(), Retry::Backoff);
  EXPECT_EQ(material.status().effect(), Effect::None);
  EXPECT_THAT(material.status().message(), HasSubstr(GetParam().error));
  EXPECT_THAT(material.status().message(), HasSubstr("container web"));
}

INSTANTIATE_TEST_SUITE_P(
    ConfigMaps,
    MissingReference,
    ::testing::Values(
        Missing{R"("envFrom":[{"configMapRef":{"name":"no","optional":true}}])",
                R"(OptionalConfigMapNotFound: configmap "no" not found)", ""},
        Missing{R"("envFrom":[{"configMapRef":{"name":"no"}}])",
                R"(MandatoryConfigMapNotFound: configmap "no" not found)",
                R"(configmap "no" not found in namespace shop)"},
        Missing{
            R"("env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"no","key":"k","optional":true}}}])",
            R"(OptionalConfigMapNotFound: skipping optional envvar "A": configmap "no" not found)",
            ""},
        Missing{
            R"("env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"no","key":"k","optional":false}}}])",
            R"(MandatoryConfigMapNotFound: configmap "no" not found)",
            R"(configmap "no" not found)"},
        Missing{
            R"("env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"there","key":"k","optional":true}}}])",
            R"(OptionalConfigMapKeyNotFound: skipping optional envvar "A": key "k" does not exist in configmap "there")",
            ""},
        Missing{
            R"("env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"there","key":"k"}}}])",
            R"(MandatoryConfigMapKeyNotFound: key "k" does not exist in configmap "there")",
            R"(key "k" does not exist in configmap "there")"}));

INSTANTIATE_TEST_SUITE_P(
    Secrets,
    MissingReference,
    ::testing::Values(
        Missing{R"("envFrom":[{"secretRef":{"name":"no","optional":true}}])",
                R"(OptionalSecretNotFound: secret "no" not found)", ""},
        Missing{R"("envFrom":[{"secretRef":{"name":"no"}}])",
                R"(MandatorySecretNotFound: secret "no" not found)",
                R"(secret "no" not found in namespace shop)"},
        Missing{
            R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"no","key":"k","optional":true}}}])",
            R"(OptionalSecretNotFound: skipping optional envvar "A": secret "no" not found)", ""},
        Missing{R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"no","key":"k"}}}])",
                R"(MandatorySecretNotFound: secret "no" not found)", R"(secret "no" not found)"},
        Missing{
            R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"there","key":"k","optional":true}}}])",
            R"(OptionalSecretKeyNotFound: skipping optional envvar "A": key "k" does not exist in secret "there")",
            ""},
        Missing{R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"there","key":"k"}}}])",
                R"(MandatorySecretKeyNotFound: key "k" does not exist in secret "there")",
                R"(key "k" does not exist in secret "there")"},
        Missing{R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"key":"k"}}}])",
                R"(MandatorySecretNotFound: secret "" not found)", R"(secret "" not found)"}));

TEST_F(PodResolutionTest, KeepsAnEarlierValueWhenAnOptionalOneIsMissing) {
  EXPECT_EQ(env(R"("env":[{"name":"A","value":"default"},
                {"name":"A","valueFrom":{"secretKeyRef":{"name":"no","key":"k","optional":true}}}])"),
            R"({"name":"A","value":"default"})");
}

TEST_F(PodResolutionTest, DoesNotTakeUnreadableForMissing) {
  source_.fail("Secret/shop/db", unavailable("connection refused"));
  source_.fail("ConfigMap/shop/app",
               Status(StatusCode::PermissionDenied, "configmaps is forbidden"));

  const auto secret = web(R"("envFrom":[{"secretRef":{"name":"db","optional":true}}])");
  const auto map = web(R"("envFrom":[{"configMapRef":{"name":"app"}}])");

  EXPECT_EQ(secret.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(map.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(map.status().retry(), Retry::Backoff);
  EXPECT_THAT(map.status().message(), HasSubstr("configmaps is forbidden"));
  EXPECT_THAT(events_.lines(),
              ElementsAre(R"(FailedToReadOptionalSecret: failed to read secret "db")",
                          R"(FailedToReadMandatoryConfigMap: failed to read configmap "app")"));
}

TEST_F(PodResolutionTest, ReadsEachObjectOnceForAllContainers) {
  source_.put("Secret/shop/db", R"({"stringData":{"a":"1","b":"2"}})");

  EXPECT_TRUE(material_of(R"({"containers":[
      {"name":"one","envFrom":[{"secretRef":{"name":"db"}},{"secretRef":{"name":"no","optional":true}}]},
      {"name":"two","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"db","key":"a"}}},
                           {"name":"B","valueFrom":{"secretKeyRef":{"name":"db","key":"b"}}},
                           {"name":"C","valueFrom":{"secretKeyRef":{"name":"no","key":"c","optional":true}}}]}]})")
                  .is_ok());

  EXPECT_THAT(source_.reads(), ElementsAre("Secret/shop/db", "Secret/shop/no"));
}

TEST_F(PodResolutionTest, RefusesValuesThatAreNotTextWithoutShowingThem) {
  source_.put("Secret/shop/nul", R"({"data":{"k":"c2VzYW1lAA=="}})");    // "sesame\0"
  source_.put("Secret/shop/bytes", R"({"data":{"k":"c2VzYW1l/w=="}})");  // "sesame\xff"

  for (const char* name : {"nul", "bytes"}) {
    const auto material =
        web(R"("envFrom":[{"secretRef":{"name":")" + std::string(name) + R"("}}])");

    EXPECT_EQ(material.status().code(), StatusCode::FailedPrecondition);
    EXPECT_THAT(material.status().message(), HasSubstr("key \"k\""));
    EXPECT_THAT(material.status().message(), Not(HasSubstr("sesame")));
  }
}

TEST_F(PodResolutionTest, RefusesSourcesThatItDoesNotKnow) {
  const auto material = web(R"("env":[{"name":"A","valueFrom":{"fileKeyRef":{"key":"x"}}}])");

  EXPECT_EQ(material.status().retry(), Retry::Never);
  EXPECT_THAT(material.status().message(), HasSubstr("fileKeyRef"));
  EXPECT_THAT(material.status().message(), HasSubstr("variable A"));
}

TEST_F(PodResolutionTest, ReadsResourcesOfTheContainer) {
  node_.amounts = {{"memory", "2Gi"}};

  EXPECT_EQ(env(R"("resources":{"limits":{"cpu":"250m"}},"env":[
      {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}},
      {"name":"MEM","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}}])"),
            R"({"name":"CPU","value":"250"},{"name":"MEM","value":"2048"})");
}

// ---- addresses that the provider fills in ----

TEST_F(PodResolutionTest, LeavesLateVariablesAndWhatRefersToThem) {
  parts_.addresses = PodAddresses::Late;
  services_ = {{"pod", {"pod", "10.0.0.9", {}}}};  // POD_SERVICE_HOST

  const auto material = web(R"j("env":[
      {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
      {"name":"POD_SERVICE_HOST","valueFrom":{"fieldRef":{"fieldPath":"status.podIPs"}}},
      {"name":"URL","value":"http://$(IP):$(POD_SERVICE_HOST)/"}],
      "args":["--bind=$(IP)","--url=$(URL)"],
      "volumeMounts":[{"mountPath":"/d","subPathExpr":"x/$(IP)"}])j");

  EXPECT_EQ(
      *material,
      R"j({"containers":{"web":{"env":[{"name":"IP","field_ref":"status.podIP"},)j"
      R"j({"name":"POD_SERVICE_HOST","field_ref":"status.podIPs"},)j"
      R"j({"name":"URL","value":"http://$(IP):$(POD_SERVICE_HOST)/"}],)j"
      R"j("args":[{"value":"--bind=$(IP)"},{"value":"--url=http://$(IP):$(POD_SERVICE_HOST)/"}],)j"
      R"j("sub_paths":{"/d":{"value":"x/$(IP)"}}}}})j");
}

TEST_F(PodResolutionTest, WaitsForAnAddressThatNobodyFillsIn) {
  const auto material =
      web(R"("env":[{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}])");

  EXPECT_EQ(material.status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(material.status().reason(), "CreateContainerConfigError");
  EXPECT_EQ(material.status().retry(), Retry::Backoff);
}

// ---- sub-path expressions ----

TEST_F(PodResolutionTest, ExpandsSubPathsAndMarksSecretOnes) {
  source_.put("Secret/shop/db", R"({"stringData":{"S":"hush"}})");

  const auto material = web(R"j("envFrom":[{"secretRef":{"name":"db"}}],
      "env":[{"name":"NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],
      "volumeMounts":[{"mountPath":"/b","subPathExpr":"$(S)"},
                      {"mountPath":"/a","subPathExpr":"logs/$(NAME)/$$(NAME)"},
                      {"mountPath":"/c","subPath":"plain"}])j");

  EXPECT_THAT(*material, HasSubstr(R"j("sub_paths":{"/a":{"value":"logs/web-0/$(NAME)"},)j"
                                   R"j("/b":{"value":"hush","secret":true}})j"));
}

TEST_F(PodResolutionTest, RefusesSubPathsThatWouldBeAnotherFolder) {
  const char* const env = R"("env":[{"name":"EMPTY"},{"name":"UP","value":".."},)"
                          R"({"name":"ROOT","value":"/"},{"name":"S","value":"hush"}],)";
  for (const char* path : {"$(MISSING)", "a/$(EMPTY)", "$(UP)", "a/$(UP)/b", "a/$(UP)",
                           "$(ROOT)etc", "/etc", "..", "../a"}) {
    const auto material =
        web(env + std::string(R"("volumeMounts":[{"mountPath":"/data","subPathExpr":")") + path +
            R"("}])");

    EXPECT_EQ(material.status().code(), StatusCode::FailedPrecondition) << path;
    EXPECT_EQ(material.status().reason(), "CreateContainerConfigError");
    EXPECT_THAT(material.status().message(), HasSubstr("/data"));
  }
  EXPECT_TRUE(
      web(R"("volumeMounts":[{"mountPath":"/data","subPathExpr":"..a/b../.../c"}])").is_ok());
}

}  // namespace
}  // namespace vkhost::resolve
