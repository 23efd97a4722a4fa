#include "kube/paths.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vkhost::kube {
namespace {

TEST(Paths, AreThoseOfTheApiReference) {
  const std::pair<std::string, const char*> paths[] = {
      {pods_path(""), "/api/v1/pods"},
      {pods_path("ns"), "/api/v1/namespaces/ns/pods"},
      {pod_path("ns", "web-0"), "/api/v1/namespaces/ns/pods/web-0"},
      {pod_status_path("ns", "web-0"), "/api/v1/namespaces/ns/pods/web-0/status"},
      {nodes_path(), "/api/v1/nodes"},
      {node_path("vk-0"), "/api/v1/nodes/vk-0"},
      {node_status_path("vk-0"), "/api/v1/nodes/vk-0/status"},
      {leases_path(kNodeLeaseNamespace),
       "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"},
      {lease_path("ns", "l"), "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l"},
      {events_path("ns"), "/api/v1/namespaces/ns/events"},
      {event_path("ns", "e.1"), "/api/v1/namespaces/ns/events/e.1"},
      {config_maps_path(""), "/api/v1/configmaps"},
      {config_map_path("ns", "c"), "/api/v1/namespaces/ns/configmaps/c"},
      {secrets_path(""), "/api/v1/secrets"},
      {secret_path("ns", "s"), "/api/v1/namespaces/ns/secrets/s"},
      {services_path("ns"), "/api/v1/namespaces/ns/services"},
      {claim_path("ns", "c"), "/api/v1/namespaces/ns/persistentvolumeclaims/c"},
      {trust_bundles_path("v1"), "/apis/certificates.k8s.io/v1/clustertrustbundles"},
      {persistent_volume_path("v/.."), "/api/v1/persistentvolumes/v%2F.."},
      {service_account_path("ns", "sa"), "/api/v1/namespaces/ns/serviceaccounts/sa"},
      {service_account_token_path("ns", "sa"), "/api/v1/namespaces/ns/serviceaccounts/sa/token"},
      {token_reviews_path(), "/apis/authentication.k8s.io/v1/tokenreviews"},
      {subject_access_reviews_path(), "/apis/authorization.k8s.io/v1/subjectaccessreviews"},
      {certificate_request_path("x"), "/apis/certificates.k8s.io/v1/certificatesigningrequests/x"}};
  for (const auto& [path, expected] : paths) {
    EXPECT_EQ(path, expected);
  }
}

TEST(Paths, NoNameLeavesItsCollection) {
  EXPECT_EQ(pod_path("a/b", "../secrets?x#y"),
            "/api/v1/namespaces/a%2Fb/pods/..%2Fsecrets%3Fx%23y");
  EXPECT_EQ(pod_path("ns", ".."), "/api/v1/namespaces/ns/pods/%2E%2E");
  EXPECT_EQ(node_path("\xc3\xa9 %"), "/api/v1/nodes/%C3%A9%20%25");
}

TEST(QueryString, EncodesBothSides) {
  EXPECT_EQ(query_string({}), "");
  EXPECT_EQ(query_string({{"fieldSelector", "spec.nodeName=a,b"}, {"limit", "500"}}),
            "?fieldSelector=spec.nodeName%3Da%2Cb&limit=500");
}

}  // namespace
}  // namespace vkhost::kube
