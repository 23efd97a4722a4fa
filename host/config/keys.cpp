#include "config/keys.hpp"

#include "config/key_type.hpp"

#include <limits>

namespace vkhost::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kDay = 24h;
constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();

KeyType<SettingsDocument> settings() {
  return {"table", "",
          [](const Value& value, const std::string& key,
             Problems& problems) -> std::optional<SettingsDocument> {
            if (value.as<Table>() == nullptr) {
              expected(value, key, "a table with the plugin's settings", problems);
              return std::nullopt;
            }
            return SettingsDocument(value);
          },
          // Compared only: the text may hold secrets.
          [](const SettingsDocument& document) { return document.json().reveal(); }};
}

std::optional<std::string> any_text(std::string_view /*text*/) { return std::nullopt; }

Section<ProviderConfig> provider_keys() {
  Section<ProviderConfig> keys;
  keys.key("name", &ProviderConfig::name, text("name", check_label_value),
           "The word by which nodes, logs and metrics name this provider. Needed where there are "
           "several.")
      .default_text("from `library`")
      .key("library", &ProviderConfig::library, text(),
           "The plugin: a name (`mock` is `vkhost-mock.so` in a folder of `paths.plugins`) or the "
           "path of a file.")
      .default_text("the same as `name`")
      .key("sha256", &ProviderConfig::sha256, text("SHA-256", check_sha256),
           "Load the file only if it has this hash.")
      .default_text("not checked")
      .key("settings", &ProviderConfig::settings, settings(),
           "The plugin's own settings; its page names them. They are checked by the schema that "
           "the plugin carries.",
           Reload::ByProvider)
      .default_text("`{}`");
  return keys;
}

Section<Taint> taint_keys() {
  Section<Taint> keys;
  keys.key("key", &Taint::key, text("text", check_label_key), "Key.")
      .required()
      .key("value", &Taint::value, text("text", check_label_value), "Value.")
      .key("effect", &Taint::effect, text("text", check_taint_effect), "Effect.");
  return keys;
}

auto loss_policy() {
  return choice<OnLost>(
      {{"fail", OnLost::Fail}, {"recreate", OnLost::Recreate}, {"wait", OnLost::Wait}});
}

Section<NodeAddress> address_keys() {
  const auto is_type = [](std::string_view type) -> std::optional<std::string> {
    for (const std::string_view known :
         {"InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS"}) {
      if (type == known) {
        return std::nullopt;
      }
    }
    return R"("InternalIP", "ExternalIP", "Hostname", "InternalDNS" or "ExternalDNS")";
  };
  Section<NodeAddress> keys;
  keys.key("type", &NodeAddress::type, text("text", is_type), "Type.")
      .key("address", &NodeAddress::address, text(), "Address.")
      .required();
  return keys;
}

void add_node_identity(Section<NodeConfig>& keys) {
  keys.key("name", &NodeConfig::name, text("node name", check_node_name),
           "Name of the Node object. Needed where there are several. A provider may have a say in "
           "it (see its page). A name of more than 63 characters is no label: such a node has no "
           "`kubernetes.io/hostname` but the one that `labels` gives it.")
      .default_text("`DEFAULT_NODE_NAME`, else `\"virtual-kubelet\"`")
      .key("provider", &NodeConfig::provider, text(),
           "The provider that runs this node's pods, by name. Needed where there are several.")
      .default_text("the only provider")
      .key("labels", &NodeConfig::labels,
           table_of("text", text("text", check_label_value), check_label_key),
           "Labels besides those that every node has.")
      .key("annotations", &NodeConfig::annotations,
           table_of("text", text("text", any_text), check_label_key), "Annotations.")
      .key("taints", &NodeConfig::taints,
           maybe(list_of("taints", inline_table("taint", taint_keys()))),
           "Taints, such as `{ key = \"example.com/gpu\", value = \"true\", effect = "
           "\"NoSchedule\" }`. `[]` for none.")
      .default_text("the one of `[default_taint]`")
      .key("startup_taints", &NodeConfig::startup_taints,
           list_of("taints", inline_table("taint", taint_keys())),
           "Taints that the node is registered with and that a controller of the cluster takes "
           "away when it is done, such as `{ key = \"node.cilium.io/agent-not-ready\" }`. They "
           "are not put back.")
      .key("addresses", &NodeConfig::addresses,
           list_of("addresses", inline_table("address", address_keys())),
           "Addresses in the node's status, such as `{ type = \"ExternalIP\", address = "
           "\"203.0.113.7\" }`. The first one must lead to this daemon.")
      .default_text("`kubelet.advertised_address`")
      .key("port", &NodeConfig::port, maybe(integer(0, 65535)),
           "Port of this node's kubelet API; 0 for any.")
      .default_text("from `kubelet.listen`");
}

