#include "kube/connection_credentials.hpp"

#include "base/base64.hpp"
#include "base/mutex.hpp"
#include "kube/exec_credential.hpp"
#include "kube/text_file.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vkhost::kube {
namespace {

using std::chrono::seconds;

constexpr seconds kFilesStay{60};
constexpr seconds kAfterFailure{5};     // before files are read, or a plugin run, again
constexpr seconds kBeforeExpiry{15};    // a request takes time, and clocks differ
constexpr seconds kBetweenPlugins{10};  // even when the server refuses each of its tokens
constexpr seconds kPluginMayRun{60};

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \r\n\t");
  return first == std::string::npos
             ? std::string()
             : text.substr(first, text.find_last_not_of(" \r\n\t") - first + 1);
}

// Everything that may change, as of one moment.
struct Material {
  std::string ca_pem;
  std::string certificate_pem;
  Secret key_pem;
  Secret token;  // of kubeconfig or its file, not of a plugin
};

Result<std::string> read_pem(const PemSource& source) {
  return source.text.empty() && !source.file.empty() ? read_text_file(source.file)
                                                     : Result<std::string>(source.text);
}

Result<Material> read_material(const Connection& connection) {
  Material material;
  VKHOST_TRY_ASSIGN(material.ca_pem, read_pem(connection.certificate_authority));
  VKHOST_TRY_ASSIGN(material.certificate_pem, read_pem(connection.client_certificate));
  const SecretSource& key = connection.client_key;
  if (key.text.empty() && !key.file.empty()) {
    VKHOST_TRY_ASSIGN(std::string text, read_text_file(key.file));
    material.key_pem = Secret(std::move(text));
  } else {
    material.key_pem = key.text;
  }
  material.token = connection.token;
  if (!connection.token_file.empty()) {
    auto text = read_text_file(connection.token_file);
    if (!text.is_ok() && connection.token.empty()) {
      return text.status();
    }
    if (text.is_ok()) {
      material.token = Secret(trimmed(*text));
      if (material.token.empty()) {
        return failed_precondition("the token file " + connection.token_file.string() +
                                   " is empty");
      }
    }
  }
  if (!is_header_text(material.token.reveal())) {
    return failed_precondition("the token holds characters that no token has");
  }
  return material;
}

std::vector<std::pair<std::string, std::string>> impersonation_headers(const Impersonation& who) {
  std::vector<std::pair<std::string, std::string>> headers;
  const auto add = [&](std::string name, const std::string& value) {
    if (!value.empty() && is_header_text(value) && is_header_text(name)) {
      headers.emplace_back(std::move(name), value);
    }
  };
  add("Impersonate-User", who.user);
  add("Impersonate-Uid", who.uid);
  for (const std::string& group : who.groups) {
    add("Impersonate-Group", group);
  }
  for (const auto& [key, values] : who.extra) {
    for (const std::string& value : values) {
      add("Impersonate-Extra-" + key, value);
    }
  }
  return headers;
}

class ConnectionCredentials final : public Credentials {
 public:
  ConnectionCredentials(Connection connection,
                        std::shared_ptr<const Clock> clock,
                        observe::Logger log)
      : connection_(std::move(connection)),
        clock_(std::move(clock)),
        log_(std::move(log)),
        uses_plugin_(connection_.exec && connection_.token.empty() &&
                     connection_.token_file.empty() && connection_.username.empty()),
        impersonation_(impersonation_headers(connection_.impersonation)) {}

  Result<Identity> current(Deadline deadline, const CancelToken& cancel) override;
  void reject(std::uint64_t generation) override;

 private:
  // What one refresh brings; the parts that it did not look for stay empty.
  struct Refresh {
    std::optional<Result<Material>> material;
    std::optional<Result<ExecCredential>> plugin;
  };
  struct Due {
    bool files = false;
    bool plugin = false;
  };

