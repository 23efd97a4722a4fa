#include "daemon/node_material.hpp"

#include "resolve/object_source.hpp"
#include "resolve/objects.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"
#include "support/fake_token_source.hpp"
#include "support/recording_event_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vkhost::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMissing =
    R"({"name":"A","valueFrom":{"secretKeyRef":{"name":"none","key":"k"}}})";

class RecordingListener final : public pods::MaterialListener {
 public:
  void material_changed(const std::string& uid, std::uint64_t changed) override {
    told.push_back(uid + ":" + std::to_string(changed));
  }
  std::vector<std::string> told;
};

class NodeMaterialTest : public ::testing::Test {
 protected:
  std::unique_ptr<NodeMaterial> make_source(resolve::Objects* objects = nullptr) {
    NodeMaterial::Parts parts;
    parts.objects = objects == nullptr ? &cache_ : objects;
    parts.events = &events_;
    parts.clock = &clock_;
    parts.timers = &timers_;
    parts.host_ip = "10.0.0.1";
    parts.allocatable = [](std::string_view resource) -> std::optional<std::string> {
      return resource == "cpu" ? std::optional<std::string>("4") : std::nullopt;
    };
    parts.tokens = &tokens_;
    plugin::Capabilities capabilities;
    capabilities.uses_env = true;
    capabilities.uses_tokens = true;
    capabilities.updates = plugin::kChangedTokens;
    return std::make_unique<NodeMaterial>(std::move(parts), capabilities);
  }

  static Result<std::string> material(NodeMaterial& source,
                                      const std::string& env,
                                      std::optional<std::uint64_t> changed = std::nullopt) {
    return source.material(
        **kube::parse_pod(R"({"metadata":{"name":"web","namespace":"default","uid":"u-1"},)"
                          R"("spec":{"containers":[{"name":"main","env":[)" +
                          env + "]}]}}"),
        changed, {});
  }

  Result<std::string> material(const std::string& env) { return material(*make_source(), env); }

  resolve::CallbackObjectSource objects_{
      {[](std::string_view, const std::string&, const std::string& name) {
         return name == "none" ? std::optional<std::string>()
                               : R"({"metadata":{"name":")" + name + R"("},"data":{"k":"dg=="}})";
       },
       [](std::string_view, const std::string&) { return std::vector<std::string>(); }}};
  testing::RecordingEventSink events_;
  SystemClock clock_;
  testing::FakeObjectFeed feed_;
  resolve::Objects cache_{{objects_, clock_, &feed_}};
  Timers timers_{clock_};
  testing::FakeClock token_clock_;
  testing::FakeTokenSource token_source_{token_clock_};
  SeededRandom random_{1};
  resolve::Tokens tokens_{{token_source_, token_clock_, random_}};
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

TEST_F(NodeMaterialTest, TellsThatMaterialMayBeMadeNow) {
  const auto source = make_source();
  RecordingListener listener;
  source->listen(&listener);
  EXPECT_FALSE(material(*source, kMissing).is_ok());

  feed_.change("Secret/default/none", R"({"data":{"k":"dg=="}})");

  EXPECT_THAT(listener.told, ElementsAre("u-1:0"));
}

TEST_F(NodeMaterialTest, TellsThatATokenWasRenewedUntilNobodyListens) {
  const auto source = make_source();
  RecordingListener listener;
  source->listen(&listener);
  const auto pod =
      kube::parse_pod(R"({"metadata":{"name":"web","namespace":"default","uid":"u-1"},"spec":{
          "containers":[{"name":"main","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
          "volumes":[{"name":"v","projected":{"sources":[
            {"serviceAccountToken":{"path":"token","expirationSeconds":600}}]}}]}})");
  EXPECT_TRUE(source->material(**pod, std::nullopt, {}).is_ok());
  token_clock_.advance(std::chrono::seconds{480});

  EXPECT_TRUE(tokens_.renew_one({}));

  EXPECT_THAT(listener.told, ElementsAre("u-1:" + std::to_string(plugin::kChangedTokens)));
  source->listen(nullptr);
  EXPECT_EQ(tokens_.size(), 0U);
}

TEST_F(NodeMaterialTest, TellsNobodyOfPodsThatAreForgotten) {
  const auto source = make_source();
  RecordingListener listener;
  source->listen(&listener);
  EXPECT_FALSE(material(*source, kMissing).is_ok());

  source->forget("u-1");
  cache_.store().tidy();

  EXPECT_THAT(feed_.followed(), ::testing::IsEmpty());
}

TEST_F(NodeMaterialTest, LetsAnUpdateDependOnTheEnvironmentOnlyIfAContainerMayStart) {
  const auto source = make_source();

  EXPECT_TRUE(material(*source, kMissing, plugin::kChangedFiles).is_ok());
  EXPECT_TRUE(
      material(*source, kMissing, plugin::kChangedResources | plugin::kChangedTokens).is_ok());
  EXPECT_FALSE(material(*source, kMissing, plugin::kChangedImage).is_ok());
  EXPECT_FALSE(material(*source, kMissing, plugin::kChangedEphemeralContainers).is_ok());
}

TEST_F(NodeMaterialTest, WarnsOfAPodThatRunsOnceButOfOneThatWaitsEachTime) {
  const auto source = make_source();

  EXPECT_FALSE(material(*source, kMissing).is_ok());
  EXPECT_FALSE(material(*source, kMissing).is_ok());
  EXPECT_EQ(events_.events().size(), 2U);
  EXPECT_FALSE(material(*source, kMissing, plugin::kChangedImage).is_ok());
  EXPECT_FALSE(material(*source, kMissing, plugin::kChangedImage).is_ok());

  EXPECT_EQ(events_.events().size(), 2U);
}

TEST_F(NodeMaterialTest, KeepsNoSecretForLongerThanItIsOfUse) {
  const auto source = make_source();

  const auto document =
      material(*source, R"({"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}})");
  ASSERT_TRUE(document.is_ok()) << document.status().to_string();
  ASSERT_GT(cache_.remembered(), 0U);

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (cache_.remembered() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(cache_.remembered(), 0U);
}

TEST_F(NodeMaterialTest, ReadsForOneNodeWhatAnotherHasJustRead) {
  int reads = 0;
  resolve::CallbackObjectSource counted(
      {[&](std::string_view, const std::string&, const std::string& name) {
         ++reads;
         return std::optional<std::string>(R"({"metadata":{"name":")" + name +
                                           R"("},"data":{"k":"dg=="}})");
       },
       [](std::string_view, const std::string&) { return std::vector<std::string>(); }});
  testing::FakeClock still;
  resolve::Objects shared({counted, still});
  const std::string env = R"({"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}})";

  EXPECT_TRUE(material(*make_source(&shared), env).is_ok());
  const int for_one = reads;
  EXPECT_TRUE(material(*make_source(&shared), env).is_ok());

  EXPECT_GT(for_one, 0);
  EXPECT_EQ(reads, for_one);
}

}  // namespace
}  // namespace vkhost::daemon