void add_node_description(Section<NodeConfig>& keys) {
  keys.key("capacity", &NodeConfig::capacity, table_of("quantities", quantity(), check_label_key),
           "Capacity, such as `{ cpu = \"20\", memory = \"100Gi\", pods = \"50\" }`. Wins over "
           "what the provider says.")
      .key("allocatable", &NodeConfig::allocatable,
           table_of("quantities", quantity(), check_label_key),
           "What pods may use of it. What is left out is as in `capacity`. More than that is "
           "allowed: an overcommitted node.")
      .key("capacity_file", &NodeConfig::capacity_file, path(),
           "A JSON file with `capacity` and `allocatable`, such as `{\"capacity\": {\"cpu\": "
           "\"20\"}}`, looked at every `ping_interval`. It wins over what the provider says; the "
           "two keys above win over it.")
      .default_text("none")
      .key("operating_system", &NodeConfig::operating_system,
           choice<std::string>({{"linux", "linux"}, {"windows", "windows"}}),
           "Label `kubernetes.io/os` and node info.")
      .key("architecture", &NodeConfig::architecture, text("text", check_label_value),
           "Label `kubernetes.io/arch` and node info.")
      .default_text("the provider's, else this machine's")
      .key("kubelet_version", &NodeConfig::kubelet_version, text(), "Version that the node shows.")
      .default_text("this daemon's")
      .key("provider_id", &NodeConfig::provider_id, text(), "`spec.providerID` of the node.")
      .default_text("the provider's");
}

Section<NodeConfig> node_keys() {
  Section<NodeConfig> keys;
  add_node_identity(keys);
  add_node_description(keys);
  keys.key("lease_duration", &NodeConfig::lease_duration, duration(10s, 1h),
           "How long the node counts as alive without news; its lease is renewed four times in it.")
      .key("status_interval", &NodeConfig::status_interval, duration(1s, kDay),
           "The node's status is written this often, and at once when it changes.")
      .key("ping_interval", &NodeConfig::ping_interval, duration(1s, kDay),
           "How often the provider is asked whether its back end is reachable.")
      .key("ping_timeout", &NodeConfig::ping_timeout, duration(100ms, 1h),
           "How long that may take.")
      .key("on_lost", &NodeConfig::on_lost, maybe(loss_policy()),
           "As `policies.on_lost`, for the pods of this node.", Reload::Live)
      .default_text("`policies.on_lost`")
      .key("ping_failures", &NodeConfig::ping_failures, integer(1, 10),
           "So many in a row must find nobody there until the node is NotReady. Anything else that "
           "is wrong, such as credentials, counts at once.");
  return keys;
}

Section<DefaultTaint> default_taint_keys() {
  Section<DefaultTaint> keys;
  keys.key("enabled", &DefaultTaint::enabled, boolean(),
           "Whether nodes that name no taints get this one.")
      .key("key", &DefaultTaint::key, text("text", check_label_key), "Key.")
      .key("value", &DefaultTaint::value, text("text", check_label_value), "Value.")
      .default_text("the provider's name")
      .key("effect", &DefaultTaint::effect, text("text", check_taint_effect),
           "`NoSchedule`, `PreferNoSchedule` or `NoExecute`.");
  return keys;
}

