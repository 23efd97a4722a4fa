// The credentials of image pull secrets as they arrive at the provider, and what becomes of a pod while
// there are none.
#include "cluster/pod_material.hpp"
#include "support/json_pointer.hpp"
#include "support/material.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vkhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kProvider = "material = ['pull_credentials']\nkeep_material = 'all'\n";

std::size_t occurrences(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

// A node may not read the cluster's client authority, so it is given to the daemon.
NodeOptions with_the_identity_of_the_node(const TestFolder& folder) {
  NodeOptions options;
  options.kubeconfig = node_kubeconfig;
  options.daemon.kubelet_settings =
      "client_ca_file = '" + folder.write("ca.crt", Cluster::instance().ca_pem()).native() + "'";
  options.daemon.provider_settings = std::string(kProvider);
  return options;
}

class PodPullCredentials : public PodMaterial {
 protected:
  void given_a_provider_that_pulls(const std::string& more = "") {
    given_node({.daemon = {.provider_settings = std::string(kProvider) + more}});
  }
  void given_pull_secret(const std::string& name, const std::string& auths) {
    given_object("secrets", R"({"metadata":{"name":")" + name +
                                R"("},"type":"kubernetes.io/dockerconfigjson",)"
                                R"("stringData":{".dockerconfigjson":")" +
                                auths + "\"}}");
  }
  void given_account(const std::string& name, const std::string& pull_secrets) {
    given_object("serviceaccounts", R"({"metadata":{"name":")" + name +
                                        R"("},"imagePullSecrets":[)" + pull_secrets + "]}");
  }
  std::string create_pulling(const std::string& members) {
    return create(R"("containers":[{"name":"main","image":"registry.example/app:1"}])" + members);
  }
};

TEST_F(PodPullCredentials, OfThePodAndItsAccountArriveInThisOrder) {
  given_a_provider_that_pulls();
  given_pull_secret("own",
                    R"({\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"bWU6c2VzYW1l\"}}})");
  given_pull_secret(
      "team",
      R"({\"auths\":{\"registry.example\":{\"username\":\"team\",\"password\":\"open-sesame\"},)"
      R"(\"acr.example\":{\"auth\":\"MDA6\",\"identitytoken\":\"sesame.id\"}}})");
  given_object("secrets", R"({"metadata":{"name":"old"},"type":"kubernetes.io/dockercfg",
      "stringData":{".dockercfg":"{\"old.example\":{\"auth\":\"bWU6c2VzYW1lLTE=\",\"email\":\"e\"}}"}})");
  given_account("builder", R"({"name":"own"},{"name":"team"})");

  const std::string uid = create_pulling(
      R"(,"serviceAccountName":"builder","imagePullSecrets":[{"name":"old"},{"name":"own"}])");

  EXPECT_THAT(material_of(uid).pull_credentials,
              ElementsAre(PullCredential{.server = "old.example",
                                         .username = "me",
                                         .password = "sesame-1",
                                         .email = "e",
                                         .secret_name = "old"},
                          PullCredential{.server = "https://index.docker.io/v1/",
                                         .username = "me",
                                         .password = "sesame",
                                         .secret_name = "own"},
                          PullCredential{.server = "acr.example",
                                         .username = "00",
                                         .identity_token = "sesame.id",
                                         .secret_name = "team"},
                          PullCredential{.server = "registry.example",
                                         .username = "team",
                                         .password = "open-sesame",
                                         .secret_name = "team"}));
  EXPECT_THAT(node_->daemon().log(), Not(HasSubstr("sesame")));
}

TEST_F(PodPullCredentials, ThatAreMissingAreToldAndKeepNoPodFromRunning) {
  given_a_provider_that_pulls();

  const std::string uid = create_pulling(R"(,"imagePullSecrets":[{"name":"gone"}])");

  EXPECT_THAT(material_of(uid).pull_credentials, IsEmpty());
  EXPECT_TRUE(wait_for_warning(uid,
                               "Unable to retrieve some image pull secrets (gone); attempting to "
                               "pull the image may not succeed."));
}

TEST_F(PodPullCredentials, ThatChangeReachTheProvider) {
  given_a_provider_that_pulls("updates = ['pull_credentials']\n");
  given_pull_secret("own", R"({\"auths\":{\"r.example\":{\"auth\":\"bWU6c2VzYW1lLTE=\"}}})");
  const std::string uid = create_pulling(R"(,"imagePullSecrets":[{"name":"own"}])");
  EXPECT_THAT(material_of(uid).pull_credentials,
              ElementsAre(Field(&PullCredential::password, "sesame-1")));

  node_->cluster().patch(
      "/api/v1/namespaces/" + node_->space() + "/secrets/own",
      R"({"stringData":{".dockerconfigjson":"{\"auths\":{\"r.example\":{\"auth\":\"bWU6c2VzYW1lLTI=\"}}}"}})");

  ASSERT_TRUE(node_->journal().wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") == 1; },
      kLong));
  EXPECT_THAT(material_of(uid).pull_credentials,
              ElementsAre(Field(&PullCredential::password, "sesame-2")));
}

TEST_F(PodPullCredentials, OfHelpersAreRefusedInWords) {
  given_a_provider_that_pulls();
  given_pull_secret("desktop", R"({\"auths\":{\"r\":{}},\"credsStore\":\"desktop\"})");

  const std::string uid = create_pulling(R"(,"imagePullSecrets":[{"name":"desktop"}])");

  EXPECT_THAT(material_of(uid).pull_credentials, IsEmpty());
  EXPECT_TRUE(wait_for_warning(uid, "write the credentials themselves into auths"));
}

TEST_F(PodPullCredentials, OfThePodAreEnoughForANode) {
  const TestFolder folder;
  given_node(with_the_identity_of_the_node(folder));
  given_pull_secret("own", R"({\"auths\":{\"r.example\":{\"auth\":\"bWU6c2VzYW1l\"}}})");
  given_pull_secret("team", R"({\"auths\":{\"r.example\":{\"auth\":\"bWU6dGVhbQ==\"}}})");
  given_account("builder", R"({"name":"team"})");

  const std::string uid =
      create_pulling(R"(,"serviceAccountName":"builder","imagePullSecrets":[{"name":"own"}])");

  EXPECT_THAT(
      material_of(uid).pull_credentials,
      ElementsAre(PullCredential{
          .server = "r.example", .username = "me", .password = "sesame", .secret_name = "own"}));
  // Since Kubernetes 1.34 a node may read the account, and still no secret that only the account names.
  const bool is_told =
      occurrences(node_->daemon().log(), "service accounts may not be read") == 1U ||
      wait_for_warning(uid, "Unable to retrieve some image pull secrets (team)");
  EXPECT_TRUE(is_told);
}

}  // namespace
}  // namespace vkhost::testing
