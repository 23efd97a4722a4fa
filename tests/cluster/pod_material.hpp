// PodMaterial: the fixture of tests that look what a pod only refers to, as it arrives at the provider:
// a node whose mock keeps the material that it gets, and a pod "web" of the test's making. Verbs throw
// std::runtime_error. One owner. [may-block]
#pragma once

#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"
#include "support/material.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vkhost::testing {

inline constexpr std::string_view kWaitingReason =
    "/status/containerStatuses/0/state/waiting/reason";
inline constexpr std::string_view kWaitingMessage =
    "/status/containerStatuses/0/state/waiting/message";

// The provider asks for environment, and keeps it as far as `keep` says.
inline NodeOptions asking_for_env(const std::string& keep = "all", const std::string& more = "") {
  return {.daemon = {.provider_settings =
                         "material = ['env']\nkeep_material = '" + keep + "'\n" + more}};
}

class PodMaterial : public ::testing::Test {
 protected:
  // By default that of asking_for_env().
  NodeUnderTest& given_node(NodeOptions options = asking_for_env()) {
    return node_.emplace(std::move(options));
  }
  void given_object(const std::string& kind, const std::string& json) {
    node_->cluster().create("/api/v1/namespaces/" + node_->space() + "/" + kind, json);
  }
  // A pod "web" with these members of its spec; returns its UID.
  std::string create(const std::string& spec, const std::string& metadata = "") {
    const std::string created = node_->cluster().create(
        node_->pods_path(), R"({"metadata":{"name":"web")" + metadata +
                                R"(},"spec":{"nodeName":")" + node_->name() + "\"," + spec + "}}");
    return json_at(created, "/metadata/uid");
  }
  // The same with a container "main" that has these members.
  std::string create_main(const std::string& members, const std::string& metadata = "") {
    return create(
        R"("containers":[{"name":"main","image":"registry.example/app:1",)" + members + "}]",
        metadata);
  }
  // What the provider got, once the pod runs.
  Material material_of(const std::string& uid) {
    node_->wait_until_running("web");
    return parse_material(node_->journal().material(uid));
  }
  ContainerMaterial main_of(const std::string& uid) {
    return material_of(uid).containers.at("main");
  }
  std::string wait_for_pod(const std::function<bool(const std::string& pod)>& condition) {
    return node_->cluster().wait_for(node_->pod_path("web"), condition, kLong);
  }
  // With that in the message. (A node may be refused for a moment what its new pod refers to.)
  std::string wait_until_waiting_for_material(std::string_view text = "") {
    return wait_for_pod([text](const std::string& pod) {
      return json_at(pod, kWaitingReason) == "CreateContainerConfigError" &&
             json_at(pod, kWaitingMessage).find(text) != std::string::npos;
    });
  }
  // True once an event of that pod is a Warning with this in its message.
  bool wait_for_warning(const std::string& uid, std::string_view text) {
    bool found = false;
    node_->cluster().api().watch("/api/v1/namespaces/" + node_->space() +
                                     "/events?watch=true&fieldSelector=involvedObject.uid%3D" + uid,
                                 kLong, [&](std::string_view event) {
                                   found = json_at(event, "/object/type") == "Warning" &&
                                           json_at(event, "/object/message").find(text) !=
                                               std::string::npos;
                                   return !found;
                                 });
    return found;
  }

  std::unique_ptr<FaultProxy> proxy_;  // outlives the node
  std::optional<NodeUnderTest> node_;
};

}  // namespace vkhost::testing
