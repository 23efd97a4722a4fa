#include "kwok_process.hpp"

#include "support/places.hpp"

#include <unistd.h>

namespace vkhost::bench {

std::filesystem::path find_kwok(const std::string& place, std::string* why) {
  const std::string tool = testing::source_dir() / "tools/control_plane";
  std::string program = place;
  if (place == "auto") {
    const auto found = testing::run_command({.argv = {tool, "find-kwok"}});
    program = found.status == 0 ? found.output.substr(0, found.output.find('\n')) : "";
  }
  if (!program.empty() && ::access(program.c_str(), X_OK) == 0) {
    return program;
  }
  *why = (program.empty() ? std::string("it has not been built") : "cannot run " + program) +
         "; build it with `" + tool + " kwok` and use --kwok auto";
  return {};
}

KwokProcess::KwokProcess(const std::filesystem::path& program,
                         testing::Cluster& cluster,
                         const std::string& node) {
  cluster.create("/api/v1/nodes",
                 R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + node + R"("}})");
  // It watches the pods of that node only, so it takes nothing from the runs of the others.
  child_ = std::make_unique<testing::ChildProcess>(testing::Command{
      .argv = {program, "--kubeconfig", folder_.write("kubeconfig", cluster.kubeconfig("admin")),
               "--manage-single-node", node, "--node-lease-duration-seconds", "40", "--cidr",
               "10.64.0.0/16", "--config", testing::source_dir() / "tests/bench/kwok_stages.yaml"},
      .log = folder_.path() / "kwok.log"});
}

}  // namespace vkhost::bench
