#include "resolve/resource_fields.hpp"

#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::HasSubstr;

class ResourceFields : public ::testing::Test {
 protected:
  ResourceFields() {
    pod_.containers.resize(2);
    pod_.containers[0].name = "web";
    pod_.containers[1].name = "proxy";
  }
  ContainerView& web() { return pod_.containers[0]; }
  Result<std::string> read(const std::string& resource,
                           const std::string& divisor = "",
                           const std::string& container = "") {
    return read_resource_field({container, resource, divisor}, pod_, web(), node_);
  }
  std::string text(const std::string& resource,
                   const std::string& divisor = "",
                   const std::string& container = "") {
    const auto value = read(resource, divisor, container);
    return value ? *value : value.status().to_string();
  }

  PodView pod_;
  testing::FakeNodeFacts node_;
};

TEST_F(ResourceFields, RoundsUpToTheDivisor) {
  web().limits = {{"cpu", "1500m"}, {"memory", "100Mi"}, {"ephemeral-storage", "1Gi"}};

  EXPECT_EQ(text("limits.cpu"), "2");
  EXPECT_EQ(text("limits.cpu", "1"), "2");
  EXPECT_EQ(text("limits.cpu", "0"), "2");  // as the API server writes a divisor left out
  EXPECT_EQ(text("limits.cpu", "1m"), "1500");
  EXPECT_EQ(text("limits.cpu", "400m"), "4");
  EXPECT_EQ(text("limits.memory"), "104857600");
  EXPECT_EQ(text("limits.memory", "1Mi"), "100");
  EXPECT_EQ(text("limits.memory", "1M"), "105");
  EXPECT_EQ(text("limits.memory", "1Gi"), "1");
  EXPECT_EQ(text("limits.ephemeral-storage", "1Ki"), "1048576");
}

TEST_F(ResourceFields, TellsRequestsFromLimits) {
  web().limits = {{"cpu", "2"}, {"memory", "64Mi"}};
  web().requests = {{"cpu", "250m"}};

  EXPECT_EQ(text("requests.cpu", "1m"), "250");
  EXPECT_EQ(text("requests.memory", "1Mi"),
            "64");  // a request left out beside a limit is the limit
  EXPECT_EQ(text("requests.ephemeral-storage"), "0");
}

TEST_F(ResourceFields, TakesLimitsThatNobodySetFromPodThenNode) {
  EXPECT_EQ(read("limits.cpu").status().code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(read("limits.cpu").status().retry(), Retry::Backoff);

  node_.amounts = {{"cpu", "16"}, {"memory", "64Gi"}};
  EXPECT_EQ(text("limits.cpu"), "16");
  web().limits = {{"memory", "0"}};
  EXPECT_EQ(text("limits.memory", "1Gi"), "64");

  pod_.pod_limits = {{"cpu", "4"}};
  EXPECT_EQ(text("limits.cpu"), "4");
  EXPECT_EQ(text("requests.cpu"), "0");
}

TEST_F(ResourceFields, TakesHugePagesFromTheContainerOnly) {
  node_.amounts = {{"hugepages-2Mi", "1Gi"}};
  EXPECT_EQ(text("limits.hugepages-2Mi"), "0");

  web().limits = {{"hugepages-2Mi", "4Mi"}};
  EXPECT_EQ(text("limits.hugepages-2Mi", "1Mi"), "4");
  EXPECT_EQ(text("requests.hugepages-2Mi", "1Mi"), "4");
}

TEST_F(ResourceFields, ReadsAnotherContainerByName) {
  pod_.containers[1].limits = {{"cpu", "3"}};

  EXPECT_EQ(text("limits.cpu", "", "proxy"), "3");
  EXPECT_EQ(read("limits.cpu", "", "nobody").status().retry(), Retry::Never);
}

TEST_F(ResourceFields, RefusesForGoodWhatIsNoResource) {
  for (const char* resource : {"", "cpu", "limits", "limits.", "limits.gpu", "limit.cpu",
                               "limits.hugepages-", "requests.example.com/gpu", "limits.cpu "}) {
    const auto value = read(resource);

    EXPECT_EQ(value.status().code(), StatusCode::FailedPrecondition) << resource;
    EXPECT_EQ(value.status().retry(), Retry::Never) << resource;
  }
}

TEST_F(ResourceFields, RefusesAmountsThatAreNone) {
  web().limits = {{"cpu", "much"}, {"memory", "1Gi"}};

  EXPECT_EQ(read("limits.cpu").status().retry(), Retry::Never);
  EXPECT_EQ(read("limits.memory", "-1").status().retry(), Retry::Never);
  node_.amounts = {{"ephemeral-storage", "lots"}};
  EXPECT_EQ(read("limits.ephemeral-storage").status().retry(), Retry::Backoff);
}

TEST_F(ResourceFields, StaysWithinTheNumbersThatThereAre) {
  web().limits = {{"cpu", "100E"}, {"memory", "9223372036854775807"}};

  EXPECT_EQ(text("limits.cpu", "1m"), "9223372036854775807");
  EXPECT_EQ(text("limits.memory", "1n"), "9223372036854775807");
  EXPECT_EQ(text("limits.memory", "100E"), "1");
}

}  // namespace
}  // namespace vkhost::resolve