Section<KubernetesConfig> kubernetes_keys() {
  Section<KubernetesConfig> keys;
  keys.key("kubeconfig", &KubernetesConfig::kubeconfig, path(),
           "Credentials and address of the API server. Where there is no such file, the service "
           "account of the pod that the daemon runs in.")
      .default_text("`KUBECONFIG`, else `~/.kube/config`")
      .key("context", &KubernetesConfig::context, text(), "Context of the kubeconfig.")
      .default_text("its current one")
      .key("server", &KubernetesConfig::server, text("URL", check_http_url),
           "Replaces the API server's address.")
      .default_text("from the credentials")
      .key("namespace", &KubernetesConfig::pod_namespace,
           text("namespace",
                [](auto name) { return name.empty() ? std::nullopt : check_domain(name); }),
           "Accept pods of this namespace only.")
      .default_text("all namespaces")
      .key("cluster_domain", &KubernetesConfig::cluster_domain, text("domain", check_domain),
           "DNS domain of the cluster, for providers and resolved host names.")
      .key("max_requests_in_flight", &KubernetesConfig::max_requests_in_flight, integer(1, 1000),
           "Requests to the API server at the same time. A quarter of them, at most 8, are for "
           "what is read, the others for what is written about pods. Leases and events have lanes "
           "of their own.")
      .key("request_timeout", &KubernetesConfig::request_timeout, duration(1s, 10min),
           "How long one request may take.")
      .key("watch_list", &KubernetesConfig::watch_list,
           choice<WatchList>({{"auto", WatchList::Auto}, {"off", WatchList::Off}}),
           "`auto`: the list of pods comes as the beginning of the watch, where the API server "
           "offers that; `off`: always in pages.")
      .key("cluster_uid", &KubernetesConfig::cluster_uid, text(),
           "What names this cluster in the marks by which the daemon knows its workloads in a back "
           "end. Each node keeps it in its annotation `vkhost.io/cluster-uid` and does not start "
           "under another one, which would make strangers of all of them; so set it before the "
           "daemon gets credentials that may not read `kube-system`.")
      .default_text(
          "the UID of the namespace `kube-system`; with the identity of a node, which may not read "
          "that, of the service `default/kubernetes`")
      .key(
          "bootstrap_kubeconfig", &KubernetesConfig::bootstrap_kubeconfig, path(),
          "A kubeconfig with a bootstrap token. With it the daemon asks the cluster for the client "
          "certificate of its node, keeps it in `paths.state` and renews it in time. It takes the "
          "place of `kubeconfig`, and the file stays: the API server's address comes from it. For "
          "a daemon with one node.")
      .default_text("none");
  return keys;
}

void add_kubelet_access(Section<KubeletConfig>& keys) {
  keys.key("client_ca_file", &KubeletConfig::client_ca_file, path(),
           "Client certificates signed by this CA are trusted. A changed file is taken within "
           "seconds.")
      .default_text("the cluster's, from `kube-system/extension-apiserver-authentication`")
      .key("insecure_anonymous_auth", &KubeletConfig::insecure_anonymous_auth, boolean(),
           "Take requests without credentials as `system:anonymous`, still authorised as such.")
      .key("insecure_no_authorization", &KubeletConfig::insecure_no_authorization, boolean(),
           "Let everybody do everything who is authenticated. For trials only.")
      .key("authentication_cache_ttl", &KubeletConfig::authentication_cache_ttl, duration(0s, 1h),
           "How long the API server's word on a token is believed.")
      .key("authorization_cache_allowed_ttl", &KubeletConfig::authorization_cache_allowed_ttl,
           duration(0s, 1h), "How long its yes to a request is believed.")
      .key("authorization_cache_denied_ttl", &KubeletConfig::authorization_cache_denied_ttl,
           duration(0s, 1h), "How long its no is believed.");
}

