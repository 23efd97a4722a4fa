#include "cluster/role_stories.hpp"

#include "support/json_pointer.hpp"

#include <signal.h>

#include <algorithm>
#include <set>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;

NodeOptions options_of(const RoleStory& story, const FaultProxy& proxy, const std::string& token) {
  NodeOptions options;
  options.kubeconfig = [&proxy, token](const std::string& /*node*/) {
    return kubeconfig_text(proxy.url(), proxy.ca_pem(), token);
  };
  options.rules = story.rules;
  options.daemon.provider_settings = story.provider;
  options.daemon.node_settings = "lease_duration = '10s'\n";
  options.daemon.kubernetes_settings = "watch_list = 'off'\n";
  options.daemon.more = story.settings;
  return options;
}

std::string environment_from(const std::string& references) {
  return R"("containers":[{"name":"main","image":"registry.example/app:1","envFrom":[)" +
         references + "]}]";
}

// ---- The stories, in the order of the files

bool show_a_certificate(RoleStage& stage) {
  return stage.wait_for("list configmaps") && stage.wait_for("watch configmaps");
}

bool start(RoleStage& stage) { return stage.wait_for("get namespaces"); }

bool stop_with_a_drain(RoleStage& stage) {
  stage.node().create_pod("web");
  if (!stage.wait_until_running("web")) {
    return false;
  }
  stage.node().daemon().send_signal(SIGTERM);
  return stage.wait_for("create pods/eviction");
}

bool fail_again_and_again(RoleStage& stage) {
  stage.node().create_pod("refused");
  return stage.wait_for("create events") && stage.wait_for("patch events");
}

bool ask_the_kubelet_api(RoleStage& stage) {
  if (!stage.wait_until_ready()) {
    return false;
  }
  NodeUnderTest& node = stage.node();
  const int port = std::stoi(
      json_at(node.cluster().get(node.path()), "/status/daemonEndpoints/kubeletEndpoint/Port"));
  const std::string served =
      json_at(read_file(node.daemon().folder() / "runtime/daemon.json"), "/certificate");
  return ApiClient(port, served, node.cluster().token("admin")).get("/pods").status == 200;
}

bool lose_taints(RoleStage& stage) {
  if (!stage.wait_until_ready() || !stage.wait_for("watch nodes")) {
    return false;
  }
  stage.node().cluster().patch(stage.node().path(), R"({"spec":{"taints":null}})");
  return stage.wait_for("patch nodes") && stage.wait_for("update leases");
}

bool live_and_end(RoleStage& stage) {
  NodeUnderTest& node = stage.node();
  node.create_pod("web");
  if (!stage.wait_until_running("web")) {
    return false;
  }
  node.cluster().remove(node.pod_path("web"));
  return stage.wait_for("delete pods");
}

// A ConfigMap "c" and a Secret "s".
void make_objects(NodeUnderTest& node) {
  const std::string space = "/api/v1/namespaces/" + node.space();
  node.cluster().create(space + "/configmaps", R"({"metadata":{"name":"c"},"data":{"k":"v"}})");
  node.cluster().create(space + "/secrets",
                        R"({"metadata":{"name":"s"},"stringData":{"k":"sesame"}})");
}

// A pod "web" that mounts a projected volume of these sources.
void create_mounting_pod(NodeUnderTest& node, const std::string& sources) {
  node.cluster().create(
      node.pods_path(),
      R"({"metadata":{"name":"web"},"spec":{"nodeName":")" + node.name() +
          R"(","containers":[{"name":"main","image":"registry.example/app:1",)"
          R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)"
          R"("projected":{"sources":[)" +
          sources + "]}}]}}");
}

bool mount_objects(RoleStage& stage) {
  make_objects(stage.node());
  create_mounting_pod(stage.node(), R"({"configMap":{"name":"c"}},{"secret":{"name":"s"}})");
  // One watch of ConfigMaps is that of the API server's client authority.
  return stage.wait_until_running("web") && stage.wait_for("watch secrets") &&
         stage.wait_for("watch configmaps", 2);
}

