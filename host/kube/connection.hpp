// Connection: where the API server is and who we are to it, as kubeconfig or the service account say.
//
// A plain value, made by load_kubeconfig() or in_cluster_connection() and read by the credentials.
// Files are named, not read: they may be rotated. [any-thread]
#pragma once

#include "base/secret.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kube {

// Given in place, or in a file that is read again; a text given in place wins.
struct PemSource {
  std::string text;
  std::filesystem::path file;
  [[nodiscard]] bool empty() const { return text.empty() && file.empty(); }
};
struct SecretSource {
  Secret text;
  std::filesystem::path file;
  [[nodiscard]] bool empty() const { return text.empty() && file.empty(); }
};

// A program that prints an ExecCredential (client.authentication.k8s.io, v1 or v1beta1).
struct ExecPlugin {
  std::string api_version;
  std::string command;  // a path, or a name to be found in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // beside our own
  std::string install_hint;
  bool wants_cluster_info = false;
};

struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
};

struct Connection {
  std::string origin;  // for messages: "context prod of /root/.kube/config"

  std::string server;
  std::string proxy_url;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  PemSource certificate_authority;

  PemSource client_certificate;
  SecretSource client_key;
  Secret token;
  std::filesystem::path token_file;  // wins over `token` while it can be read
  std::string username;
  Secret password;
  std::optional<ExecPlugin> exec;
  Impersonation impersonation;

  std::string default_namespace;
};

}  // namespace vkhost::kube