Section<KubeletConfig> kubelet_keys() {
  Section<KubeletConfig> keys;
  keys.key("listen", &KubeletConfig::listen, maybe(listen(false, true)),
           "Where kube-apiserver reaches logs, exec and the like. Several nodes take this port and "
           "those after it, or those of a range; 0 for any.")
      .default_text("`\":10250\"`; `\"127.0.0.1:10250\"` when standalone")
      .key("advertised_address", &KubeletConfig::advertised_address,
           text("address", check_advertised_address),
           "Address of this daemon as the API server must dial it; one of each family, as in "
           "`\"10.0.0.7,fd00::7\"`, where pods and services have both.")
      .default_text("`VKUBELET_POD_IP`, else the address towards the API server")
      .key("check_advertised_address", &KubeletConfig::check_advertised_address, boolean(),
           "The node becomes Ready only after the daemon reached itself there.")
      .key("certificate_file", &KubeletConfig::certificate_file, path(),
           "Serving certificate (PEM). A changed file is taken within seconds.", Reload::Live)
      .default_text("one signed by the daemon itself")
      .key("key_file", &KubeletConfig::key_file, path(), "Its private key (PEM).", Reload::Live)
      .default_text("none");
  add_kubelet_access(keys);
  keys.key("max_streams", &KubeletConfig::max_streams, integer(1, 100'000),
           "Sessions at the same time (logs -f, exec, attach, port-forward); one more gets a 503.");
  return keys;
}

Section<PathsConfig> paths_keys() {
  Section<PathsConfig> keys;
  keys.key("state", &PathsConfig::state, path(),
           "What outlives a restart: handles when standalone, the daemon's own certificate.")
      .default_text("`/var/lib/vkhost`, or `$XDG_STATE_HOME/vkhost` of a user")
      .key("runtime", &PathsConfig::runtime, path(),
           "What the running daemon leaves for `vkhost get`: its addresses and a credential that "
           "only the same user can read.")
      .default_text("`/run/vkhost`, or `$XDG_RUNTIME_DIR/vkhost` of a user")
      .key("plugins", &PathsConfig::plugins, list_of("paths", path()),
           "Folders in which plugins are looked for, the first match counts.")
      .default_text("`lib/vkhost/plugins` beside the executable's `bin`");
  return keys;
}

Section<LogConfig> log_keys() {
  Section<LogConfig> keys;
  keys.key("level", &LogConfig::level,
           choice<LogLevel>({{"trace", LogLevel::Trace},
                             {"debug", LogLevel::Debug},
                             {"info", LogLevel::Info},
                             {"warn", LogLevel::Warn},
                             {"warning", LogLevel::Warn},
                             {"error", LogLevel::Error},
                             {"fatal", LogLevel::Error},
                             {"panic", LogLevel::Error}}),
           "The least serious entries that are written.", Reload::Live)
      .key("format", &LogConfig::format,
           choice<LogFormat>(
               {{"auto", LogFormat::Auto}, {"text", LogFormat::Text}, {"json", LogFormat::Json}}),
           "`auto` is text on a terminal and one JSON object a line otherwise.");
  return keys;
}

Section<PoliciesConfig> policies_keys() {
  Section<PoliciesConfig> keys;
  keys.key("on_lost", &PoliciesConfig::on_lost, loss_policy(),
           "A pod that had started and whose workload is gone: it becomes Failed, is created once "
           "more, or waits, not ready, until the provider shows it again. With `restartPolicy: "
           "Never` it is never created once more. The annotation `vkhost.io/on-lost` of a pod wins "
           "over this.",
           Reload::Live)
      .key("daemonset_pods", &PoliciesConfig::daemonset_pods,
           choice<DaemonsetPods>({{"ignore", DaemonsetPods::Ignore},
                                  {"refuse", DaemonsetPods::Refuse},
                                  {"accept", DaemonsetPods::Accept},
                                  {"run", DaemonsetPods::Accept}}),
           "Pods of DaemonSets, which mostly want a real machine. `ignore` leaves them Pending "
           "until "
           "they are deleted. `refuse` makes them Failed with reason `DaemonSetPodsRefused`, and "
           "their controller creates them again, at growing distances, for ever. `run` is the "
           "former "
           "spelling of `accept`.",
           Reload::Live)
      .key("admission", &PoliciesConfig::admission, boolean(),
           "Reject pods that do not fit the node (selectors, taints, resources) in the words of a "
           "kubelet. The scheduler places none of these; pods with `nodeName` get past it.",
           Reload::Live)
      .key(
          "unsupported_fields", &PoliciesConfig::unsupported_fields,
          choice<UnsupportedFields>(
              {{"warn", UnsupportedFields::Warn}, {"reject", UnsupportedFields::Reject}}),
          "Pods with fields that the provider ignores: they are told by an event and the condition "
          "`vkhost.io/FieldsHonoured`, or the pod becomes Failed with reason `UnsupportedFields`. "
          "`vkhost explain FILE` says beforehand which these are.",
          Reload::Live)
      .key("orphans", &PoliciesConfig::orphans,
           choice<Orphans>({{"report", Orphans::Report}, {"delete", Orphans::Delete}}),
           "Workloads of this node whose pod is gone: they are reported, or deleted once that is "
           "certain.",
           Reload::Live)
      .key("max_orphan_deletions", &PoliciesConfig::max_orphan_deletions, integer(0, kAnyNumber),
           "At most so many in one sweep.", Reload::Live)
      .key("on_stop", &PoliciesConfig::on_stop,
           choice<OnStop>({{"leave", OnStop::Leave},
                           {"not_ready", OnStop::NotReady},
                           {"cordon", OnStop::Cordon},
                           {"drain", OnStop::Drain}}),
           "What becomes of the nodes when the daemon stops. `leave`: nothing, for restarts that "
           "nobody shall notice; `not_ready`: NotReady at once; `cordon`: unschedulable as well, "
           "until the daemon is back; `drain`: unschedulable, then their pods are evicted (not "
           "those of DaemonSets, and as disruption budgets allow), then NotReady.",
           Reload::Live);
  return keys;
}

Section<PodsConfig> pods_keys() {
  Section<PodsConfig> keys;
  keys.key("workers", &PodsConfig::workers, integer(1, 1000),
           "Provider calls at the same time for each node; a provider may allow fewer.")
      .key("status_writers", &PodsConfig::status_writers, integer(1, 256),
           "Status writes at the same time.")
      .key("resync_interval", &PodsConfig::resync_interval, duration(1s, kDay),
           "Everything is compared with the provider this often, whatever events said.",
           Reload::Live)
      .key("call_timeout", &PodsConfig::call_timeout, duration(1s, 1h),
           "How long a call of the provider may take.", Reload::Live)
      .key("deletion_slack", &PodsConfig::deletion_slack, duration(1s, 1h),
           "Beyond a pod's grace period, before its deletion is asked for again without grace.",
           Reload::Live)
      .key(
          "deletion_limit", &PodsConfig::deletion_limit, duration(0s, kDay),
          "Beyond a pod's grace period, before its object is removed although the provider has not "
          "confirmed the deletion (event `DeletionTimeout`); the workload is deleted on. `\"0s\"`: "
          "the object waits for ever.",
          Reload::Live)
      .key("keep_finished", &PodsConfig::keep_finished, duration(0s, 365 * kDay),
           "How long the provider keeps what it has of a finished pod, its logs above all. "
           "`\"0s\"`: "
           "until the pod's object is deleted.",
           Reload::Live)
      .key("events", &PodsConfig::events,
           choice<PodEvents>({{"all", PodEvents::All}, {"warnings", PodEvents::Warnings}}),
           "Which Events pods get. Normal ones wait while statuses are written, and are dropped "
           "first when there are too many.",
           Reload::Live)
      .key("backoff_first", &PodsConfig::backoff_first, duration(10ms, 10min),
           "Pause after a first failure; it doubles with each further one.", Reload::Live)
      .key("backoff_cap", &PodsConfig::backoff_cap, duration(10ms, kDay),
           "Longest pause. Retries never end.", Reload::Live);
  return keys;
}

Section<StandaloneConfig> standalone_keys() {
  Section<StandaloneConfig> keys;
  keys.key("enabled", &StandaloneConfig::enabled, boolean(),
           "Run without a cluster. `vkhost run --standalone` does the same.")
      .key("manifests", &StandaloneConfig::manifests, path(),
           "Folder with YAML files: Pods, and the ConfigMaps and Secrets that they refer to.")
      .default_text("none");
  return keys;
}

Section<Config> make_all_keys() {
  Section<StopConfig> stop;
  stop.key("timeout", &StopConfig::timeout, duration(1s, 1h),
           "From the first signal until the daemon leaves without what has not ended; below the "
           "patience of the service manager.",
           Reload::Live)
      .key("drain_timeout", &StopConfig::drain_timeout, duration(1s, kDay),
           "With `policies.on_stop = \"drain\"`: how long the nodes may take to become empty, "
           "before that time begins. A service manager that knows `EXTEND_TIMEOUT_USEC` is told.",
           Reload::Live);
  Section<HealthConfig> health;
  health.key("listen", &HealthConfig::listen, listen(true, false),
             "`/healthz`, `/livez` and `/readyz`; `/metrics` too if it is a loopback address. "
             "Without authentication, hence without detail.");
  Section<Config> keys;
  keys.key("config_version", &Config::config_version, integer(1, kConfigVersion),
           "Version of this file's format.")
      .required()
      .tables("provider", &Config::providers, &ProviderConfig::name, provider_keys(),
              "What runs the pods. One `[provider]`, or several `[[provider]]`.")
      .tables("node", &Config::nodes, &NodeConfig::name, node_keys(),
              "A virtual node. One `[node]`, several `[[node]]`, or none for one with defaults.")
      .table("default_taint", &Config::default_taint, default_taint_keys(),
             "The taint of nodes that name none, so that only pods that tolerate it land there.")
      .table("kubernetes", &Config::kubernetes, kubernetes_keys(), "The API server.")
      .table("kubelet", &Config::kubelet, kubelet_keys(),
             "The HTTPS API that the API server dials.")
      .table("health", &Config::health, health, "Probes and metrics.")
      .table("paths", &Config::paths, paths_keys(), "Folders.")
      .table("log", &Config::log, log_keys(), "Log entries, to standard error.")
      .table("policies", &Config::policies, policies_keys(), "Decisions that are yours.")
      .table("pods", &Config::pods, pods_keys(), "The pod engine.")
      .table("stop", &Config::stop, stop,
             "The end of the daemon. Pods stay, unless `policies.on_stop` says otherwise.")
      .table("standalone", &Config::standalone, standalone_keys(), "Running without a cluster.");
  return keys;
}

}  // namespace

const Section<Config>& all_keys() {
  static const Section<Config> keys = make_all_keys();
  return keys;
}

}  // namespace vkhost::config
