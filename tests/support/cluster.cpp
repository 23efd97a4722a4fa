#include "support/cluster.hpp"

#include "support/json_pointer.hpp"
#include "support/places.hpp"
#include "support/test_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace vkhost::testing {
namespace fs = std::filesystem;

namespace {

// Building the binaries, if nobody did before, is part of a start.
constexpr std::chrono::minutes kStartWithin{30};

fs::path script() { return source_dir() / "tests/cluster/control_plane/cluster"; }

std::string base64(std::string_view text) {
  std::string encoded(4 * (text.size() / 3 + 1) + 1, '\0');
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast) bytes are bytes
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
}

int port_of(const std::string& url) { return std::stoi(url.substr(url.rfind(':') + 1)); }

std::vector<pid_t> pids_in(const std::string& facts) {
  std::vector<pid_t> pids;
  for (const auto* name : {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}) {
    pids.push_back(std::stoi(json_at(facts, std::string("/pids/") + name)));
  }
  return pids;
}

std::string collection_watch(std::string_view path, std::string_view resource_version) {
  const std::size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash))
      .append("?watch=true&fieldSelector=metadata.name%3D")
      .append(path.substr(slash + 1))
      .append("&resourceVersion=")
      .append(resource_version);
}

void require_success(std::string_view what, const ApiAnswer& answer) {
  if (!answer.is_success()) {
    throw std::runtime_error(std::string(what) + ": " + std::to_string(answer.status) + " " +
                             answer.body);
  }
}

std::string body_of(std::string_view what, ApiAnswer answer) {
  require_success(what, answer);
  return std::move(answer.body);
}

}  // namespace

std::string kubeconfig_text(std::string_view url, std::string_view ca_pem, std::string_view token) {
  return std::string("apiVersion: v1\nkind: Config\nclusters:\n- name: test\n  cluster:\n")
      .append("    server: ")
      .append(url)
      .append("\n    certificate-authority-data: ")
      .append(base64(ca_pem))
      .append("\nusers:\n- name: test\n  user:\n    token: ")
      .append(token)
      .append("\ncontexts:\n- name: test\n  context:\n    cluster: test\n    user: test\n")
      .append("current-context: test\n");
}

Cluster& Cluster::instance() {
  static const std::unique_ptr<Cluster> cluster = [] {
    const char* const named = std::getenv("VKHOST_CLUSTER");  // NOLINT(concurrency-mt-unsafe)
    return named == nullptr ? start() : std::unique_ptr<Cluster>(new Cluster(read_file(named)));
  }();
  return *cluster;
}

std::unique_ptr<Cluster> Cluster::start(const std::vector<std::string>& options) {
  const fs::path work = fs::temp_directory_path() / unique_name("vkhost-cluster");
  // The script's caller is setpriv, which is us: the control plane ends with this process.
  std::vector<std::string> argv = {script(), "start", work, "--owner", std::to_string(::getpid())};
  argv.insert(argv.end(), options.begin(), options.end());
  const CommandResult started = run_command({.argv = argv}, kStartWithin);
  if (started.status != 0) {
    throw std::runtime_error("the control plane did not start:\n" + started.output);
  }
  std::unique_ptr<Cluster> cluster(new Cluster(read_file(work / "cluster.json")));
  cluster->stop_at_the_end_ = true;
  return cluster;
}

Cluster::Cluster(const std::string& facts)
    : facts_(facts),
      port_(port_of(json_at(facts, "/url"))),
      ca_(CertificateAuthority::load(read_file(json_at(facts, "/ca_file")),
                                     read_file(json_at(facts, "/ca_key_file")))),
      work_dir_(json_at(facts, "/work_dir")),
      logs_dir_(json_at(facts, "/logs_dir")),
      supervisor_pid_(std::stoi(json_at(facts, "/supervisor_pid"))),
      pids_(pids_in(facts)),
      minor_version_(std::stoi(json_at(facts, "/minor_version"))),
      api_(port_, ca_.certificate_pem(), token("admin")) {}

Cluster::~Cluster() {
  if (!stop_at_the_end_) {
    return;
  }
  static_cast<void>(run_command({.argv = {script(), "stop", work_dir_}}));
  if (::testing::UnitTest::GetInstance()->Failed()) {
    std::cerr << "kept: " << logs_dir_.native() << '\n';
    return;
  }
  std::error_code ignored;
  fs::remove_all(work_dir_, ignored);
}

