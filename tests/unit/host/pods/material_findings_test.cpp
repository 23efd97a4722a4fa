#include "pods/material_findings.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using plugin::Finding;
using plugin::FindingKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

plugin::Capabilities taking(bool plugin::Capabilities::* kind) {
  plugin::Capabilities capabilities;
  capabilities.*kind = true;
  return capabilities;
}

// A container that uses the volume "v".
std::string pod_with(const std::string& source, const std::string& more = "") {
  return R"({"metadata":{"name":"web"},"spec":{"containers":[{"name":"main",)"
         R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)" +
         source + "}]" + more + "}}";
}

std::vector<std::string> findings(const std::string& pod, const plugin::Capabilities& uses = {}) {
  std::vector<std::string> lines;
  for (const Finding& finding : material_findings(pod, uses)) {
    lines.push_back(finding.pointer + ": " + finding.text);
    EXPECT_EQ(finding.kind, FindingKind::Ignored) << lines.back();
  }
  return lines;
}

TEST(MaterialFindings, NameVolumesWhoseFilesNobodyTakes) {
  for (const char* kind : {"configMap", "secret", "downwardAPI"}) {
    const std::string pod = pod_with("\"" + std::string(kind) + R"(":{"name":"x"})");
    EXPECT_THAT(findings(pod), ElementsAre("/spec/volumes/0/" + std::string(kind) +
                                           ": the provider takes no files"));
    EXPECT_THAT(findings(pod, taking(&plugin::Capabilities::uses_files)), IsEmpty());
  }
}

TEST(MaterialFindings, NameEachSourceOfAProjectedVolume) {
  const std::string pod = pod_with(
      R"("projected":{"sources":[{"secret":{"name":"s"}},{"serviceAccountToken":{"path":"t"}},
         {"configMap":null,"downwardAPI":{"items":[]}},{"clusterTrustBundle":{"name":"b"}}]})");

  EXPECT_THAT(
      findings(pod, taking(&plugin::Capabilities::uses_tokens)),
      ElementsAre("/spec/volumes/0/projected/sources/0/secret: the provider takes no files",
                  "/spec/volumes/0/projected/sources/2/downwardAPI: the provider takes no files",
                  "/spec/volumes/0/projected/sources/3/clusterTrustBundle: the provider takes no "
                  "files"));
  EXPECT_THAT(
      findings(pod, taking(&plugin::Capabilities::uses_files)),
      ElementsAre("/spec/volumes/0/projected/sources/1/serviceAccountToken: the provider takes no "
                  "tokens"));
}

TEST(MaterialFindings, RefuseWhatTheHostDoesNotMake) {
  const std::string pod =
      pod_with(R"("projected":{"sources":[{"podCertificate":{"signerName":"s"}}]})");

  EXPECT_THAT(material_findings(pod, taking(&plugin::Capabilities::uses_files)),
              ElementsAre(Finding{FindingKind::Refused,
                                  "/spec/volumes/0/projected/sources/0/podCertificate",
                                  "vkhost makes no podCertificate"}));
  EXPECT_THAT(findings(pod), SizeIs(1)) << "with the rest of the volume it comes to nothing";
}

TEST(MaterialFindings, NameClaimsThatNobodyTakes) {
  for (const char* kind : {"persistentVolumeClaim", "ephemeral"}) {
    const std::string pod = pod_with("\"" + std::string(kind) + "\":{}");
    EXPECT_THAT(
        findings(pod, taking(&plugin::Capabilities::uses_files)),
        ElementsAre("/spec/volumes/0/" + std::string(kind) + ": the provider takes no storage"));
    EXPECT_THAT(findings(pod, taking(&plugin::Capabilities::uses_storage)), IsEmpty());
  }
}

TEST(MaterialFindings, NameSecretsOfSources) {
  EXPECT_THAT(
      findings(pod_with(R"("csi":{"driver":"d","nodePublishSecretRef":{"name":"s"}})")),
      ElementsAre("/spec/volumes/0/csi/nodePublishSecretRef: the provider takes no storage"));
  EXPECT_THAT(findings(pod_with(R"("azureFile":{"secretName":"s"})")), SizeIs(1));
  EXPECT_THAT(findings(pod_with(R"("rbd":{"secretRef":{"name":"s"}})"),
                       taking(&plugin::Capabilities::uses_storage)),
              IsEmpty());
}

TEST(MaterialFindings, AreNoneWhereThePodSaysItAll) {
  for (const char* source :
       {R"("emptyDir":{"medium":"Memory"})", R"("nfs":{"server":"s","path":"/"})",
        R"("hostPath":{"path":"/"})", R"("csi":{"driver":"d","nodePublishSecretRef":null})",
        R"("image":{"reference":"r"})"}) {
    EXPECT_THAT(findings(pod_with(source)), IsEmpty()) << source;
  }
}

TEST(MaterialFindings, AreAboutWhatAContainerUsesAndSomebodyWrote) {
  EXPECT_THAT(findings(R"({"spec":{"volumes":[{"name":"v","secret":{"secretName":"s"}}]}})"),
              IsEmpty());
  EXPECT_THAT(
      findings(
          R"({"spec":{"containers":[{"volumeMounts":[{"name":"kube-api-access-x"}]}],"volumes":[
              {"name":"kube-api-access-x","projected":{"sources":[{"configMap":{}}]}}]}})"),
      IsEmpty());
  EXPECT_THAT(findings(R"({"spec":{"initContainers":[{"volumeDevices":[{"name":"v"}]}],
                           "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}]}})"),
              SizeIs(1));
}

TEST(MaterialFindings, NamePullSecretsThatNobodyTakes) {
  const std::string pod = pod_with(R"("emptyDir":{})", R"(,"imagePullSecrets":[{"name":"p"}])");

  EXPECT_THAT(findings(pod),
              ElementsAre("/spec/imagePullSecrets: the provider takes no pull credentials"));
  EXPECT_THAT(findings(pod, taking(&plugin::Capabilities::uses_pull_credentials)), IsEmpty());
  EXPECT_THAT(findings(pod_with(R"("emptyDir":{})", R"(,"imagePullSecrets":[ ])")), IsEmpty());
}

TEST(MaterialFindings, AreBoundedAndBearAnyShape) {
  std::string sources;
  for (int i = 0; i < 400; ++i) {
    sources += sources.empty() ? R"({"secret":{}})" : R"(,{"secret":{}})";
  }
  EXPECT_THAT(findings(pod_with(R"("projected":{"sources":[)" + sources + "]}")), SizeIs(256));
  for (const char* pod : {"{}", R"({"spec":null})", R"({"spec":{"volumes":{},"containers":7}})",
                          R"({"spec":{"volumes":["v"],"containers":[1],"imagePullSecrets":"x"}})",
                          R"({"spec":{"volumes":[{"name":"v","projected":[]}],
                    "containers":[{"volumeMounts":{"name":"v"}}]}})"}) {
    EXPECT_THAT(findings(pod), IsEmpty()) << pod;
  }
}

}  // namespace
}  // namespace vkhost::pods
