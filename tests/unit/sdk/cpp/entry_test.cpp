// A provider as an author would write it, called through its table as the host would call it.
#include <vkhost/provider.hpp>
#include <vkhost/support/fake_host.hpp>
#include <vkhost/support/plugin_driver.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vkhost::sdk {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// Does what the test of the moment says.
class ScriptedProvider : public Provider {
 public:
  ScriptedProvider(Host host, const InstanceRequest& request) : host_(host) {
    if (request.config_json == "bad") {
      throw Error(Code::InvalidArgument, "BadSettings", "the settings are bad");
    }
    ++alive;
  }
  ~ScriptedProvider() override { --alive; }

  static std::string describe() { return R"({"name":"scripted"})"; }
  static void check_config(std::string_view config, const ProblemSink& problems) {
    if (config == "bad") {
      problems.error("/region", "no such region");
      problems.warning("", "odd");
    }
  }

  std::string capabilities() override { return R"({"status_updates":"push"})"; }
  std::string node(const Call&, const NodeRequest& request) override {
    return std::string(request.node_name);
  }
  void ping(const Call&) override { on_ping(); }
  void recover_pods(const Call&, const RecoverBatch& batch, const RecoverSink& out) override {
    EXPECT_TRUE(batch.first);
    EXPECT_TRUE(batch.last);
    for (const RecoverPod& pod : batch.pods) {
      out.put(pod.ref.uid, pod.ref.handle.empty() ? Recovered::Create : Recovered::Attached);
    }
  }
  void start(const Call&, const StartRequest& request) override { owner_key = request.owner_key; }
  void create_pod(const Call& call, const CreatePod& request, const TextSink& handle) override {
    on_create(call, request, handle);
  }
  void delete_pod(const Call&, const DeletePod& request) override {
    EXPECT_EQ(request.reason, DeleteReason::Evicted);
    EXPECT_EQ(request.grace, milliseconds(1500));
    host_.pod_changed({request.ref.uid, 7, R"({"phase":"Failed"})", {}, nullptr, true});
  }
  void list_pods(const Call&, const ListPods& request, const ListSink& out) override {
    for (const std::string_view uid : request.uids) {
      ListedPod pod;
      pod.ref.uid = uid;
      pod.seq = 3;
      pod.verdict = Listed::Absent;
      out.put(pod);
    }
    out.complete();
  }

  static inline int alive = 0;
  static inline std::string owner_key;
  static inline std::function<void()> on_ping = [] {};
  static inline std::function<void(const Call&, const CreatePod&, const TextSink&)> on_create;

 private:
  Host host_;
};

constexpr vkp_plugin_table kTable = detail::Entry<ScriptedProvider>::table();

class EntryTest : public ::testing::Test {
 protected:
  EntryTest() {
    EXPECT_TRUE(plugin_.create("good").ok());
    ScriptedProvider::on_ping = [] {};
    ScriptedProvider::on_create = [](const Call&, const CreatePod&, const TextSink&) {};
  }
  ~EntryTest() override {
    plugin_.destroy();
    EXPECT_EQ(ScriptedProvider::alive, 0);
  }

  FakeHost host_;
  PluginDriver plugin_{kTable, host_};
};

TEST(EntryTable, IsAConstantWithItsHead) {
  static_assert(kTable.magic == VKP_MAGIC);
  static_assert(kTable.abi_major == VKP_ABI_MAJOR && kTable.abi_minor == VKP_ABI_MINOR);
  static_assert(kTable.size == sizeof(vkp_plugin_table));
}

TEST_F(EntryTest, HandsOverDocuments) {
  EXPECT_EQ(plugin_.describe().text, R"({"name":"scripted"})");
  EXPECT_EQ(plugin_.capabilities().text, R"({"status_updates":"push"})");
  EXPECT_EQ(plugin_.node("node-1").text, "node-1");
}

TEST_F(EntryTest, CollectsTheProblemsOfSettings) {
  EXPECT_TRUE(plugin_.check_config("good").empty());

  const auto problems = plugin_.check_config("bad");

  ASSERT_EQ(problems.size(), 2U);
  EXPECT_TRUE(problems[0].is_error);
  EXPECT_EQ(problems[0].pointer, "/region");
  EXPECT_EQ(problems[0].text, "no such region");
  EXPECT_FALSE(problems[1].is_error);
}

TEST_F(EntryTest, LeavesNoInstanceWhenTheConstructorThrows) {
  PluginDriver other(kTable, host_);

  const Outcome outcome = other.create("bad");

  EXPECT_EQ(outcome.code, Code::InvalidArgument);
  EXPECT_EQ(outcome.error.reason, "BadSettings");
  EXPECT_EQ(other.instance(), nullptr);
  EXPECT_EQ(ScriptedProvider::alive, 1) << "the one of the fixture";
}

TEST_F(EntryTest, HandsOverTheOwnerKeyAtStart) {
  EXPECT_TRUE(plugin_.start("owner-1").ok());

  EXPECT_EQ(ScriptedProvider::owner_key, "owner-1");
}

TEST_F(EntryTest, CollectsVerdictsOfRecovery) {
  PodRef known;
  known.uid = "a";
  known.handle = "h";
  PodRef unknown;
  unknown.uid = "b";

  EXPECT_THAT(plugin_.recover({{known, "{}"}, {unknown, "{}"}}),
              ElementsAre(Pair("a", Recovered::Attached), Pair("b", Recovered::Create)));
}

