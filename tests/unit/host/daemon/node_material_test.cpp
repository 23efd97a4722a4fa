#include "daemon/node_material.hpp"

#include "resolve/object_source.hpp"
#include "support/recording_event_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NodeMaterialTest : public ::testing::Test {
 protected:
  Result<std::string> material(const std::string& env) {
    NodeMaterial::Parts parts;
    parts.objects = &objects_;
    parts.events = &events_;
    parts.clock = &clock_;
    parts.host_ip = "10.0.0.1";
    parts.allocatable = [](std::string_view resource) -> std::optional<std::string> {
      return resource == "cpu" ? std::optional<std::string>("4") : std::nullopt;
    };
    plugin::Capabilities capabilities;
    capabilities.uses_env = true;
    NodeMaterial source(std::move(parts), capabilities);
    return source.material(
        **kube::parse_pod(R"({"metadata":{"name":"web","namespace":"default","uid":"u-1"},)"
                          R"("spec":{"containers":[{"name":"main","env":[)" +
                          env + "]}]}}"),
        {});
  }

  resolve::CallbackObjectSource objects_{
      {[](std::string_view, const std::string&, const std::string&) {
         return std::optional<std::string>();
       },
       [](std::string_view, const std::string&) { return std::vector<std::string>(); }}};
  testing::RecordingEventSink events_;
  SystemClock clock_;
};

TEST_F(NodeMaterialTest, AnswersWhatPodsAskAboutTheirNode) {
  const auto document =
      material(R"({"name":"HOST","valueFrom":{"fieldRef":{"fieldPath":"status.hostIP"}}},)"
               R"({"name":"CPUS","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}})");

  ASSERT_TRUE(document.is_ok()) << document.status().to_string();
  EXPECT_THAT(*document, HasSubstr("10.0.0.1"));
  EXPECT_THAT(*document, HasSubstr(R"("CPUS")"));
}

TEST_F(NodeMaterialTest, MakesAnEventOfAMissingReference) {
  const auto document =
      material(R"({"name":"A","valueFrom":{"secretKeyRef":{"name":"none","key":"k"}}})");

  EXPECT_FALSE(document.is_ok());
  EXPECT_THAT(events_.events(), ElementsAre(HasSubstr("MandatorySecretNotFound")));
}

}  // namespace
}  // namespace vkhost::daemon
