// The plugin as the host would call it, with a fake host.
#include <vkhost/support/plugin_driver.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace sdk = vkhost::sdk;

namespace {

void check(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
  }
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

int main() {
  sdk::FakeHost host;
  sdk::PluginDriver plugin(vkp_plugin, host);
  check(plugin.init().ok(), "init");
  check(plugin.create("{}").ok(), "an instance is created");
  check(contains(plugin.node("node").text, "capacity"), "the node has a capacity");
  plugin.recover({});
  check(plugin.start().ok(), "start");

  sdk::PodRef pod;
  pod.uid = "uid-1";
  const char* document = R"({"spec": {"containers": [{"name": "app"}]}})";
  check(plugin.create_pod(pod, document).ok(), "a pod is created");
  check(plugin.create_pod(pod, document).ok(), "and again");
  check(host.pushes().size() == 1, "which changes nothing");
  check(contains(host.pushes()[0].status_json, "Running"), "it runs");
  check(plugin.list_pods().pods.size() == 1, "it is listed");
  check(plugin.create_pod(pod, "nonsense").code == sdk::Code::InvalidArgument, "it is no pod");

  check(plugin.delete_pod(pod).ok(), "it is deleted");
  check(contains(host.pushes()[1].status_json, "\"exitCode\":0"), "with an exit code");
  check(host.pushes()[2].gone, "and gone");
  check(plugin.delete_pod(pod).code == sdk::Code::NotFound, "nothing is left");
  check(plugin.list_pods({"uid-1"}).pods[0].verdict == sdk::Listed::Absent, "it is absent");
  return 0;
}
