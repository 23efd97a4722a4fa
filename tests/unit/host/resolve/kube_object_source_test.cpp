#include "resolve/kube_object_source.hpp"

#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;

// Answers every GET with its path, or with what there is at this path.
class EchoClient final : public kube::Client {
 public:
  Result<std::string> get(std::string_view path,
                          const kube::Query& query,
                          const kube::CallOptions& options) override {
    paths.emplace_back(path);
    last = options;
    last_query = query;
    if (answers.empty()) {
      EXPECT_TRUE(query.empty());
      return std::string(path);
    }
    const auto found = answers.find(path);
    return found == answers.end() ? Result<std::string>(not_found("404")) : found->second;
  }
  Result<std::string> create(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return unimplemented("only reads are expected");
  }
  Result<std::string> update(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return unimplemented("only reads are expected");
  }
  Result<std::string> patch(std::string_view /*path*/,
                            kube::PatchType /*type*/,
                            std::string /*body*/,
                            const kube::CallOptions& /*options*/) override {
    return unimplemented("only reads are expected");
  }
  Result<std::string> remove(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return unimplemented("only reads are expected");
  }
  Result<std::unique_ptr<kube::WatchStream>> watch(std::string_view /*path*/,
                                                   const kube::Query& /*query*/,
                                                   const kube::CallOptions& /*options*/) override {
    return unimplemented("only reads are expected");
  }

  std::vector<std::string> paths;
  kube::CallOptions last;
  kube::Query last_query;
  std::map<std::string, std::string, std::less<>> answers;
};

TEST(KubeObjectSource, ReadsByNameWithinOneNamespace) {
  EchoClient client;
  const testing::FakeClock clock;
  KubeObjectSource source(client, clock);

  EXPECT_TRUE(source.get_config_map("shop", "app", {}).is_ok());
  EXPECT_TRUE(source.get_secret("shop", "db", {}).is_ok());
  EXPECT_TRUE(source.get_service("default", "kubernetes", {}).is_ok());
  EXPECT_TRUE(source.get_service_account("shop", "builder", {}).is_ok());
  EXPECT_TRUE(source.get_claim("shop", "data", {}).is_ok());
  EXPECT_TRUE(source.get_persistent_volume("pv-1", {}).is_ok());
  EXPECT_TRUE(source.list_services("shop", {}).is_ok());

  EXPECT_THAT(
      client.paths,
      ElementsAre("/api/v1/namespaces/shop/configmaps/app", "/api/v1/namespaces/shop/secrets/db",
                  "/api/v1/namespaces/default/services/kubernetes",
                  "/api/v1/namespaces/shop/serviceaccounts/builder",
                  "/api/v1/namespaces/shop/persistentvolumeclaims/data",
                  "/api/v1/persistentvolumes/pv-1", "/api/v1/namespaces/shop/services"));
}

TEST(KubeObjectSource, AsksForTrustBundlesInAVersionThatIsServed) {
  EchoClient client;
  const testing::FakeClock clock;
  KubeObjectSource source(client, clock);
  const std::string v1 = "/apis/certificates.k8s.io/v1/clustertrustbundles";
  const std::string v1beta1 = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles";
  const std::string selection = "spec.signerName=s\na=b";
  client.answers = {{v1beta1, R"({"items":[{}]})"}};

  EXPECT_TRUE(source.list_trust_bundles(selection, {}).is_ok());
  EXPECT_THAT(client.paths, ElementsAre(v1, v1beta1));
  EXPECT_THAT(client.last_query, ElementsAre(::testing::Pair("fieldSelector", "spec.signerName=s"),
                                             ::testing::Pair("labelSelector", "a=b")));

  EXPECT_TRUE(source.list_trust_bundles(selection, {}).is_ok());
  EXPECT_THAT(client.paths, ElementsAre(v1, v1beta1, v1beta1)) << "it remembers which";

  client.answers = {{v1, R"({"items":[{}]})"}};
  EXPECT_TRUE(source.list_trust_bundles(selection, {}).is_ok()) << "after an upgrade";
}

TEST(KubeObjectSource, HasNoTrustBundlesWhereNoneAreSelectedOrServed) {
  EchoClient client;
  const testing::FakeClock clock;
  KubeObjectSource source(client, clock);
  const std::string v1 = "/apis/certificates.k8s.io/v1/clustertrustbundles";
  client.answers = {{v1, R"({"items":[]})"}};
  const Status none = source.list_trust_bundles("metadata.name=a\n", {}).status();
  EXPECT_EQ(none.code(), StatusCode::NotFound);

  client.answers = {{"/elsewhere", ""}};
  const Status unserved = source.list_trust_bundles("metadata.name=a\n", {}).status();

  EXPECT_EQ(unserved.code(), StatusCode::NotFound);
  EXPECT_EQ(unserved.message(), "the API server does not serve ClusterTrustBundles");
}

TEST(KubeObjectSource, LetsNoReferenceLeaveItsCollection) {
  EchoClient client;
  const testing::FakeClock clock;
  KubeObjectSource source(client, clock);

  for (const std::string& path :
       {*source.get_secret("shop", "../../kube-system/secrets/root", {}),
        *source.get_secret("shop", "..", {}), *source.get_service("shop", "a?watch=1", {}),
        *source.get_service_account("shop", "a/token", {}),
        *source.get_claim("shop", "../a", {})}) {
    EXPECT_THAT(path,
                ::testing::MatchesRegex(
                    "/api/v1/namespaces/shop/"
                    "(secrets|services|serviceaccounts|persistentvolumeclaims)/[A-Za-z0-9%._-]+"))
        << path;
    EXPECT_FALSE(path.ends_with("/..")) << path;
  }
}

TEST(KubeObjectSource, BoundsEachReadAndPassesTheCancellationOn) {
  EchoClient client;
  const testing::FakeClock clock;
  KubeObjectSource source(client, clock, std::chrono::seconds{3});
  CancelSource cancel;

  EXPECT_TRUE(source.get_secret("shop", "db", cancel.token()).is_ok());
  cancel.cancel();

  EXPECT_EQ(client.last.deadline.remaining(clock.steady_now()), std::chrono::seconds{3});
  EXPECT_TRUE(client.last.cancel.is_cancelled());
}

}  // namespace
}  // namespace vkhost::resolve
