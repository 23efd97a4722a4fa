#include "cli/run_flags.hpp"

#include "base/duration.hpp"
#include "cli/provider_config.hpp"
#include "config/settings_tree.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace vkhost::cli {
namespace {

using config::Place;
using config::Problems;
using config::Value;

constexpr std::string_view kNoThrottle =
    "requests to the API server are bounded by kubernetes.max_requests_in_flight, not by a rate";
constexpr std::string_view kAlwaysOn =
    "the API server is always asked, see kubelet in the "
    "configuration";

constexpr std::string_view kNoTraces = "traces are not exported";

// In the order of the help. Keys of integers and switches are typed by the table of keys.
constexpr std::array kRunFlags = std::to_array<RunFlag>({
    {{"--config", "FILE", "Configuration file.", 'c'}, "", ""},
    {{"--standalone", "", "Run without a cluster."}, "standalone.enabled", ""},
    {{"--manifests", "FOLDER", "Folder with the pods of standalone mode."},
     "standalone.manifests",
     ""},
    {{"--kubeconfig", "FILE", "Credentials of the API server; empty for the service account."},
     "kubernetes.kubeconfig",
     ""},
    {{"--context", "NAME", "Context of the kubeconfig."}, "kubernetes.context", ""},
    {{"--namespace", "NAME", "Accept pods of this namespace only."}, "kubernetes.namespace", ""},
    {{"--cluster-domain", "DOMAIN", "DNS domain of the cluster."}, "kubernetes.cluster_domain", ""},
    {{"--nodename", "NAME", "Name of the node."}, "node.name", ""},
    {{"--os", "OS", "Operating system of the node.", '\0', "linux|windows"},
     "node.operating_system",
     ""},
    {{"--provider", "NAME", "Plugin that runs the pods."}, "provider.name", ""},
    {{"--provider-config", "FILE", "The plugin's settings in TOML, JSON or YAML."}, "", ""},
    {{"--disable-taint", "", "Leave out the default taint."}, "default_taint.enabled", ""},
    {{"--taint", "KEY", "Key of the default taint."}, "default_taint.key", ""},
    {{"--pod-sync-workers", "N", "Provider calls at the same time."}, "pods.workers", ""},
    {{"--full-resync-period", "TIME", "How often everything is compared."},
     "pods.resync_interval",
     ""},
    {{"--client-verify-ca", "FILE", "CA of client certificates."}, "kubelet.client_ca_file", ""},
    {{"--api-server-cert", "FILE", "Serving certificate of the kubelet API."},
     "kubelet.certificate_file",
     ""},
    {{"--api-server-key", "FILE", "Its private key."}, "kubelet.key_file", ""},
    {{"--insecure-anonymous-auth", "", "Take requests without credentials."},
     "kubelet.insecure_anonymous_auth",
     ""},
    {{"--insecure-no-authorization", "", "Let everybody do everything who is authenticated."},
     "kubelet.insecure_no_authorization",
     ""},
    {{"--log-level", "LEVEL", "Least serious entries.", '\0', "trace|debug|info|warn|error"},
     "log.level",
     ""},
    {{"--log-format", "FORMAT", "Form of the log.", '\0', "auto|text|json"}, "log.format", ""},
    // Spellings of single providers.
    {{"--kube-config", "FILE", ""}, "kubernetes.kubeconfig", ""},
    {{"--taint-key", "KEY", ""}, "default_taint.key", ""},
    {{"--taint-value", "VALUE", ""}, "default_taint.value", ""},
    {{"--taint-effect", "EFFECT", ""}, "default_taint.effect", ""},
    {{"--authentication-token-webhook-cache-ttl", "TIME", ""},
     "kubelet.authentication_cache_ttl",
     ""},
    {{"--authorization-webhook-cache-authorized-ttl", "TIME", ""},
     "kubelet.authorization_cache_allowed_ttl",
     ""},
    {{"--authorization-webhook-cache-unauthorized-ttl", "TIME", ""},
     "kubelet.authorization_cache_denied_ttl",
     ""},
    // Without effect here.
    {{"--metrics-addr", "ADDRESS", ""},
     "",
     "metrics are served on health.listen and by the authenticated kubelet API"},
    {{"--enable-node-lease", "", ""}, "", "leases are always used"},
    {{"--kube-api-qps", "N", ""}, "", kNoThrottle},
    {{"--kube-api-burst", "N", ""}, "", kNoThrottle},
    {{"--no-verify-clients", "", ""},
     "",
     "clients of the kubelet API are always verified, unless --insecure-anonymous-auth or "
     "--insecure-no-authorization says otherwise"},
    {{"--authentication-token-webhook", "", ""}, "", kAlwaysOn},
    {{"--startup-timeout", "TIME", ""}, "", "the daemon tries until the node is Ready"},
    {{"--stream-idle-timeout", "TIME", ""}, "", "sessions are bounded by kubelet.max_streams"},
    {{"--stream-creation-timeout", "TIME", ""}, "", "sessions are bounded by kubelet.max_streams"},
    {{"--trace-exporter", "NAME", ""}, "", kNoTraces},
    {{"--trace-service-name", "NAME", ""}, "", kNoTraces},
    {{"--trace-tag", "KEY=VALUE", ""}, "", kNoTraces},
    {{"--trace-sample-rate", "RATE", ""}, "", kNoTraces},
    {{"--trace-zpages-addr", "ADDRESS", ""}, "", kNoTraces},
});

std::optional<std::int64_t> read_integer(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty()
             ? std::optional(number)
             : std::nullopt;
}

class Translation {
 public:
  explicit Translation(Problems& problems) : problems_(problems) {}