TEST_F(EntryTest, HandsOverThePodAndTakesTheHandle) {
  ScriptedProvider::on_create = [](const Call& call, const CreatePod& request,
                                   const TextSink& handle) {
    EXPECT_FALSE(call.cancelled());
    EXPECT_EQ(request.ref.pod_namespace, "default");
    EXPECT_EQ(request.ref.name, "web");
    EXPECT_EQ(request.ref.uid, "uid-1");
    EXPECT_EQ(request.pod_json, "{}");
    EXPECT_EQ(request.material_json, R"({"containers":{}})");
    EXPECT_EQ(request.why, CreateReason::Lost);
    handle.put("handle-1");
  };
  PodRef ref;
  ref.pod_namespace = "default";
  ref.name = "web";
  ref.uid = "uid-1";

  const Outcome outcome = plugin_.create_pod(ref, "{}", CreateReason::Lost, R"({"containers":{}})");

  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.text, "handle-1");
}

TEST_F(EntryTest, TurnsAnErrorIntoItsCodeAndDetails) {
  ScriptedProvider::on_create = [](const Call&, const CreatePod&, const TextSink& handle) {
    handle.put("burned-token");
    throw Error(Code::ResourceExhausted, "QuotaExceeded", "no more machines")
        .retry_after(milliseconds(1500))
        .with_effect(Effect::None)
        .with_scope(Scope::Provider);
  };

  const Outcome outcome = plugin_.create_pod(PodRef(), "{}");

  EXPECT_EQ(outcome.code, Code::ResourceExhausted);
  EXPECT_EQ(outcome.error.reason, "QuotaExceeded");
  EXPECT_EQ(outcome.error.message, "no more machines");
  EXPECT_EQ(outcome.error.retry, Retry::After);
  EXPECT_EQ(outcome.error.retry_after, milliseconds(1500));
  EXPECT_EQ(outcome.error.effect, Effect::None);
  EXPECT_EQ(outcome.error.scope, Scope::Provider);
  EXPECT_EQ(outcome.text, "burned-token") << "counts also when the call fails";
}

TEST_F(EntryTest, AdvisesBackoffWithUnknownEffectWhenNothingIsSaid) {
  ScriptedProvider::on_ping = [] { throw Error(Code::Unavailable, "Down", "no answer"); };

  const Outcome outcome = plugin_.ping();

  EXPECT_EQ(outcome.code, Code::Unavailable);
  EXPECT_EQ(outcome.error.retry, Retry::Backoff);
  EXPECT_EQ(outcome.error.effect, Effect::Unknown);
  EXPECT_EQ(outcome.error.scope, Scope::Pod);
}

TEST_F(EntryTest, TurnsAnyExceptionIntoAnInternalError) {
  ScriptedProvider::on_ping = [] { throw std::runtime_error("the library threw"); };
  EXPECT_EQ(plugin_.ping().code, Code::Internal);
  EXPECT_EQ(plugin_.ping().error.message, "the library threw");

  ScriptedProvider::on_ping = [] { throw 42; };
  EXPECT_EQ(plugin_.ping().code, Code::Internal);
  EXPECT_EQ(plugin_.ping().error.reason, "UnexpectedException");
}

TEST_F(EntryTest, TakesNoThrownOkForSuccess) {
  ScriptedProvider::on_ping = [] { throw Error(Code::Ok, "Fine", "all is well"); };

  EXPECT_EQ(plugin_.ping().code, Code::Internal);
}

TEST_F(EntryTest, AnswersUpdatesWithUnsupportedUnlessTheProviderKnowsBetter) {
  EXPECT_THAT(plugin_.update_pod(PodRef(), "{}", VKP_CHANGED_IMAGE | VKP_CHANGED_FILES),
              ElementsAre(Pair(VKP_CHANGED_IMAGE, UpdateOutcome::Unsupported),
                          Pair(VKP_CHANGED_FILES, UpdateOutcome::Unsupported)));
}

TEST_F(EntryTest, PushesNewsWhileDeleting) {
  PodRef ref;
  ref.uid = "uid-1";

  EXPECT_TRUE(plugin_.delete_pod(ref, milliseconds(1500), DeleteReason::Evicted).ok());

  const auto pushes = host_.pushes();
  ASSERT_EQ(pushes.size(), 1U);
  EXPECT_EQ(pushes[0].uid, "uid-1");
  EXPECT_EQ(pushes[0].seq, 7U);
  EXPECT_EQ(pushes[0].status_json, R"({"phase":"Failed"})");
  EXPECT_FALSE(pushes[0].error);
  EXPECT_TRUE(pushes[0].gone);
}

TEST_F(EntryTest, ListsPodsAndSaysThatTheListIsComplete) {
  const ListOutcome list = plugin_.list_pods({"a", "b"});

  EXPECT_TRUE(list.complete);
  ASSERT_EQ(list.pods.size(), 2U);
  EXPECT_EQ(list.pods[1].uid, "b");
  EXPECT_EQ(list.pods[1].seq, 3U);
  EXPECT_EQ(list.pods[1].verdict, Listed::Absent);
}

TEST_F(EntryTest, FailsTheCallWhenTheHostRefusesAnAnswer) {
  FakeCall call;
  auto sink = sized<vkp_text_sink>();
  sink.put = [](const vkp_text_sink*, const char*, std::size_t) -> vkp_code {
    return VKP_INVALID_ARGUMENT;
  };

  EXPECT_EQ(kTable.capabilities(call.raw(), plugin_.instance(), &sink), VKP_INVALID_ARGUMENT);
  ASSERT_TRUE(call.error());
  EXPECT_THAT(call.error()->message, HasSubstr("handing over a text"));
}

TEST(EntryExtensions, AreNullWhenTheProviderDoesNotDeriveFromThem) {
  const std::string_view id = VKP_EXT_LOGS;

  EXPECT_EQ(kTable.get_extension(id.data(), id.size()), nullptr);
}

}  // namespace
}  // namespace vkhost::sdk