std::string Cluster::token(std::string_view user) const {
  std::string token = json_at(facts_, "/tokens/" + std::string(user));
  if (token.empty()) {
    throw std::runtime_error("the control plane has no user " + std::string(user));
  }
  return token;
}

std::string Cluster::kubeconfig(std::string_view user) const {
  return kubeconfig_text(json_at(facts_, "/url"), ca_pem(), token(user));
}

std::string Cluster::kubeconfig(const IssuedCertificate& holder) const {
  std::string text = kubeconfig_text(json_at(facts_, "/url"), ca_pem(), "");
  const std::string_view token = "    token: \n";
  return text.replace(text.find(token), token.size(),
                      "    client-certificate-data: " + base64(holder.certificate_pem) +
                          "\n    client-key-data: " + base64(holder.key_pem) + "\n");
}

std::string Cluster::kubeconfig(std::string_view user, const FaultProxy& proxy) const {
  return kubeconfig_text(proxy.url(), proxy.ca_pem(), token(user));
}

std::unique_ptr<FaultProxy> Cluster::proxy(std::uint64_t seed) const {
  return FaultProxy::start({.upstream_port = port_, .upstream_ca_pem = ca_pem(), .seed = seed});
}

std::string Cluster::get(std::string_view path) { return body_of(path, api_.get(path)); }

std::string Cluster::create(std::string_view path, std::string_view json) {
  return body_of(path, api_.create(path, json));
}

std::string Cluster::patch(std::string_view path, std::string_view json) {
  return body_of(path, api_.patch(path, json));
}

void Cluster::remove(std::string_view path, int grace_s) {
  std::string target(path);
  if (grace_s >= 0) {
    target.append("?gracePeriodSeconds=").append(std::to_string(grace_s));
  }
  const ApiAnswer answer = api_.remove(target);
  if (answer.status != 404) {
    require_success(path, answer);
  }
}

bool Cluster::exists(std::string_view path) {
  const ApiAnswer answer = api_.get(path);
  if (answer.status == 404) {
    return false;
  }
  require_success(path, answer);
  return true;
}

std::string Cluster::create_namespace() {
  std::string name = unique_name("test");
  create("/api/v1/namespaces", R"({"metadata":{"name":")" + name + R"("}})");
  // Without it pods are refused, and in former days without its token.
  const std::string needed = minor_version() < 24 ? "\"secrets\":" : "\"metadata\":";
  wait_for("/api/v1/namespaces/" + name + "/serviceaccounts/default",
           [&](const std::string& account) { return account.find(needed) != std::string::npos; });
  return name;
}

std::string Cluster::wait_for(std::string_view path,
                              const std::function<bool(const std::string&)>& condition,
                              std::chrono::milliseconds within) {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  std::string object;
  for (;;) {
    const ApiAnswer now = api_.get(path);
    object = now.status == 404 ? "" : body_of(path, now);
    if (condition(object)) {
      return object;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left <= left.zero()) {
      throw std::runtime_error(std::string(path) + " did not get there within " +
                               std::to_string(within.count()) + " ms; it is: " + object);
    }
    // A watch without a version begins with what is there, so an object that came meanwhile is seen.
    const std::string version = object.empty() ? "" : json_at(object, "/metadata/resourceVersion");
    bool fulfilled = false;
    api_.watch(collection_watch(path, version), left, [&](std::string_view event) {
      const std::string type = json_at(event, "/type");
      object = type == "ADDED" || type == "MODIFIED" ? json_at(event, "/object") : "";
      fulfilled = type != "ERROR" && condition(object);
      return !fulfilled;
    });
    if (fulfilled) {
      return object;
    }
  }
}

void Cluster::wait_until_gone(std::string_view path, std::chrono::milliseconds within) {
  wait_for(path, [](const std::string& object) { return object.empty(); }, within);
}

CommandResult Cluster::kubectl(const std::vector<std::string>& arguments, std::string input) {
  std::vector<std::string> argv = {json_at(facts_, "/kubectl"),
                                   "--kubeconfig=" + json_at(facts_, "/kubeconfig"),
                                   "--cache-dir=" + (work_dir_ / "kubectl-cache").native()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_command({.argv = argv, .input = std::move(input)});
}

std::string Cluster::unique_name(std::string_view prefix) {
  static std::atomic<unsigned> last{0};
  return std::string(prefix) + "-" + std::to_string(::getpid()) + "-" + std::to_string(++last);
}

}  // namespace vkhost::testing
