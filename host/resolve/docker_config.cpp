#include "resolve/docker_config.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "resolve/json_members.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Object;

constexpr std::size_t kLargest = std::size_t{1024} * 1024;  // of a Secret, to the API server

bool is_text(const std::string& text) {
  return is_utf8(text) && text.find('\0') == std::string::npos;
}

// The reader of JSON ends a name at a NUL byte: it would be that of another server.
bool has_nul(std::string_view json) {
  for (std::size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at + 2)) {
    if (json.substr(at + 1).starts_with("u0000")) {
      return true;
    }
  }
  return false;
}

// A server is quoted where it is one. As a URL it may have a password in it.
bool is_quotable(const std::string& server) {
  constexpr std::size_t kLongest = 253;
  return !server.empty() && server.size() <= kLongest &&
         std::all_of(server.begin(), server.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-._:/*[]").find(c) != std::string_view::npos;
         });
}

std::string entry_words(const std::string& server) {
  return is_quotable(server) ? "the entry of " + server : "an entry whose name is not shown";
}

Result<Secret> read_secret(const Object& entry, const std::string& member) {
  const Var value = entry.get(member);
  if (value.isEmpty()) {
    return Secret();
  }
  if (value.type() != typeid(std::string)) {
    return invalid_argument(member + " is not a string");
  }
  Secret secret(value.extract<std::string>());
  if (!is_text(secret.reveal())) {
    return invalid_argument(member + " holds a NUL byte or is not UTF-8");
  }
  return secret;
}

// Docker pads, other tools do not; both are read.
std::optional<Secret> decode(std::string field) {
  std::erase_if(field, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  if (!field.ends_with('=')) {
    field.append((4 - field.size() % 4) % 4, '=');
  }
  auto decoded = base64_decode(field);
  return decoded ? std::optional(Secret(std::move(*decoded))) : std::nullopt;
}

Status take_auth(const Secret& auth, DockerCredential& credential) {
  const std::optional<Secret> decoded = decode(auth.reveal());
  if (!decoded) {
    return invalid_argument("auth is not base64");
  }
  const std::string& both = decoded->reveal();
  const std::size_t colon = both.find(':');
  if (colon == std::string::npos) {
    return invalid_argument("auth is not base64 of USER:PASSWORD: it has no colon");
  }
  if (!is_text(both)) {
    return invalid_argument("auth holds a NUL byte or is not UTF-8");
  }
  credential.username = Secret(both.substr(0, colon));
  credential.password = Secret(both.substr(colon + 1));
  return Status::ok();
}

Result<DockerCredential> read_entry(const std::string& server, const Object& entry) {
  DockerCredential credential;
  credential.server = server;
  VKHOST_TRY_ASSIGN(credential.username, read_secret(entry, "username"));
  VKHOST_TRY_ASSIGN(credential.password, read_secret(entry, "password"));
  VKHOST_TRY_ASSIGN(credential.identity_token, read_secret(entry, "identitytoken"));
  VKHOST_TRY_ASSIGN(credential.registry_token, read_secret(entry, "registrytoken"));
  VKHOST_TRY_ASSIGN(const Secret email, read_secret(entry, "email"));
  credential.email = email.reveal();
  VKHOST_TRY_ASSIGN(const Secret auth, read_secret(entry, "auth"));
  if (!auth.empty()) {
    VKHOST_TRY(take_auth(auth, credential));
  }
  return credential;
}

bool is_empty(const DockerCredential& credential) {
  return credential.username.empty() && credential.password.empty() &&
         credential.identity_token.empty() && credential.registry_token.empty();
}

// `may_be_empty`: a helper has them, as an entry beside it says.
void take_entries(const Object& entries, bool may_be_empty, DockerConfig& config) {
  for (const auto& [server, value] : entries) {
    const std::string words = entry_words(server);
    if (server.empty() || !is_text(server)) {
      config.problems.push_back(words + " names no server");
      continue;
    }
    if (value.isEmpty() || value.type() != typeid(Object::Ptr)) {
      config.problems.push_back(words + " is not an object");
      continue;
    }
    auto credential = read_entry(server, *value.extract<Object::Ptr>());
    if (!credential) {
      config.problems.push_back(words + ": " + credential.status().message());
    } else if (!is_empty(*credential)) {
      config.credentials.push_back(std::move(*credential));
    } else if (!may_be_empty) {
      config.problems.push_back(words + " holds no credentials");
    }
  }
}

bool is_named(const Var& value) {
  if (value.isEmpty()) {
    return false;
  }
  if (value.type() == typeid(std::string)) {
    return !value.extract<std::string>().empty();
  }
  return value.type() != typeid(Object::Ptr) || value.extract<Object::Ptr>()->size() > 0;
}

// Helpers are programs on the machine of whoever wrote the file. True when there are some.
bool find_helpers(const Object& document, DockerConfig& config) {
  bool has_helpers = false;
  for (const char* member : {"credsStore", "credHelpers"}) {
    if (is_named(document.get(member))) {
      config.problems.push_back(std::string(member) +
                                " names programs that have the credentials, which are not run for "
                                "pods: write the credentials themselves into auths");
      has_helpers = true;
    }
  }
  return has_helpers;
}

}  // namespace

Result<DockerConfig> parse_docker_config(std::string_view text, DockerConfigForm form) {
  if (text.size() > kLargest) {
    return invalid_argument("the docker configuration is larger than 1 MiB");
  }
  const std::string_view what = "the docker configuration";
  if (has_nul(text)) {
    return invalid_argument("the docker configuration holds a NUL byte");
  }
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(text, what));
  DockerConfig config;
  if (form == DockerConfigForm::Dockercfg) {
    take_entries(*document, false, config);
    return config;
  }
  const bool has_helpers = find_helpers(*document, config);
  VKHOST_TRY_ASSIGN(const auto entries, read_object(*document, "auths", Place(what)));
  if (!entries.isNull()) {
    take_entries(*entries, has_helpers, config);
  } else if (!has_helpers) {
    return invalid_argument("the docker configuration has no auths");
  }
  return config;
}

}  // namespace vkhost::resolve