  [[nodiscard]] Due due(SteadyTime now) const VKHOST_REQUIRES(mutex_);
  [[nodiscard]] bool has_identity() const VKHOST_REQUIRES(mutex_) {
    return identity_.tls != nullptr;
  }
  // Whether what there is may be shown while something newer is on its way.
  [[nodiscard]] bool is_usable() const VKHOST_REQUIRES(mutex_);
  [[nodiscard]] Result<Identity> answer() const VKHOST_REQUIRES(mutex_);
  Refresh look(Due due, std::string ca_pem, const CancelToken& cancel);
  void install(Refresh refresh) VKHOST_REQUIRES(mutex_);
  void make_identity() VKHOST_REQUIRES(mutex_);
  void warn(const Status& fault) const;

  const Connection connection_;
  const std::shared_ptr<const Clock> clock_;
  const observe::Logger log_;
  const bool uses_plugin_;
  const std::vector<std::pair<std::string, std::string>> impersonation_;

  Mutex mutex_;
  CondVar changed_;
  bool is_looking_ VKHOST_GUARDED_BY(mutex_) = false;
  SteadyTime files_due_ VKHOST_GUARDED_BY(mutex_){};
  SteadyTime plugin_not_before_ VKHOST_GUARDED_BY(mutex_){};
  bool is_plugin_rejected_ VKHOST_GUARDED_BY(mutex_) = false;
  std::optional<Material> material_ VKHOST_GUARDED_BY(mutex_);
  std::optional<ExecCredential> plugin_ VKHOST_GUARDED_BY(mutex_);
  Status files_fault_ VKHOST_GUARDED_BY(mutex_);  // of the last look at each
  Status plugin_fault_ VKHOST_GUARDED_BY(mutex_);
  Identity identity_ VKHOST_GUARDED_BY(mutex_);
};

ConnectionCredentials::Due ConnectionCredentials::due(SteadyTime now) const {
  Due due;
  due.files = now >= files_due_;
  if (uses_plugin_ && now >= plugin_not_before_) {
    const bool is_expiring =
        plugin_ && plugin_->expires && clock_->wall_now() + kBeforeExpiry >= *plugin_->expires;
    due.plugin = !plugin_ || is_plugin_rejected_ || is_expiring;
  }
  return due;
}

bool ConnectionCredentials::is_usable() const {
  return has_identity() && !is_plugin_rejected_ &&
         !(uses_plugin_ && plugin_ && plugin_->expires && clock_->wall_now() >= *plugin_->expires);
}

// A token that the server would refuse anyway is worth less than the reason why there is no other.
Result<Identity> ConnectionCredentials::answer() const {
  if (is_usable() || (has_identity() && plugin_fault_.is_ok())) {
    return identity_;
  }
  return files_fault_.is_ok() ? plugin_fault_ : files_fault_;
}

Result<Identity> ConnectionCredentials::current(Deadline deadline, const CancelToken& cancel) {
  const CancelCallback wake(cancel, [this] {
    const MutexLock lock(mutex_);
    changed_.notify_all();
  });
  Due due_now;
  std::string ca_pem;
  {
    const MutexLock lock(mutex_);
    for (;;) {
      due_now = due(clock_->steady_now());
      if (!due_now.files && !due_now.plugin) {
        return answer();
      }
      if (!is_looking_) {
        break;
      }
      if (is_usable()) {
        return identity_;
      }
      if (cancel.is_cancelled()) {
        return cancelled("stopped while waiting for credentials");
      }
      if (!changed_.wait_until(mutex_, deadline.when()) && deadline.is_past(clock_->steady_now())) {
        return deadline_exceeded("waiting for credentials of " + connection_.origin);
      }
    }
    is_looking_ = true;
    ca_pem = material_ ? material_->ca_pem : std::string();
  }
  Refresh refresh = look(due_now, std::move(ca_pem), cancel);
  const MutexLock lock(mutex_);
  install(std::move(refresh));
  is_looking_ = false;
  changed_.notify_all();
  return answer();
}

// The deadline of the call does not count here: a plugin slower than that would be killed for every
// caller in turn and never get to its answer.
ConnectionCredentials::Refresh ConnectionCredentials::look(Due due,
                                                           std::string ca_pem,
                                                           const CancelToken& cancel) {
  Refresh refresh;
  if (due.files) {
    refresh.material = read_material(connection_);
    if (refresh.material->is_ok()) {
      ca_pem = (*refresh.material)->ca_pem;
    }
  }
  if (due.plugin) {
    refresh.plugin = run_exec_plugin(connection_, ca_pem, *clock_,
                                     Deadline::after(*clock_, kPluginMayRun), cancel);
  }
  return refresh;
}

