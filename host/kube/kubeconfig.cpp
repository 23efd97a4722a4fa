#include "kube/kubeconfig.hpp"

#include "kube/kubeconfig_document.hpp"
#include "kube/text_file.hpp"

#include <utility>

namespace vkhost::kube {
namespace {

using Documents = std::vector<KubeconfigDocument>;

Result<Documents> read_documents(const std::vector<std::filesystem::path>& files) {
  Documents documents;
  std::string missing;
  for (const std::filesystem::path& file : files) {
    auto text = read_text_file(file);
    if (text.status().code() == StatusCode::NotFound && files.size() > 1) {
      missing += (missing.empty() ? "" : ", ") + file.string();
      continue;
    }
    VKHOST_TRY(text.status());
    VKHOST_TRY_ASSIGN(KubeconfigDocument document, KubeconfigDocument::parse(file, *text));
    documents.push_back(std::move(document));
  }
  if (documents.empty()) {
    return not_found(files.empty() ? "no kubeconfig file was named"
                                   : "none of the kubeconfig files exists: " + missing);
  }
  return documents;
}

std::string names_of(const Documents& documents) {
  std::string names;
  for (const KubeconfigDocument& document : documents) {
    names += (names.empty() ? "" : ", ") + document.file().string();
  }
  return names;
}

// The first file that has an entry of that name counts.
Result<KubeconfigEntry> find_entry(const Documents& documents,
                                   const char* list,
                                   const char* inner,
                                   const std::string& name) {
  for (const KubeconfigDocument& document : documents) {
    VKHOST_TRY_ASSIGN(const KubeconfigEntry entry, document.find_named(list, inner, name));
    if (entry.node.IsDefined()) {
      return entry;
    }
  }
  return invalid_argument(names_of(documents) + ": there is no " + inner + " called '" + name +
                          "'");
}

Result<std::string> choose_context(const Documents& documents, const std::string& wanted) {
  if (!wanted.empty()) {
    return wanted;
  }
  for (const KubeconfigDocument& document : documents) {
    std::string current;
    VKHOST_TRY(take_text(document.root(), "current-context", current));
    if (!current.empty()) {
      return current;
    }
  }
  return invalid_argument(names_of(documents) +
                          ": no current-context is set; set one, or name the context to use");
}

Status read_cluster(const KubeconfigEntry& entry, Connection& connection) {
  VKHOST_TRY(take_text(entry, "server", connection.server));
  if (connection.server.rfind("https://", 0) != 0 && connection.server.rfind("http://", 0) != 0) {
    return kubeconfig_fault(entry, entry.node["server"], "server",
                            "is not a URL that begins with https:// or http://");
  }
  VKHOST_TRY(take_text(entry, "proxy-url", connection.proxy_url));
  VKHOST_TRY(take_text(entry, "tls-server-name", connection.tls_server_name));
  VKHOST_TRY(take_flag(entry, "insecure-skip-tls-verify", connection.insecure_skip_tls_verify));
  VKHOST_TRY(take_path(entry, "certificate-authority", connection.certificate_authority.file));
  VKHOST_TRY(take_data(entry, "certificate-authority-data", connection.certificate_authority.text));
  if (connection.insecure_skip_tls_verify && !connection.certificate_authority.empty()) {
    return kubeconfig_fault(entry, entry.node["insecure-skip-tls-verify"],
                            "insecure-skip-tls-verify",
                            "can't be true beside a certificate-authority");
  }
  return Status::ok();
}

Status read_exec_environment(const KubeconfigEntry& entry, ExecPlugin& exec) {
  const YAML::Node variables = entry.node["env"];
  if (!variables.IsDefined() || variables.IsNull()) {
    return Status::ok();
  }
  if (!variables.IsSequence()) {
    return kubeconfig_fault(entry, variables, "env", "is not a list");
  }
  for (const YAML::Node& variable : variables) {
    if (!variable.IsMap()) {
      return kubeconfig_fault(entry, variable, "env", "holds something that is not a mapping");
    }
    const KubeconfigEntry item{variable, entry.path + ".env[]", entry.file};
    std::string name;
    std::string value;
    VKHOST_TRY(take_text(item, "name", name));
    VKHOST_TRY(take_text(item, "value", value));
    if (name.empty() || name.find('=') != std::string::npos) {
      return kubeconfig_fault(item, variable, "name", "is not the name of a variable");
    }
    exec.environment.emplace_back(std::move(name), std::move(value));
  }
  return Status::ok();
}

Status read_exec(const KubeconfigEntry& user, Connection& connection) {
  VKHOST_TRY_ASSIGN(const KubeconfigEntry entry, take_entry(user, "exec"));
  if (!entry.node.IsDefined()) {
    return Status::ok();
  }
  ExecPlugin exec;
  VKHOST_TRY(take_text(entry, "apiVersion", exec.api_version));
  if (exec.api_version != "client.authentication.k8s.io/v1" &&
      exec.api_version != "client.authentication.k8s.io/v1beta1") {
    return kubeconfig_fault(entry, entry.node["apiVersion"], "apiVersion",
                            "is neither client.authentication.k8s.io/v1 nor …/v1beta1");
  }
  VKHOST_TRY(take_text(entry, "command", exec.command));
  if (exec.command.empty()) {
    return kubeconfig_fault(entry, entry.node, "command", "is missing");
  }
  if (exec.command.find('/') != std::string::npos) {
    std::filesystem::path command;
    VKHOST_TRY(take_path(entry, "command", command));
    exec.command = command.string();
  }
  VKHOST_TRY(take_list(entry, "args", exec.arguments));
  VKHOST_TRY(read_exec_environment(entry, exec));
  VKHOST_TRY(take_text(entry, "installHint", exec.install_hint));
  VKHOST_TRY(take_flag(entry, "provideClusterInfo", exec.wants_cluster_info));
  std::string mode;
  VKHOST_TRY(take_text(entry, "interactiveMode", mode));
  if (mode == "Always") {
    return kubeconfig_fault(entry, entry.node["interactiveMode"], "interactiveMode",
                            "is Always, but a daemon has no terminal to ask at");
  }
  connection.exec = std::move(exec);
  return Status::ok();
}

Status read_impersonation(const KubeconfigEntry& user, Impersonation& who) {
  VKHOST_TRY(take_text(user, "as", who.user));
  VKHOST_TRY(take_text(user, "as-uid", who.uid));
  VKHOST_TRY(take_list(user, "as-groups", who.groups));
  VKHOST_TRY_ASSIGN(const KubeconfigEntry extra, take_entry(user, "as-user-extra"));
  if (extra.node.IsDefined()) {
    for (const auto& member : extra.node) {
      const std::string key = member.first.Scalar();  // empty for what is no text
      if (key.empty() || key.find('\0') != std::string::npos) {
        return kubeconfig_fault(extra, member.first, "", "holds a key that is no name");
      }
      VKHOST_TRY(take_list(extra, key.c_str(), who.extra[key]));
    }
  }
  if (who.user.empty() && (!who.uid.empty() || !who.groups.empty() || !who.extra.empty())) {
    return kubeconfig_fault(user, user.node, "as",
                            "is missing, beside as-uid, as-groups or as-user-extra");
  }
  return Status::ok();
}

Status read_user(const KubeconfigEntry& entry, Connection& connection) {
  VKHOST_TRY(take_path(entry, "client-certificate", connection.client_certificate.file));
  VKHOST_TRY(take_data(entry, "client-certificate-data", connection.client_certificate.text));
  VKHOST_TRY(take_path(entry, "client-key", connection.client_key.file));
  std::string key;
  VKHOST_TRY(take_data(entry, "client-key-data", key));
  connection.client_key.text = Secret(std::move(key));
  if (connection.client_certificate.empty() != connection.client_key.empty()) {
    return kubeconfig_fault(entry, entry.node, "",
                            "has a client certificate without its key, or a key without its "
                            "certificate");
  }
  std::string token;
  VKHOST_TRY(take_text(entry, "token", token));
  connection.token = Secret(std::move(token));
  VKHOST_TRY(take_path(entry, "tokenFile", connection.token_file));
  VKHOST_TRY(take_text(entry, "username", connection.username));
  std::string password;
  VKHOST_TRY(take_text(entry, "password", password));
  connection.password = Secret(std::move(password));
  VKHOST_TRY(read_impersonation(entry, connection.impersonation));
  if (entry.node["auth-provider"].IsDefined()) {
    return kubeconfig_fault(entry, entry.node["auth-provider"], "auth-provider",
                            "is a kind of credentials that Kubernetes has removed; use exec");
  }
  return read_exec(entry, connection);
}

Result<Connection> read_connection(const std::vector<std::filesystem::path>& files,
                                   const std::string& wanted) {
  VKHOST_TRY_ASSIGN(const Documents documents, read_documents(files));
  VKHOST_TRY_ASSIGN(const std::string name, choose_context(documents, wanted));
  VKHOST_TRY_ASSIGN(const KubeconfigEntry context,
                    find_entry(documents, "contexts", "context", name));
  Connection connection;
  connection.origin = "context " + name + " of " + context.file.string();
  std::string cluster;
  std::string user;
  VKHOST_TRY(take_text(context, "cluster", cluster));
  VKHOST_TRY(take_text(context, "user", user));
  VKHOST_TRY(take_text(context, "namespace", connection.default_namespace));
  if (cluster.empty()) {
    return kubeconfig_fault(context, context.node, "cluster", "is missing");
  }
  VKHOST_TRY_ASSIGN(const KubeconfigEntry cluster_entry,
                    find_entry(documents, "clusters", "cluster", cluster));
  VKHOST_TRY(read_cluster(cluster_entry, connection));
  if (!user.empty()) {
    VKHOST_TRY_ASSIGN(const KubeconfigEntry user_entry,
                      find_entry(documents, "users", "user", user));
    VKHOST_TRY(read_user(user_entry, connection));
  }
  return connection;
}

}  // namespace

std::vector<std::filesystem::path> split_kubeconfig_list(std::string_view list) {
  std::vector<std::filesystem::path> files;
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    if (colon != 0) {
      files.emplace_back(list.substr(0, colon));
    }
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
  }
  return files;
}

Result<Connection> load_kubeconfig(const std::vector<std::filesystem::path>& files,
                                   const std::string& context) {
  try {
    return read_connection(files, context);
  } catch (const YAML::Exception& fault) {  // of look-ups in odd documents; the checks come first
    return invalid_argument("reading kubeconfig: line " + std::to_string(fault.mark.line + 1) +
                            ": " + fault.msg);
  }
}

}  // namespace vkhost::kube
