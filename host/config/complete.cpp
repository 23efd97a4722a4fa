#include "config/complete.hpp"

#include "base/suggest.hpp"
#include "config/key_type.hpp"
#include "config/settings_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultNodeName = "virtual-kubelet";
constexpr std::uint16_t kKubeletPort = 10250;

class Completion {
 public:
  Completion(Config& config, const Value& root, const Sources& sources, Problems& problems)
      : config_(config), root_(root), sources_(sources), problems_(problems) {}

  void run() {
    providers();
    nodes();
    ports();
    kubelet();
    folders();
    kubeconfig();
    if (!config_.kubernetes.bootstrap_kubeconfig.empty() && config_.nodes.size() > 1) {
      error("kubernetes.bootstrap_kubeconfig",
            "brings the certificate of one node, but there are " +
                std::to_string(config_.nodes.size()) + "; run one daemon for each");
    }
    if (config_.pods.backoff_first > config_.pods.backoff_cap) {
      error("pods.backoff_first", "is longer than pods.backoff_cap");
    }
    if (config_.standalone.enabled && config_.standalone.manifests.empty()) {
      error("standalone.manifests",
            "missing: without a cluster the pods come from a folder with YAML files "
            "(--manifests)");
    }
  }

 private:
  // "node[1]", or "node" where it stands as [node].
  [[nodiscard]] std::string indexed(std::string_view name, std::size_t index) const {
    const Value* given = root_.find(name);
    const bool is_list = given != nullptr && given->as<Array>() != nullptr;
    return std::string(name) + (is_list ? '[' + std::to_string(index) + ']' : std::string());
  }

  void warning(const std::string& key, std::string text) {
    problems_.warning(place_of_key(root_, key), key, std::move(text));
  }

  void error(const std::string& key, std::string text) {
    const Place at = place_of_key(root_, key);
    problems_.error(at, key, std::move(text));
  }

  void providers() {
    if (config_.providers.empty()) {
      error("provider", "missing: expected a table [provider] with the name of a plugin");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < config_.providers.size(); ++i) {
      ProviderConfig& provider = config_.providers[i];
      if (provider.name.empty() && provider.library.empty()) {
        error(indexed("provider", i), "missing: expected `name` or `library`");
        continue;
      }
      if (provider.name.empty()) {
        provider.name = name_of_library(provider.library);
      }
      if (provider.library.empty()) {
        provider.library = provider.name;
      }
      if (!names.insert(provider.name).second) {
        error(indexed("provider", i) + ".name", "\"" + provider.name + "\" is used twice");
      }
    }
  }

  // "/usr/lib/vkhost/plugins/vkhost-mock.so" → "mock".
  static std::string name_of_library(const std::string& library) {
    std::string name = fs::path(library).stem().string();
    for (const std::string_view prefix : {"lib", "vkhost-", "vkhost_"}) {
      if (name.starts_with(prefix) && name.size() > prefix.size()) {
        name.erase(0, prefix.size());
      }
    }
    return name;
  }

  void nodes() {
    if (config_.nodes.empty()) {
      config_.nodes.emplace_back();
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < config_.nodes.size(); ++i) {
      NodeConfig& node = config_.nodes[i];
      if (node.name.empty() && config_.nodes.size() > 1) {
        error(indexed("node", i) + ".name", "missing: each of several nodes needs one");
      } else if (node.name.empty()) {
        node.name = kDefaultNodeName;
      }
      if (!node.name.empty() && !names.insert(node.name).second) {
        error(indexed("node", i) + ".name", "\"" + node.name + "\" is used twice");
      }
      provider_of(node, i);
      taints_of(node);
      amounts_of(node, indexed("node", i));
      doubts_about(node, indexed("node", i));
    }
  }

  // The API server refuses the whole node for one such amount.
  void amounts_of(const NodeConfig& node, const std::string& key) {
    for (const auto& [member, amounts] :
         {std::pair(".capacity.", &node.capacity), std::pair(".allocatable.", &node.allocatable)}) {
      for (const auto& [name, amount] : *amounts) {
        if (is_counted_resource(name) && !is_whole_quantity(amount)) {
          error(key + member + show_table_key(name),
                "expected a whole number, found \"" + amount + "\": " + name + " is counted");
        }
      }
    }
  }

  void doubts_about(const NodeConfig& node, const std::string& key) {
    constexpr std::size_t kLongestLabel = 63;
    if (node.name.size() > kLongestLabel && !node.labels.contains("kubernetes.io/hostname")) {
      warning(key + ".name",
              "is longer than a label may be: the node gets no label kubernetes.io/hostname; set a "
              "shorter one in `labels` if pods are to be spread or chosen by it");
    }
    if (node.ping_timeout > std::chrono::minutes{1}) {
      warning(key + ".ping_timeout",
              "a provider that hangs is noticed no sooner; usually some seconds are enough");
    }
  }