void ConnectionCredentials::install(Refresh refresh) {
  const SteadyTime now = clock_->steady_now();
  if (refresh.material) {
    files_fault_ = refresh.material->status().while_doing(connection_.origin);
    files_due_ = now + (files_fault_.is_ok() ? kFilesStay : kAfterFailure);
    if (files_fault_.is_ok()) {
      material_ = std::move(*refresh.material).value();
    } else {
      warn(files_fault_);
    }
  }
  if (refresh.plugin) {
    plugin_fault_ = refresh.plugin->status();
    if (plugin_fault_.is_ok()) {
      plugin_ = std::move(*refresh.plugin).value();
      is_plugin_rejected_ = false;
      plugin_not_before_ = now + kBetweenPlugins;
    } else if (plugin_fault_.code() == StatusCode::Cancelled) {
      plugin_not_before_ = now;  // says nothing about the plugin: the next caller may try at once
    } else {
      plugin_not_before_ = now + kAfterFailure;
      warn(plugin_fault_);
    }
  }
  if (material_ && (plugin_ || !uses_plugin_)) {
    make_identity();
  }
}

void ConnectionCredentials::warn(const Status& fault) const {
  log_.warn("Credentials for the API server could not be renewed",
            {{"connection", connection_.origin}, observe::error_field(fault)});
}

void ConnectionCredentials::make_identity() {
  http::ClientTls tls;
  tls.ca_pem = material_->ca_pem;
  tls.certificate_pem = material_->certificate_pem;
  tls.key_pem = material_->key_pem.reveal();
  tls.server_name = connection_.tls_server_name;
  tls.insecure_skip_verify = connection_.insecure_skip_tls_verify;
  Secret authorization;
  if (!material_->token.empty()) {
    authorization = Secret("Bearer " + material_->token.reveal());
  } else if (!connection_.username.empty()) {
    authorization = Secret(
        "Basic " + base64_encode(connection_.username + ":" + connection_.password.reveal()));
  } else if (uses_plugin_) {
    if (!plugin_->token.empty()) {
      authorization = Secret("Bearer " + plugin_->token.reveal());
    }
    if (!plugin_->certificate_pem.empty()) {
      tls.certificate_pem = plugin_->certificate_pem;
      tls.key_pem = plugin_->key_pem.reveal();
    }
  }
  const bool has_same_tls = identity_.tls && identity_.tls->ca_pem == tls.ca_pem &&
                            identity_.tls->certificate_pem == tls.certificate_pem &&
                            identity_.tls->key_pem == tls.key_pem;
  if (has_same_tls && identity_.authorization == authorization) {
    return;
  }
  if (!has_same_tls) {
    identity_.tls = std::make_shared<const http::ClientTls>(std::move(tls));
  }
  identity_.authorization = std::move(authorization);
  identity_.impersonation = impersonation_;
  ++identity_.generation;
}

void ConnectionCredentials::reject(std::uint64_t generation) {
  const MutexLock lock(mutex_);
  if (generation == identity_.generation) {
    files_due_ = {};
    is_plugin_rejected_ = uses_plugin_;
  }
}

}  // namespace

std::shared_ptr<Credentials> make_credentials(Connection connection,
                                              std::shared_ptr<const Clock> clock,
                                              observe::Logger log) {
  return std::make_shared<ConnectionCredentials>(std::move(connection), std::move(clock),
                                                 std::move(log));
}

std::unique_ptr<Client> make_client(const Connection& connection,
                                    ClientSettings settings,
                                    ClientParts parts) {
  settings.server = connection.server;
  settings.proxy_url = connection.proxy_url;
  parts.credentials = make_credentials(connection, parts.clock, parts.log);
  return make_client(std::move(settings), std::move(parts));
}

}  // namespace vkhost::kube
