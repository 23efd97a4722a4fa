#include "resolve/kube_object_source.hpp"

#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;

// Answers every GET with its path.
class EchoClient final : public kube::Client {
 public:
  Result<std::string> get(std::string_view path,
                          const kube::Query& query,
                          const kube::CallOptions& options) override {
    EXPECT_TRUE(query.empty());
    paths.emplace_back(path);
    last = options;
    return std::string(path);
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
