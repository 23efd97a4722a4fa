#include "kube/exec_credential.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "kube/child_process.hpp"
#include "kube/credentials.hpp"
#include "kube/json_reader.hpp"

#include <array>
#include <utility>

namespace vkhost::kube {
namespace {

constexpr std::size_t kQuotedErrorBytes = 512;

void append_pair(std::string& out, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    if (out.back() != '{') {
      out += ',';
    }
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  }
}

// The end of what a program wrote to stderr, on one line.
std::string quoted_end(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool is_space = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!is_space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.size() > kQuotedErrorBytes) {
    line = "…" + line.substr(line.size() - kQuotedErrorBytes);
  }
  return line.empty() ? "it wrote nothing to stderr" : "it wrote to stderr: " + line;
}

Status take_status(simdjson::dom::element element, ExecCredential& credential) {
  VKHOST_TRY_ASSIGN(const auto status, as_object(element, "status"));
  std::array<OptionalElement, 4> found;
  VKHOST_TRY(find_members<4>(
      status, "status.", {"token", "clientCertificateData", "clientKeyData", "expirationTimestamp"},
      found));
  std::string token;
  std::string key;
  std::string expires;
  VKHOST_TRY(read_string(found[0], "status.token", token));
  VKHOST_TRY(read_string(found[1], "status.clientCertificateData", credential.certificate_pem));
  VKHOST_TRY(read_string(found[2], "status.clientKeyData", key));
  VKHOST_TRY(read_string(found[3], "status.expirationTimestamp", expires));
  if (!is_header_text(token)) {
    return invalid_argument("status.token holds characters that no token has");
  }
  credential.token = Secret(std::move(token));
  credential.key_pem = Secret(std::move(key));
  if (!expires.empty()) {
    credential.expires = parse_time(expires);
    if (!credential.expires) {
      return invalid_argument("status.expirationTimestamp is not a time of RFC 3339");
    }
  }
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return invalid_argument("status has a client certificate without its key, or the reverse");
  }
  if (credential.token.empty() && credential.certificate_pem.empty()) {
    return invalid_argument("status has neither a token nor a client certificate");
  }
  return Status::ok();
}

}  // namespace

std::string exec_info(const Connection& connection, std::string_view ca_pem) {
  const ExecPlugin& exec = *connection.exec;
  std::string info = R"({"kind":"ExecCredential")";
  append_pair(info, "apiVersion", exec.api_version);
  info += R"(,"spec":{"interactive":false)";
  if (exec.wants_cluster_info) {
    info += R"(,"cluster":{)";
    append_pair(info, "server", connection.server);
    append_pair(info, "tls-server-name", connection.tls_server_name);
    append_pair(info, "proxy-url", connection.proxy_url);
    append_pair(info, "certificate-authority-data", base64_encode(ca_pem));
    if (connection.insecure_skip_tls_verify) {
      info += R"(,"insecure-skip-tls-verify":true)";
    }
    info += '}';
  }
  info += "}}";
  return info;
}

Result<ExecCredential> read_exec_credential(std::string_view json, std::string_view api_version) {
  VKHOST_TRY_ASSIGN(const auto root, read_json(json));
  VKHOST_TRY_ASSIGN(const auto object, as_object(root, "the ExecCredential"));
  std::array<OptionalElement, 3> found;
  VKHOST_TRY(find_members<3>(object, "", {"kind", "apiVersion", "status"}, found));
  std::string kind;
  std::string version;
  VKHOST_TRY(read_string(found[0], "kind", kind));
  VKHOST_TRY(read_string(found[1], "apiVersion", version));
  if (kind != "ExecCredential" || version != api_version) {
    return invalid_argument("it is not an ExecCredential of " + std::string(api_version));
  }
  if (!found[2]) {
    return invalid_argument("status is missing");
  }
  ExecCredential credential;
  VKHOST_TRY(take_status(*found[2], credential));
  return credential;
}

Result<ExecCredential> run_exec_plugin(const Connection& connection,
                                       std::string_view ca_pem,
                                       const Clock& clock,
                                       Deadline deadline,
                                       const CancelToken& cancel) {
  const ExecPlugin& exec = *connection.exec;
  const std::string what =
      "asking " + exec.command + " for credentials (" + connection.origin + ")";
  ChildCommand command;
  command.program = exec.command;
  command.arguments = exec.arguments;
  command.environment = exec.environment;
  command.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(connection, ca_pem));
  auto outcome = run_child(command, clock, deadline, cancel);
  if (!outcome.is_ok()) {
    const Status fault = outcome.status();
    if (fault.code() == StatusCode::NotFound && !exec.install_hint.empty()) {
      return Status(StatusCode::Unauthenticated, fault.message() + "; " + exec.install_hint)
          .while_doing(what);
    }
    const bool is_ours =
        fault.code() == StatusCode::Cancelled || fault.code() == StatusCode::DeadlineExceeded;
    return (is_ours ? fault : Status(StatusCode::Unauthenticated, fault.message()))
        .while_doing(what);
  }
  if (outcome->exit_status != 0) {
    return Status(StatusCode::Unauthenticated, "it ended with status " +
                                                   std::to_string(outcome->exit_status) + "; " +
                                                   quoted_end(outcome->error_output))
        .while_doing(what);
  }
  auto credential = read_exec_credential(outcome->output, exec.api_version);
  outcome->output.assign(outcome->output.size(), '\0');
  if (!credential.is_ok()) {
    return Status(StatusCode::Unauthenticated,
                  "its answer can't be used: " + credential.status().message() + "; " +
                      quoted_end(outcome->error_output))
        .while_doing(what);
  }
  return credential;
}

}  // namespace vkhost::kube