  void provider_of(NodeConfig& node, std::size_t index) {
    const std::string key = indexed("node", index) + ".provider";
    std::vector<std::string_view> known;
    known.reserve(config_.providers.size());
    for (const ProviderConfig& provider : config_.providers) {
      known.push_back(provider.name);
    }
    if (node.provider.empty()) {
      if (known.size() == 1) {
        node.provider = known.front();
      } else if (known.size() > 1) {
        error(key, "missing: there are several providers");
      }
    } else if (std::find(known.begin(), known.end(), node.provider) == known.end() &&
               !known.empty()) {
      error(key,
            "there is no provider \"" + node.provider + "\"" + did_you_mean(node.provider, known));
    }
  }

  void taints_of(NodeConfig& node) const {
    if (node.taints) {
      return;
    }
    const DefaultTaint& taint = config_.default_taint;
    node.taints.emplace();
    if (taint.enabled) {
      node.taints->push_back(
          {taint.key, taint.value.empty() ? node.provider : taint.value, taint.effect});
    }
  }

  void ports() {
    auto& listen = config_.kubelet.listen;
    if (!listen) {
      listen =
          Listen{config_.standalone.enabled ? "127.0.0.1" : "", kKubeletPort, kKubeletPort, false};
    }
    std::set<std::int64_t> used;
    for (std::size_t i = 0; i < config_.nodes.size(); ++i) {
      const auto& port = config_.nodes[i].port;
      if (port && *port != 0 && !used.insert(*port).second) {
        error(indexed("node", i) + ".port",
              "port " + std::to_string(*port) + " belongs to another node already");
      }
    }
    // The others take what is left of the range, or all that follow a single port.
    const bool is_range = listen->last_port != listen->first_port;
    const std::int64_t last = is_range ? listen->last_port : 65535;
    std::int64_t next = listen->first_port;
    for (NodeConfig& node : config_.nodes) {
      while (!node.port && next != 0 && used.contains(next)) {
        ++next;
      }
      if (!node.port && next > last) {
        error("kubelet.listen", "there are more nodes than ports: " + node.name + " gets none");
        return;
      }
      if (!node.port) {
        node.port = next;
        next += next == 0 ? 0 : 1;
      }
    }
  }

  void kubelet() {
    const KubeletConfig& kubelet = config_.kubelet;
    if (kubelet.certificate_file.empty() != kubelet.key_file.empty()) {
      const bool key_missing = kubelet.key_file.empty();
      error(key_missing ? "kubelet.certificate_file" : "kubelet.key_file",
            std::string("is of no use without ") +
                (key_missing ? "kubelet.key_file" : "kubelet.certificate_file"));
    }
  }

  [[nodiscard]] std::string variable(const std::string& name) const {
    return sources_.environment(name).value_or("");
  }

  // A service manager's own folder, else the system's, else the user's after the XDG rules.
  [[nodiscard]] std::string default_folder(const std::string& from_service_manager,
                                           std::string_view system_folder,
                                           const std::string& xdg,
                                           std::string_view below_home) const {
    std::string folder = variable(from_service_manager);
    if (!folder.empty()) {
      return folder.substr(0, folder.find(':'));
    }
    if (sources_.is_root) {
      return std::string(system_folder);
    }
    if (folder = variable(xdg); fs::path(folder).is_absolute()) {
      return folder + "/vkhost";
    }
    folder = variable("HOME");
    return folder.empty() ? std::string() : folder + std::string(below_home);
  }

  void folders() {
    PathsConfig& paths = config_.paths;
    if (paths.state.empty()) {
      paths.state = default_folder("STATE_DIRECTORY", "/var/lib/vkhost", "XDG_STATE_HOME",
                                   "/.local/state/vkhost");
    }
    if (paths.runtime.empty()) {
      paths.runtime = default_folder("RUNTIME_DIRECTORY", "/run/vkhost", "XDG_RUNTIME_DIR",
                                     "/.local/state/vkhost/run");
    }
    for (const auto& [key, path] :
         {std::pair("paths.state", &paths.state), std::pair("paths.runtime", &paths.runtime)}) {
      if (path->empty()) {
        error(key, "missing: neither HOME nor the XDG variables say where");
      }
    }
  }

  void kubeconfig() {
    std::string& kubeconfig = config_.kubernetes.kubeconfig;
    const std::string home = variable("HOME");
    if (kubeconfig.empty() && root_.find("kubernetes") != nullptr &&
        root_.find("kubernetes")->find("kubeconfig") != nullptr) {
      return;  // set to nothing on purpose: the service account
    }
    if (kubeconfig.empty() && !home.empty()) {
      kubeconfig = home + "/.kube/config";
    }
  }

  Config& config_;
  const Value& root_;
  const Sources& sources_;
  Problems& problems_;
};

}  // namespace

void complete(Config& config, const Value& root, const Sources& sources, Problems& problems) {
  Completion(config, root, sources, problems).run();
}

}  // namespace vkhost::config
