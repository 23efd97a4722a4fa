// ClusterTrustBundles that pods project, where the API server has them.
#include "cluster/pod_material.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {
namespace {

constexpr std::string_view kBundles = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles";

class PodTrustBundles : public PodMaterial {
 protected:
  void SetUp() override {
    if (!Cluster::instance().exists(kBundles)) {
      GTEST_SKIP() << "this API server has no ClusterTrustBundles";
    }
    given_node({.daemon = {.provider_settings = "material = ['files']\n"
                                                "updates = ['files']\n"
                                                "keep_material = 'all'\n"}});
  }
  ~PodTrustBundles() override {
    for (const std::string& path : made_) {
      static_cast<void>(Cluster::instance().api().remove(path));
    }
  }
  void given_bundle(const std::string& name, const std::string& more = "") {
    made_.push_back(std::string(kBundles) + "/" + name);
    const std::string& pem = Cluster::instance().ca_pem();
    std::string text;
    for (const char c : pem) {
      text += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    node_->cluster().create(kBundles, R"({"apiVersion":"certificates.k8s.io/v1beta1",)"
                                      R"("kind":"ClusterTrustBundle","metadata":{"name":")" +
                                          name + R"("},"spec":{"trustBundle":")" + text + "\"" +
                                          more + "}}");
  }
  std::string create_projecting(const std::string& source) {
    return create(R"("containers":[{"name":"main","image":"registry.example/app:1",)"
                  R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)"
                  R"("projected":{"sources":[{"clusterTrustBundle":)" +
                  source + "}]}}]");
  }
  // Of the file "ca.pem", once the pod runs.
  std::string anchors_of(const std::string& uid) {
    return material_of(uid).volumes.at("v").at("ca.pem").data;
  }

 private:
  std::vector<std::string> made_;
};

TEST_F(PodTrustBundles, AreFoundByTheirName) {
  const std::string name = Cluster::unique_name("bundle");
  given_bundle(name);

  const std::string uid = create_projecting(R"({"path":"ca.pem","name":")" + name + "\"}");

  EXPECT_EQ(anchors_of(uid), Cluster::instance().ca_pem());
}

TEST_F(PodTrustBundles, AreFoundByTheirSigner) {
  const std::string signer = "example.com/" + Cluster::unique_name("signer");
  std::string name = signer + ":one";
  std::replace(name.begin(), name.end(), '/', ':');
  given_bundle(name, R"(,"signerName":")" + signer + "\"");

  const std::string uid =
      create_projecting(R"({"path":"ca.pem","labelSelector":{},"signerName":")" + signer + "\"}");

  EXPECT_EQ(anchors_of(uid), Cluster::instance().ca_pem());
}

TEST_F(PodTrustBundles, ThatAreMissingAreShownAndCuredWithoutARestart) {
  const std::string name = Cluster::unique_name("bundle");
  const std::string uid = create_projecting(R"({"path":"ca.pem","name":")" + name + "\"}");
  wait_for_pod([&](const std::string& pod) {
    return json_at(pod, kWaitingReason) == "ContainerCreating" &&
           json_at(pod, kWaitingMessage).find("\"" + name + "\" not found") != std::string::npos;
  });

  given_bundle(name);

  EXPECT_EQ(anchors_of(uid), Cluster::instance().ca_pem());
}

TEST_F(PodTrustBundles, MayBeMissingWhereTheyAreOptional) {
  const std::string uid = create_projecting(R"({"path":"ca.pem","optional":true,"name":")" +
                                            Cluster::unique_name("none") + "\"}");

  EXPECT_EQ(anchors_of(uid), "");
}

}  // namespace
}  // namespace vkhost::testing
