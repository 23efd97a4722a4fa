#include "kubelet/routes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kubelet {
namespace {

TEST(Routes, AreEachAnsweredByOneRowThatTakesARight) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.emplace(route.method, route.path).second) << route.path;
    EXPECT_FALSE(route.verb.empty()) << route.path;
    ASSERT_FALSE(route.subresources.empty()) << route.path;
    EXPECT_EQ(route.subresources.back(), route.endpoint == Endpoint::Metrics ? "metrics" : "proxy")
        << route.path << ": what older roles allow";
    EXPECT_NE(route.endpoint, Endpoint::Unknown) << route.path;
  }
}

TEST(Routes, AreFoundByTheirDecodedSegments) {
  EXPECT_EQ(find_route("GET", {"pods"}).route->endpoint, Endpoint::Pods);
  EXPECT_EQ(find_route("HEAD", {"pods"}).route->endpoint, Endpoint::Pods);
  EXPECT_EQ(find_route("GET", {"vkhost", "v1", "pods"}).route->endpoint, Endpoint::PodStates);
  for (const std::vector<std::string>& segments :
       {std::vector<std::string>{}, {"Pods"}, {"pods", "x"}, {"vkhost/v1/pods"}, {"", "pods"}}) {
    EXPECT_EQ(find_route("GET", segments).route, nullptr);
    EXPECT_EQ(find_route("GET", segments).allowed_methods, "");
  }
}

TEST(Routes, SayWhichMethodsAPathHas) {
  const RouteMatch match = find_route("POST", {"pods"});

  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed_methods, "GET, HEAD");
}

TEST(Routes, TakeTheRightToAskAnythingWhereThereIsNoRow) {
  for (const auto& [method, verb] : {std::pair<const char*, const char*>{"GET", "get"},
                                     {"POST", "create"},
                                     {"PUT", "update"},
                                     {"PATCH", "patch"},
                                     {"DELETE", "delete"},
                                     {"BREW", ""}}) {
    const Route route = unknown_route(method);

    EXPECT_EQ(route.endpoint, Endpoint::Unknown);
    EXPECT_EQ(route.verb, verb);
    ASSERT_EQ(route.subresources.size(), 1U);
    EXPECT_EQ(route.subresources.front(), "proxy");
  }
}

}  // namespace
}  // namespace vkhost::kubelet
