#include "kube/kubeconfig.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using vkhost::testing::TestFolder;

constexpr const char* kFull = R"(apiVersion: v1
kind: Config
current-context: prod
contexts:
- name: prod
  context: {cluster: east, user: bob, namespace: team}
- name: test
  context: {cluster: west, user: ann}
clusters:
- name: east
  cluster:
    server: https://east:6443
    certificate-authority-data: Y2E=
    tls-server-name: kubernetes
    proxy-url: http://proxy:3128
- name: west
  cluster:
    server: https://west
    certificate-authority: pki/ca.crt
- name: open
  cluster:
    server: https://open
    insecure-skip-tls-verify: true
users:
- name: bob
  user:
    client-certificate-data: Y2VydA==
    client-key-data: a2V5
    token: t0ken
- name: ann
  user:
    client-certificate: /abs/cert.pem
    client-key: key.pem
    tokenFile: tokens/ann
    username: ann
    password: pa55
    as: carl
    as-uid: "7"
    as-groups: [g1, g2]
    as-user-extra: {scopes: [s]}
- name: exec
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/get-token
      args: [--cluster, east]
      env: [{name: A, value: b}]
      installHint: install it
      interactiveMode: IfAvailable
      provideClusterInfo: true
)";

struct KubeconfigTest : ::testing::Test {
  Result<Connection> load(const std::string& text, const std::string& context = "") {
    return load_kubeconfig({folder.write("config", text)}, context);
  }
  // Loads a file with one context of that cluster and user, in YAML flow style.
  std::string fault(const std::string& cluster, const std::string& user) {
    return load(
               "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
               "clusters: [{name: k, cluster: " +
               cluster +
               "}]\n"
               "users: [{name: u, user: " +
               user + "}]\n")
        .status()
        .message();
  }
  TestFolder folder;
};

TEST_F(KubeconfigTest, TakesTheCurrentContext) {
  const auto connection = load(kFull);

  ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
  EXPECT_EQ(connection->origin, "context prod of " + (folder.path() / "config").string());
  EXPECT_EQ(connection->server, "https://east:6443");
  EXPECT_EQ(connection->certificate_authority.text, "ca");
  EXPECT_EQ(connection->tls_server_name, "kubernetes");
  EXPECT_EQ(connection->proxy_url, "http://proxy:3128");
  EXPECT_EQ(connection->client_certificate.text, "cert");
  EXPECT_EQ(connection->client_key.text.reveal(), "key");
  EXPECT_EQ(connection->token.reveal(), "t0ken");
  EXPECT_EQ(connection->default_namespace, "team");
  EXPECT_FALSE(connection->insecure_skip_tls_verify);
}

TEST_F(KubeconfigTest, TakesTheContextThatIsNamedAndResolvesItsPaths) {
  const auto connection = load(kFull, "test");

  ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
  EXPECT_EQ(connection->certificate_authority.file, folder.path() / "pki/ca.crt");
  EXPECT_EQ(connection->client_certificate.file, "/abs/cert.pem");
  EXPECT_EQ(connection->client_key.file, folder.path() / "key.pem");
  EXPECT_EQ(connection->token_file, folder.path() / "tokens/ann");
  EXPECT_EQ(connection->username, "ann");
  EXPECT_EQ(connection->password.reveal(), "pa55");
  EXPECT_EQ(connection->impersonation.user, "carl");
  EXPECT_EQ(connection->impersonation.uid, "7");
  EXPECT_THAT(connection->impersonation.groups, ElementsAre("g1", "g2"));
  EXPECT_THAT(connection->impersonation.extra, ElementsAre(Pair("scopes", ElementsAre("s"))));
}

TEST_F(KubeconfigTest, ReadsAnExecPlugin) {
  const auto connection = load(std::string(kFull) + "", "prod");
  std::string text = kFull;
  text.replace(text.find("user: bob"), 9, "user: exec");
  const auto with_exec = load(text);

  ASSERT_TRUE(connection.is_ok() && with_exec.is_ok()) << with_exec.status().to_string();
  EXPECT_FALSE(connection->exec.has_value());
  ASSERT_TRUE(with_exec->exec.has_value());
  EXPECT_EQ(with_exec->exec->command, (folder.path() / "bin/get-token").string());
  EXPECT_THAT(with_exec->exec->arguments, ElementsAre("--cluster", "east"));
  EXPECT_THAT(with_exec->exec->environment, ElementsAre(Pair("A", "b")));
  EXPECT_EQ(with_exec->exec->install_hint, "install it");
  EXPECT_TRUE(with_exec->exec->wants_cluster_info);
}

TEST_F(KubeconfigTest, ReadsJson) {
  const auto connection = load(R"({"current-context":"c",
      "contexts":[{"name":"c","context":{"cluster":"k","user":""}}],
      "clusters":[{"name":"k","cluster":{"server":"http://127.0.0.1:8080",
                                         "insecure-skip-tls-verify":false}}]})");

  ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
  EXPECT_EQ(connection->server, "http://127.0.0.1:8080");
}

TEST_F(KubeconfigTest, MergesFilesSoThatTheFirstWins) {
  const auto first = folder.write("first", R"(
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://first"}}]
)");
  const auto second = folder.write("second", R"(
current-context: other
contexts: [{name: c, context: {cluster: x}}]
clusters: [{name: k, cluster: {server: "https://second"}}]
users: [{name: u, user: {token: t, client-key: k.pem, client-certificate: c.pem}}]
)");

  const auto connection = load_kubeconfig({folder.path() / "missing", first, second}, "");

  ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
  EXPECT_EQ(connection->server, "https://first");
  EXPECT_EQ(connection->token.reveal(), "t");
}

