// Config: every setting of the daemon, typed and checked. Plain values: `daemon` builds the small
// settings structs of the other rooms from it. The default of a key is the initializer of its
// member here; name, range and description stand in keys.cpp. [any-thread] for const access
#pragma once

#include "config/settings_document.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::config {

inline constexpr int kConfigVersion = 1;

// Address and port, a range of ports for several nodes, port 0 for any, or nothing at all.
struct Listen {
  std::string address;  // empty: every address of the machine
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;  // first_port when one port was named
  bool off = false;

  friend bool operator==(const Listen&, const Listen&) = default;
};

struct Taint {
  std::string key;
  std::string value;
  std::string effect = "NoSchedule";

  friend bool operator==(const Taint&, const Taint&) = default;
};

struct NodeAddress {
  std::string type = "InternalIP";
  std::string address;

  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

using Labels = std::map<std::string, std::string>;
using Quantities = std::map<std::string, std::string>;

struct ProviderConfig {
  std::string name;     // filled in when there is one provider
  std::string library;  // a name ("mock") or a path; filled in from `name`
  std::string sha256;
  SettingsDocument settings;
};

enum class OnLost { Fail, Recreate, Wait };

struct NodeConfig {
  std::string name;
  std::string provider;  // filled in when there is one provider
  Labels labels;
  Labels annotations;
  std::optional<std::vector<Taint>> taints;  // load() fills in the default taint
  std::vector<Taint> startup_taints;
  Quantities capacity;
  Quantities allocatable;
  std::vector<NodeAddress> addresses;
  std::string operating_system = "linux";
  std::string architecture;
  std::string kubelet_version;
  std::string provider_id;
  std::chrono::milliseconds lease_duration{std::chrono::seconds{40}};
  std::chrono::milliseconds status_interval{std::chrono::minutes{5}};
  std::chrono::milliseconds ping_interval{std::chrono::seconds{10}};
  std::chrono::milliseconds ping_timeout{std::chrono::seconds{10}};
  std::int64_t ping_failures = 2;
  std::string capacity_file;
  std::optional<std::int64_t> port;  // of the kubelet API; else from [kubelet] listen
  std::optional<OnLost> on_lost;     // else from [policies]
};

struct DefaultTaint {
  bool enabled = true;
  std::string key = "virtual-kubelet.io/provider";
  std::string value;  // empty: the provider's name
  std::string effect = "NoSchedule";
};

enum class WatchList { Auto, Off };

struct KubernetesConfig {
  std::string kubeconfig;
  std::string context;
  std::string server;
  std::string pod_namespace;
  std::string cluster_domain = "cluster.local";
  std::int64_t max_requests_in_flight = 32;
  std::chrono::milliseconds request_timeout{std::chrono::seconds{30}};
  WatchList watch_list = WatchList::Auto;
  std::string cluster_uid;
  std::string bootstrap_kubeconfig;
};

struct KubeletConfig {
  std::optional<Listen> listen;  // load() fills in the default, which depends on the mode
  std::string advertised_address;
  bool check_advertised_address = true;
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;
  bool insecure_anonymous_auth = false;
  bool insecure_no_authorization = false;
  std::chrono::milliseconds authentication_cache_ttl{std::chrono::minutes{2}};
  std::chrono::milliseconds authorization_cache_allowed_ttl{std::chrono::minutes{5}};
  std::chrono::milliseconds authorization_cache_denied_ttl{std::chrono::seconds{30}};
  std::int64_t max_streams = 1000;
};

struct HealthConfig {
  Listen listen{"127.0.0.1", 10248, 10248, false};
};

struct PathsConfig {
  std::string state;                 // load() fills in the default
  std::string runtime;               // load() fills in the default
  std::vector<std::string> plugins;  // empty: the folder beside the executable
};

enum class LogLevel { Trace, Debug, Info, Warn, Error };
enum class LogFormat { Auto, Text, Json };

struct LogConfig {
  LogLevel level = LogLevel::Info;
  LogFormat format = LogFormat::Auto;
};

enum class DaemonsetPods { Ignore, Refuse, Accept };
enum class UnsupportedFields { Warn, Reject };
enum class Orphans { Report, Delete };
enum class PodEvents { All, Warnings };
enum class OnStop { Leave, NotReady, Cordon, Drain };

struct PoliciesConfig {
  OnLost on_lost = OnLost::Fail;
  DaemonsetPods daemonset_pods = DaemonsetPods::Ignore;
  bool admission = true;
  UnsupportedFields unsupported_fields = UnsupportedFields::Warn;
  Orphans orphans = Orphans::Report;
  std::int64_t max_orphan_deletions = 10;
  OnStop on_stop = OnStop::Leave;
};

struct PodsConfig {
  std::int64_t workers = 16;
  std::int64_t status_writers = 16;
  std::chrono::milliseconds resync_interval{std::chrono::minutes{1}};
  std::chrono::milliseconds call_timeout{std::chrono::minutes{1}};
  std::chrono::milliseconds deletion_slack{std::chrono::seconds{30}};
  std::chrono::milliseconds deletion_limit{std::chrono::minutes{10}};
  std::chrono::milliseconds keep_finished{0};
  PodEvents events = PodEvents::All;
  std::chrono::milliseconds backoff_first{500};
  std::chrono::milliseconds backoff_cap{std::chrono::minutes{5}};
};

struct StopConfig {
  std::chrono::milliseconds timeout{std::chrono::seconds{25}};
  std::chrono::milliseconds drain_timeout{std::chrono::minutes{5}};
};

struct StandaloneConfig {
  bool enabled = false;
  std::string manifests;
};

struct Config {
  std::int64_t config_version = kConfigVersion;
  std::vector<ProviderConfig> providers;
  std::vector<NodeConfig> nodes;  // load() makes one when none is given
  DefaultTaint default_taint;
  KubernetesConfig kubernetes;
  KubeletConfig kubelet;
  HealthConfig health;
  PathsConfig paths;
  LogConfig log;
  PoliciesConfig policies;
  PodsConfig pods;
  StopConfig stop;
  StandaloneConfig standalone;
};

}  // namespace vkhost::config