bool mount_a_claim(RoleStage& stage) {
  NodeUnderTest& node = stage.node();
  const std::string claims = "/api/v1/namespaces/" + node.space() + "/persistentvolumeclaims";
  const std::string volume = Cluster::unique_name("pv");
  const std::string claim = node.cluster().create(
      claims,
      R"({"metadata":{"name":"data"},"spec":{"storageClassName":"by-hand","volumeName":")" +
          volume +
          R"(","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1"}}}})");
  node.cluster().create(
      "/api/v1/persistentvolumes",
      R"({"metadata":{"name":")" + volume +
          R"("},"spec":{"capacity":{"storage":"1"},"storageClassName":"by-hand",)"
          R"("accessModes":["ReadWriteOnce"],"nfs":{"server":"s","path":"/"},"claimRef":{)"
          R"("namespace":")" +
          node.space() + R"(","name":"data","uid":")" + json_at(claim, "/metadata/uid") +
          R"("}}})");
  node.cluster().patch(claims + "/data/status", R"({"status":{"phase":"Bound"}})");
  node.cluster().create(
      node.pods_path(),
      R"({"metadata":{"name":"web"},"spec":{"nodeName":")" + node.name() +
          R"(","containers":[{"name":"main","image":"registry.example/app:1",)"
          R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)"
          R"("persistentVolumeClaim":{"claimName":"data"}}]}})");
  const bool runs = stage.wait_until_running("web");
  static_cast<void>(node.cluster().api().remove("/api/v1/persistentvolumes/" + volume));
  return runs;
}

bool refer_to_objects(RoleStage& stage) {
  NodeUnderTest& node = stage.node();
  make_objects(node);
  node.cluster().create(
      node.pods_path(),
      R"({"metadata":{"name":"web"},"spec":{"nodeName":")" + node.name() + "\"," +
          environment_from(R"({"configMapRef":{"name":"c"}},{"secretRef":{"name":"s"}})") + "}}");
  return stage.wait_until_running("web");
}

bool run_with_services(RoleStage& stage) {
  stage.node().create_pod("web");
  return stage.wait_until_running("web");
}

bool pull_images(RoleStage& stage) {
  stage.node().create_pod("web");
  return stage.wait_until_running("web");
}

bool run_with_a_token(RoleStage& stage) {
  create_mounting_pod(stage.node(), R"({"serviceAccountToken":{"path":"token"}})");
  return stage.wait_until_running("web");
}

}  // namespace

const std::vector<RoleStory>& role_stories() {
  static const std::vector<RoleStory> stories{
      {.feature = "client-authority", .play = show_a_certificate},
      {.feature = "cluster-identity", .play = start},
      {.feature = "drain",
       .settings = "[policies]\non_stop = 'drain'\n[stop]\ndrain_timeout = '20s'\n",
       .play = stop_with_a_drain},
      {.feature = "events",
       .rules = "{match = {name = 'refused'}, fail = {code = 'internal', tries = 3}}",
       .play = fail_again_and_again},
      {.feature = "kubelet-api", .play = ask_the_kubelet_api},
      {.feature = "live-objects",
       .provider = "material = ['files']\nupdates = ['files']\n",
       .play = mount_objects},
      {.feature = "nodes", .play = lose_taints},
      {.feature = "pods", .settings = "[pods]\nresync_interval = '1s'\n", .play = live_and_end},
      {.feature = "pull-credentials",
       .provider = "material = ['pull_credentials']\n",
       .play = pull_images},
      {.feature = "references", .play = refer_to_objects},
      {.feature = "service-variables", .play = run_with_services},
      {.feature = "tokens", .provider = "material = ['tokens']\n", .play = run_with_a_token},
      {.feature = "volumes", .provider = "material = ['storage']\n", .play = mount_a_claim},
  };
  return stories;
}

const RoleStory* find_role_story(std::string_view feature) {
  const auto& stories = role_stories();
  const auto found = std::find_if(stories.begin(), stories.end(),
                                  [&](const RoleStory& story) { return story.feature == feature; });
  return found == stories.end() ? nullptr : &*found;
}

RoleStage::RoleStage(const RoleStory& story, const std::string& token)
    : node_(options_of(story, *proxy_, token), false) {}

std::vector<std::string> RoleStage::refusals() {
  std::set<std::string> refused;
  for (const SeenRequest& seen : traffic().requests()) {
    if (seen.status == 403) {
      const std::string& space = seen.request.namespace_name;
      refused.insert(seen.request.label() + (space.empty() ? "" : " in " + space));
    }
  }
  return {refused.begin(), refused.end()};
}

bool RoleStage::wait_until(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until || traffic().wait_for_answers(403, 1, 50ms)) {
      return false;
    }
  }
  return true;
}

bool RoleStage::wait_for(std::string_view label, std::uint64_t at_least) {
  return wait_until([&] { return traffic().count(label) >= at_least; }) && !is_refused();
}

bool RoleStage::wait_until_ready() {
  return wait_until([&] {
    const ApiAnswer answer = node_.cluster().api().get(node_.path());
    return answer.is_success() && condition_of(answer.body, "Ready") == "True";
  });
}

bool RoleStage::wait_until_running(std::string_view pod) {
  return wait_until([&] {
    const PodHistory page = node_.book().page(pod);
    return !page.sights.empty() && page.last().phase == "Running";
  });
}

}  // namespace vkhost::testing