TEST_F(KubeconfigTest, MustFindASingleFile) {
  EXPECT_EQ(load_kubeconfig({folder.path() / "none"}, "").status().code(), StatusCode::NotFound);
  EXPECT_EQ(load_kubeconfig({folder.path() / "none", folder.path() / "nor"}, "").status().code(),
            StatusCode::NotFound);
  EXPECT_EQ(load_kubeconfig({}, "").status().code(), StatusCode::NotFound);
}

TEST_F(KubeconfigTest, NamesWhatIsMissing) {
  EXPECT_THAT(load("{}").status().message(), HasSubstr("current-context"));
  EXPECT_THAT(load(kFull, "nope").status().message(), HasSubstr("no context called 'nope'"));
  EXPECT_THAT(
      load("current-context: c\ncontexts: [{name: c, context: {cluster: k}}]").status().message(),
      HasSubstr("no cluster called 'k'"));
  EXPECT_THAT(
      load("current-context: c\ncontexts: [{name: c, context: {user: u}}]").status().message(),
      HasSubstr("contexts[c].cluster is missing"));
}

TEST_F(KubeconfigTest, RefusesEntriesThatContradictThemselves) {
  const std::string ok = "{server: 'https://x'}";
  const std::string exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: c, ";
  EXPECT_THAT(fault("{server: x}", "{}"), HasSubstr(":3: clusters[k].server is not a URL"));
  EXPECT_THAT(fault("{}", "{}"), HasSubstr("clusters[k].server is not a URL"));
  EXPECT_THAT(fault("{server: 'https://x', insecure-skip-tls-verify: true, "
                    "certificate-authority: ca}",
                    "{}"),
              HasSubstr("beside a certificate-authority"));
  EXPECT_THAT(fault("{server: 'https://x', insecure-skip-tls-verify: maybe}", "{}"),
              HasSubstr("neither true nor false"));
  EXPECT_THAT(fault(ok, "{client-key: k}"), HasSubstr(":4: users[u] has a client certificate"));
  EXPECT_THAT(fault(ok, "{client-certificate-data: '&'}"), HasSubstr("is not base64"));
  EXPECT_THAT(fault(ok, "{auth-provider: {}}"), HasSubstr("use exec"));
  EXPECT_THAT(fault(ok, "{as-groups: [g]}"), HasSubstr("users[u].as is missing"));
  EXPECT_THAT(fault(ok, "{exec: {command: c}}"), HasSubstr("users[u].exec.apiVersion"));
  EXPECT_THAT(fault(ok, "{exec: {apiVersion: client.authentication.k8s.io/v1}}"),
              HasSubstr("users[u].exec.command is missing"));
  EXPECT_THAT(fault(ok, exec + "interactiveMode: Always}}"), HasSubstr("no terminal"));
  EXPECT_THAT(fault(ok, exec + "env: {}}}"), HasSubstr("env is not a list"));
  EXPECT_THAT(fault(ok, exec + "env: [x]}}"), HasSubstr("not a mapping"));
  EXPECT_THAT(fault(ok, exec + "env: [{name: A=B}]}}"), HasSubstr("not the name"));
  EXPECT_THAT(fault(ok, exec + "args: x}}"), HasSubstr("args is not a list"));
  EXPECT_EQ(fault(ok, exec + "interactiveMode: Never}}"), "");
}

TEST_F(KubeconfigTest, RefusesTextThatEndsEarlyForWhoeverCountsNoBytes) {
  const std::string ok = "{server: 'https://x'}";
  const std::string exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: c, ";
  EXPECT_THAT(fault(ok, R"({token: "a\0b"})"), HasSubstr("users[u].token holds a NUL"));
  EXPECT_THAT(fault(ok, R"({as: a, as-groups: ["g\0"]})"), HasSubstr("as-groups holds a NUL"));
  EXPECT_THAT(fault(ok, R"({as: a, as-user-extra: {k: ["\0"]}})"), HasSubstr("holds a NUL"));
  EXPECT_THAT(fault(ok, R"({as: a, as-user-extra: {"k\0": [v]}})"), HasSubstr("no name"));
  EXPECT_THAT(fault(ok, R"({as: a, as-user-extra: {? [x] : [v]}})"), HasSubstr("no name"));
  EXPECT_THAT(fault(ok, exec + R"(args: ["a\0"]}})"), HasSubstr("args holds a NUL"));
}

TEST_F(KubeconfigTest, NeverShowsASecretInAMessage) {
  EXPECT_THAT(fault("{server: 'https://x'}", "{client-key-data: 's3cret!'}"),
              Not(HasSubstr("s3cret")));
  EXPECT_THAT(fault("{server: 'https://x'}", "{token: [s3cret]}"), Not(HasSubstr("s3cret")));
}

TEST(SplitKubeconfigList, TakesWhatStandsBetweenColons) {
  EXPECT_THAT(split_kubeconfig_list("/a:b::/c:"), ElementsAre("/a", "b", "/c"));
  EXPECT_TRUE(split_kubeconfig_list("").empty());
}

}  // namespace
}  // namespace vkhost::kube
