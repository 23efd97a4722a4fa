// A kubeconfig of any shape, YAML or JSON, is refused with a sentence or read into values that can
// be used: as a header line, an argument of a program, an address.
#include "fuzz_input.hpp"
#include "kube/kubeconfig.hpp"
#include "memory_file.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using vkhost::StatusCode;
using vkhost::fuzz::require;

// What ends up behind an interface that counts no bytes.
bool is_plain(const std::string& text) { return text.find('\0') == std::string::npos; }

void check(const vkhost::kube::Connection& connection) {
  require(connection.server.starts_with("https://") || connection.server.starts_with("http://"));
  require(is_plain(connection.server) && is_plain(connection.proxy_url));
  require(is_plain(connection.tls_server_name) && is_plain(connection.default_namespace));
  require(is_plain(connection.certificate_authority.file.string()));
  require(is_plain(connection.token.reveal()) && is_plain(connection.password.reveal()));
  require(connection.client_certificate.empty() == connection.client_key.empty());
  const auto& who = connection.impersonation;
  for (const std::string& group : who.groups) {
    require(is_plain(group));
  }
  for (const auto& [key, values] : who.extra) {
    require(!key.empty() && is_plain(key) && !who.user.empty());
    for (const std::string& value : values) {
      require(is_plain(value));
    }
  }
  if (connection.exec) {
    require(!connection.exec->command.empty() && is_plain(connection.exec->command));
    for (const std::string& argument : connection.exec->arguments) {
      require(is_plain(argument));
    }
    for (const auto& [name, value] : connection.exec->environment) {
      require(!name.empty() && is_plain(name) && is_plain(value));
    }
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const vkhost::fuzz::MemoryFile file(data, size);

  for (const char* context : {"", "c"}) {
    const auto connection = vkhost::kube::load_kubeconfig({file.path()}, context);
    if (connection.is_ok()) {
      check(*connection);
    } else {
      require(connection.status().code() == StatusCode::InvalidArgument);
      require(!connection.status().message().empty());
    }
  }
  return 0;
}
