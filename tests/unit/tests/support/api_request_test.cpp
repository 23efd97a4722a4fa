#include "support/api_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::testing {
namespace {

TEST(ApiRequest, IsNamedInTheWordsOfRbac) {
  struct Case {
    std::string method;
    std::string target;
    std::string label;
  };
  const std::vector<Case> cases = {
      {"GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dweb", "list pods"},
      {"GET", "/api/v1/pods?watch=true&resourceVersion=7", "watch pods"},
      {"GET", "/api/v1/pods?sendInitialEvents=true&watch=true", "list pods"},
      {"GET", "/api/v1/namespaces/default/pods/web-0", "get pods"},
      {"PATCH", "/api/v1/namespaces/default/pods/web-0/status", "patch pods/status"},
      {"DELETE", "/api/v1/namespaces/default/pods/web-0", "delete pods"},
      {"DELETE", "/api/v1/namespaces/default/pods", "deletecollection pods"},
      {"POST", "/api/v1/namespaces/default/events", "create events"},
      {"PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/web",
       "update leases"},
      {"POST", "/apis/authentication.k8s.io/v1/tokenreviews", "create tokenreviews"},
      {"GET", "/api/v1/namespaces/default", "get namespaces"},
      {"PUT", "/api/v1/namespaces/default/finalize", "update namespaces/finalize"},
      {"POST", "/api/v1/namespaces/default/serviceaccounts/web/token",
       "create serviceaccounts/token"},
      {"PATCH", "/api/v1/nodes/web/status", "patch nodes/status"},
      {"GET", "/readyz?verbose", "get /readyz"},
      {"GET", "/api/v1", "get /api/v1"},
      {"GET", "/apis/apps/v1", "get /apis/apps/v1"},
      {"GET", "", "get "},
  };

  for (const auto& each : cases) {
    EXPECT_EQ(classify_request(each.method, each.target).label(), each.label) << each.target;
  }
}

TEST(ApiRequest, IsAWatchAlsoWhereItBeginsWithTheList) {
  EXPECT_TRUE(classify_request("GET", "/api/v1/pods?watch=true&sendInitialEvents=true").is_watch());
  EXPECT_TRUE(classify_request("GET", "/api/v1/pods?watch=true").is_watch());
  EXPECT_FALSE(classify_request("GET", "/api/v1/pods?sendInitialEvents=true").is_watch());
}

TEST(ApiRequest, KnowsTheNamespaceAndTheName) {
  const ApiRequest request =
      classify_request("GET", "/api/v1/namespaces/default/pods/web-0/log?follow=true");

  EXPECT_EQ(request.namespace_name, "default");
  EXPECT_EQ(request.name, "web-0");
  EXPECT_EQ(request.resource, "pods/log");
}

}  // namespace
}  // namespace vkhost::testing