  void add(const GivenFlag& given, const RunFlag& known) {
    const Place at = config::place_of_setting(std::string(known.flag.name));
    const std::string_view name = known.flag.name;
    if (name == "--provider") {
      put("provider.name", Value(given.value, at));
      put("provider.library", Value(given.value, at));
    } else if (name == "--provider-config") {
      if (auto settings = read_provider_config(given.value, problems_)) {
        put("provider.settings", std::move(*settings));
      }
    } else if (name == "--disable-taint") {
      put("default_taint.enabled", Value(given.value != "true", at));
    } else if (name == "--full-resync-period" && parse_duration(given.value) == kNever) {
      problems_.warning(at, "", "the comparison cannot be switched off; its default stays");
    } else if (!known.key.empty()) {
      put(known.key, typed(given, known, at));
    } else if (!known.instead.empty()) {
      problems_.warning(at, "", "has no effect: " + std::string(known.instead));
    }
  }

  Value take() { return std::move(root_); }

 private:
  static constexpr std::chrono::milliseconds kNever{0};

  void put(std::string_view key, Value value) { config::put_setting(root_, key, std::move(value)); }

  static Value typed(const GivenFlag& given, const RunFlag& known, const Place& at) {
    if (known.flag.value.empty()) {
      return {given.value == "true", at};
    }
    if (known.flag.value == "N") {
      if (const auto number = read_integer(given.value)) {
        return {*number, at};
      }
    }
    return {given.value, at};
  }

  Problems& problems_;
  Value root_{config::Table{}, Place{}};
};

}  // namespace

std::span<const RunFlag> run_flags() { return kRunFlags; }

std::span<const Flag> run_flag_table() {
  static const std::vector<Flag> table = [] {
    std::vector<Flag> flags;
    flags.reserve(kRunFlags.size());
    for (const RunFlag& flag : kRunFlags) {
      flags.push_back(flag.flag);
    }
    return flags;
  }();
  return table;
}

Value settings_of_flags(const CommandLine& line, Problems& problems) {
  Translation translation(problems);
  for (const GivenFlag& given : line.flags) {
    for (const RunFlag& known : kRunFlags) {
      if (known.flag.name == given.flag->name) {
        translation.add(given, known);
      }
    }
  }
  for (const auto& [name, value] : line.unknown) {
    if (name.starts_with(kKlogPrefix)) {
      problems.warning(config::place_of_setting(name), "",
                       "has no effect: use --log-level and --log-format");
    }
  }
  return translation.take();
}

}  // namespace vkhost::cli
