#include "plugin/adapter.hpp"

#include "base/thread.hpp"
#include "fake_table.hpp"
#include "plugin/abi_read.hpp"
#include "support/recording_listener.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

namespace vkhost::plugin {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string text_of(vkp_str text) { return {text.data, text.size}; }

class AdapterTest : public ::testing::Test {
 protected:
  Status create() {
    auto made = Adapter::create({FakePlugin::table(),
                                 {"fake",
                                  threads_,
                                  clock_,
                                  observe::Logger(log_),
                                  {milliseconds(20), milliseconds(30'000), 4}},
                                 library_},
                                {R"({"region":"x"})", R"({"mode":"standalone"})"}, host_, {});
    if (!made.is_ok()) {
      return made.status();
    }
    adapter_ = *std::move(made);
    return Status::ok();
  }

  void given_adapter() { ASSERT_TRUE(create().is_ok()); }

  CallOptions within(milliseconds time) {
    CallOptions options;
    options.deadline = Deadline::after(clock_, time);
    return options;
  }

  SystemClock clock_;
  FakePlugin plugin_;
  std::atomic<bool> released_ = false;
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  vkhost::testing::RecordingListener listener_;
  ThreadPool threads_{clock_};
  std::shared_ptr<int> library_ = std::make_shared<int>(0);
  HostTable& host_ = HostTable::for_instance(observe::Logger(log_), listener_, {});
  std::unique_ptr<Adapter> adapter_;
};

const PodRef kWeb{"default", "web", "uid-1", "old-handle"};

TEST_F(AdapterTest, CreatesAnInstanceAndReadsItsCapabilities) {
  std::string config;
  const vkp_host* host = nullptr;
  plugin_.create = [&](const auto*, const vkp_host* given, const vkp_instance_request* request) {
    config = text_of(request->config_json) + text_of(request->info_json);
    host = given;
    return VKP_OK;
  };
  plugin_.capabilities = [](const vkp_text_sink* out) {
    return FakePlugin::put(out, R"({"status_updates":"push","max_parallel_calls":3})");
  };

  given_adapter();

  EXPECT_EQ(config, R"({"region":"x"}{"mode":"standalone"})");
  EXPECT_EQ(host, host_.abi());
  EXPECT_TRUE(adapter_->capabilities().pushes);
  EXPECT_EQ(adapter_->capabilities().max_parallel_calls, 3U);
}

TEST_F(AdapterTest, IsNotMadeWithoutAnInstance) {
  plugin_.gives_instance = false;

  const Status status = create();

  EXPECT_EQ(status.code(), StatusCode::Internal);
  EXPECT_EQ(status.reason(), "PluginEmptyResult");
}

TEST_F(AdapterTest, DestroysAnInstanceWhoseCapabilitiesAreNonsense) {
  bool destroyed = false;
  plugin_.destroy = [&] { destroyed = true; };
  plugin_.capabilities = [](const vkp_text_sink* out) { return FakePlugin::put(out, "[]"); };

  EXPECT_EQ(create().reason(), "PluginInvalidResult");
  EXPECT_TRUE(destroyed);
}

TEST_F(AdapterTest, AsksForTheNode) {
  plugin_.node = [](const vkp_node_request* request, const vkp_text_sink* out) {
    return FakePlugin::put(out, R"({"metadata":{"name":")" + text_of(request->node_name) + "\"}}");
  };
  given_adapter();

  EXPECT_EQ(*adapter_->node("node-1", {}), R"({"metadata":{"name":"node-1"}})");
}

TEST_F(AdapterTest, TakesNoNodeThatIsMissingOrNoObject) {
  given_adapter();
  EXPECT_EQ(adapter_->node("n", {}).status().reason(), "PluginEmptyResult");

  plugin_.node = [](const auto*, const vkp_text_sink* out) { return FakePlugin::put(out, "[1]"); };

  const Status status = adapter_->node("n", {}).status();
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("plugin fake: node: its document: at byte 0"));
}

TEST_F(AdapterTest, RecoversPodsInRounds) {
  std::vector<std::string> seen;
  vkp_code answer = VKP_OK;
  plugin_.recover_pods = [&](const vkp_recover_request* request, const vkp_recover_sink* out) {
    std::string batch = request->first ? "first" : "next";
    for (std::size_t at = 0; at < request->pod_count; ++at) {
      const vkp_recover_pod& pod = *request->pods[at];
      batch += " " + text_of(pod.ref->uid) + text_of(pod.pod_json);
      const vkp_recovered_pod verdict{sizeof(verdict), pod.ref->uid, VKP_RECOVER_ATTACHED, 0};
      out->put(out, &verdict);
    }
    seen.push_back(batch + (request->last ? " last" : ""));
    return answer;
  };
  given_adapter();

  const auto verdicts = adapter_->recover_pods({{kWeb, "{1}"}}, false, {});
  ASSERT_TRUE(verdicts.is_ok());
  EXPECT_THAT(*verdicts, ElementsAre(RecoverVerdict::Attached));
  answer = VKP_UNAVAILABLE;
  EXPECT_FALSE(adapter_->recover_pods({}, false, {}).is_ok());
  answer = VKP_OK;
  EXPECT_TRUE(adapter_->recover_pods({{kWeb, ""}}, false, {}).is_ok());
  EXPECT_TRUE(adapter_->recover_pods({}, true, {}).is_ok());

  EXPECT_THAT(seen, ElementsAre("first uid-1{1}", "next", "first uid-1", "next last"));
}

TEST_F(AdapterTest, TellsTheFinalNodeAtTheStart) {
  std::string started;
  plugin_.start = [&](const vkp_start_request* request) {
    started = text_of(request->node_name) + " " + text_of(request->owner_key);
    return VKP_OK;
  };
  given_adapter();

  EXPECT_TRUE(adapter_->start({"node-1", "owner-1"}, {}).is_ok());

  EXPECT_EQ(started, "node-1 owner-1");
}

TEST_F(AdapterTest, CreatesAPodAndBringsItsHandle) {
  std::string seen;
  plugin_.create_pod = [&](const auto*, const vkp_create_pod_request* request,
                           const vkp_text_sink* handle) {
    seen = text_of(request->ref->pod_namespace) + "/" + text_of(request->ref->name) + " " +
           text_of(request->ref->uid) + " " + text_of(request->ref->handle) + " " +
           text_of(request->pod_json) + text_of(request->material_json) + " " +
           std::to_string(request->why);
    return FakePlugin::put(handle, "new-handle");
  };
  given_adapter();

  const CreateOutcome outcome =
      adapter_->create_pod({kWeb, "{pod}", "{material}", CreateReason::Lost}, {});

  EXPECT_TRUE(outcome.status.is_ok());
  EXPECT_EQ(outcome.handle, "new-handle");
  EXPECT_EQ(seen, "default/web uid-1 old-handle {pod}{material} 2");
}

TEST_F(AdapterTest, BringsAHandleAlsoWhenTheCreateFails) {
  plugin_.create_pod = [](const auto*, const auto*, const vkp_text_sink* handle) {
    FakePlugin::put(handle, "half-made");
    return VKP_UNAVAILABLE;
  };
  given_adapter();

  const CreateOutcome outcome = adapter_->create_pod({kWeb, "{}", "{}", CreateReason::First}, {});

  EXPECT_EQ(outcome.status.code(), StatusCode::Unavailable);
  EXPECT_EQ(outcome.handle, "half-made");
}

TEST_F(AdapterTest, KeepsArgumentsAliveForACallThatOutlivesItsCaller) {
  std::string seen;
  plugin_.create_pod = [&](const auto*, const vkp_create_pod_request* request,
                           const vkp_text_sink* handle) {
    FakePlugin::put(handle, "before");
    while (!released_) {
      std::this_thread::yield();
    }
    seen = text_of(request->ref->uid) + text_of(request->pod_json);
    return VKP_OK;
  };
  given_adapter();
  {
    const std::string pod(1000, 'p');
    const PodRef ref{"default", "web", "uid-of-a-caller-long-gone", ""};

    const CreateOutcome outcome =
        adapter_->create_pod({ref, pod, "{}", CreateReason::First}, within(milliseconds(1)));

    EXPECT_EQ(outcome.status.reason(), "PluginHung");
    EXPECT_EQ(outcome.handle, "before");
  }
  EXPECT_EQ(
      adapter_->delete_pod({{"default", "web", "uid-of-a-caller-long-gone", ""}, "", {}, {}}, {})
          .reason(),
      "PluginHung");

  released_ = true;
  while (adapter_->stuck_calls() > 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(seen, "uid-of-a-caller-long-gone" + std::string(1000, 'p'));
}

TEST_F(AdapterTest, LeavesAnInstanceInWhichACallHangs) {
  bool destroyed = false;
  plugin_.destroy = [&] { destroyed = true; };
  plugin_.ping = [&](const auto*) {
    while (!released_) {
      std::this_thread::yield();
    }
    return VKP_OK;
  };
  given_adapter();
  EXPECT_EQ(adapter_->ping(within(milliseconds(1))).reason(), "PluginHung");

  adapter_.reset();

  EXPECT_FALSE(destroyed);
  EXPECT_EQ(library_.use_count(), 2);
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("the instance is not destroyed")));
  released_ = true;
}

TEST_F(AdapterTest, AnswersForEachChangedBit) {
  plugin_.update_pod = [](const vkp_update_pod_request* request, const vkp_update_sink* out) {
    const vkp_update_answer answer{sizeof(answer), request->changed & kChangedImage,
                                   as_text("new image"), VKP_UPDATE_APPLIED_BY_RESTART, 0};
    return out->put(out, &answer);
  };
  given_adapter();

  const auto answers = adapter_->update_pod({kWeb, "{}", "{}", kChangedImage | kChangedTokens}, {});

  ASSERT_TRUE(answers.is_ok());
  ASSERT_THAT(*answers, SizeIs(2));
  EXPECT_EQ((*answers)[0].outcome, UpdateOutcome::AppliedByRestart);
  EXPECT_EQ((*answers)[1].changed, kChangedTokens);
  EXPECT_EQ((*answers)[1].outcome, UpdateOutcome::Unsupported);
}

TEST_F(AdapterTest, DeletesAPodAndAnOrphan) {
  std::vector<std::string> seen;
  plugin_.delete_pod = [&](const auto*, const vkp_delete_pod_request* request) {
    seen.push_back(text_of(request->ref->uid) + text_of(request->pod_json) + " " +
                   std::to_string(request->grace_ms) + " " + std::to_string(request->reason));
    return VKP_NOT_FOUND;
  };
  given_adapter();

  EXPECT_EQ(
      adapter_->delete_pod({kWeb, "{}", milliseconds(2500), DeleteReason::Evicted}, {}).code(),
      StatusCode::NotFound);
  static_cast<void>(adapter_->delete_pod(
      {{"", "", "", "legacy"}, "", milliseconds(-1), DeleteReason::Orphan}, {}));

  EXPECT_THAT(seen, ElementsAre("uid-1{} 2500 1", " 0 4"));
}

TEST_F(AdapterTest, ListsPods) {
  plugin_.list_pods = [](const auto*, const vkp_list_pods_request* request,
                         const vkp_list_sink* out) {
    for (std::size_t at = 0; at < request->uid_count; ++at) {
      vkp_pod_ref ref{};
      ref.size = sizeof(ref);
      ref.uid = request->uids[at];
      const vkp_listed_pod pod{sizeof(pod),   &ref,           5,
                               as_text("{}"), VKP_MARKS_OURS, VKP_LISTED_PRESENT};
      out->put(out, &pod);
    }
    out->complete(out);
    return VKP_OK;
  };
  given_adapter();

  const auto list = adapter_->list_pods({"uid-1", "uid-2"}, {});

  ASSERT_TRUE(list.is_ok());
  EXPECT_TRUE(list->complete);
  EXPECT_THAT(list->pods, SizeIs(2));
  EXPECT_TRUE(adapter_->list_pods({}, {})->pods.empty());
}

TEST_F(AdapterTest, CountsWhatWasListedBeforeTheListFailed) {
  plugin_.list_pods = [](const auto*, const auto*, const vkp_list_sink* out) {
    vkp_pod_ref ref{};
    ref.size = sizeof(ref);
    ref.uid = as_text("uid-1");
    const vkp_listed_pod pod{sizeof(pod),   &ref,           5,
                             as_text("{}"), VKP_MARKS_OURS, VKP_LISTED_PRESENT};
    out->put(out, &pod);
    out->complete(out);
    return VKP_UNAVAILABLE;
  };
  given_adapter();

  const auto list = adapter_->list_pods({}, {});

  ASSERT_TRUE(list.is_ok());
  EXPECT_THAT(list->pods, SizeIs(1));
  EXPECT_FALSE(list->complete);
  EXPECT_EQ(list->status.code(), StatusCode::Unavailable);
}

TEST_F(AdapterTest, RefusesWhatThePluginWouldNotBear) {
  bool called = false;
  plugin_.create_pod = [&](const auto*, const auto*, const auto*) {
    called = true;
    return VKP_OK;
  };
  given_adapter();
  const PodRef bad{"default", "w\xff", "uid-1", ""};
  const std::string huge(VKP_MAX_POD_BYTES + 1, 'x');

  EXPECT_EQ(adapter_->create_pod({bad, "{}", "{}", {}}, {}).status.code(),
            StatusCode::InvalidArgument);
  const Status too_large = adapter_->create_pod({kWeb, huge, "{}", {}}, {}).status;
  EXPECT_EQ(too_large.reason(), "PodTooLarge");
  EXPECT_EQ(too_large.retry(), Retry::Never);
  EXPECT_FALSE(adapter_->recover_pods(std::vector<RecoverPod>(501), true, {}).is_ok());
  EXPECT_FALSE(called);
}

TEST_F(AdapterTest, HearsNothingMoreOnceThePluginHasStopped) {
  const vkp_host* host = host_.abi();
  vkp_code during_stop = VKP_INTERNAL;
  plugin_.stop = [&](const auto*) {
    during_stop = host->node_changed(host);
    return VKP_OK;
  };
  given_adapter();

  EXPECT_TRUE(adapter_->stop({}).is_ok());

  EXPECT_EQ(during_stop, VKP_OK);
  EXPECT_EQ(host->node_changed(host), VKP_CANCELLED);
  EXPECT_EQ(adapter_->late_host_calls(), 1U);
}

TEST_F(AdapterTest, MakesCallsBesideEachOther) {
  std::atomic<int> inside = 0;
  plugin_.create_pod = [&](const auto*, const auto*, const auto*) {
    ++inside;
    while (inside < 3) {
      std::this_thread::yield();
    }
    return VKP_OK;
  };
  given_adapter();
  std::vector<Status> outcomes(3);
  {
    std::vector<Thread> callers;
    for (std::size_t at = 0; at < outcomes.size(); ++at) {
      callers.emplace_back("caller", [&, at] {
        const PodRef ref{"default", "web", "uid-" + std::to_string(at), ""};
        outcomes[at] = adapter_->create_pod({ref, "{}", "{}", {}}, {}).status;
      });
    }
  }

  for (const Status& outcome : outcomes) {
    EXPECT_TRUE(outcome.is_ok());
  }
}

// ---- What the provider says of a pod beforehand

TEST_F(AdapterTest, AsksWhatBecomesOfTheFieldsOfAPod) {
  std::string asked;
  plugin_.explain = [&](const vkp_call*, std::string_view pod, const vkp_finding_sink* out) {
    asked = pod;
    const vkp_finding finding{sizeof(finding), as_text("/spec/hostNetwork"),
                              as_text("there is no host"), VKP_FINDING_REFUSED, 0};
    return out->put(out, &finding);
  };
  given_adapter();

  const auto findings = adapter_->explain(R"({"spec":{}})", {});

  ASSERT_TRUE(findings.is_ok()) << findings.status().to_string();
  EXPECT_EQ(asked, R"({"spec":{}})");
  EXPECT_THAT(*findings,
              ElementsAre(Finding{FindingKind::Refused, "/spec/hostNetwork", "there is no host"}));
}

TEST_F(AdapterTest, HasNoFindingsOfAPluginThatExplainsNothing) {
  given_adapter();

  EXPECT_THAT(*adapter_->explain("{}", {}), IsEmpty());
}

TEST_F(AdapterTest, TellsWhenAnExplanationFails) {
  plugin_.explain = [](const vkp_call*, std::string_view, const vkp_finding_sink*) {
    return VKP_INVALID_ARGUMENT;
  };
  given_adapter();

  EXPECT_EQ(adapter_->explain("{}", {}).status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(adapter_->explain(std::string(VKP_MAX_POD_BYTES + 1, ' '), {}).status().reason(),
            "PodTooLarge");
}

TEST_F(AdapterTest, HandsOverAChangedConfiguration) {
  std::string config;
  plugin_.reconfigure = [&](const vkp_call*, std::string_view given) {
    config = given;
    return VKP_OK;
  };
  given_adapter();

  EXPECT_TRUE(adapter_->reconfigure(R"({"region":"y"})", {}).is_ok());
  EXPECT_EQ(config, R"({"region":"y"})");
}

TEST_F(AdapterTest, TakesNoConfigurationForAPluginWithoutTheExtension) {
  given_adapter();

  EXPECT_EQ(adapter_->reconfigure("{}", {}).code(), StatusCode::Unimplemented);
}

TEST_F(AdapterTest, BelievesNoExtensionWhoseTableEndsBeforeItsFunction) {
  bool called = false;
  plugin_.reconfigure = [&](const vkp_call*, std::string_view) {
    called = true;
    return VKP_OK;
  };
  plugin_.has_short_tables = true;
  given_adapter();

  EXPECT_EQ(adapter_->reconfigure("{}", {}).code(), StatusCode::Unimplemented);
  EXPECT_FALSE(called);
}

TEST_F(AdapterTest, TellsWhyAConfigurationIsNotTaken) {
  plugin_.reconfigure = [](const vkp_call* call, std::string_view) {
    vkp_error error{};
    error.size = sizeof(error);
    error.reason = as_text("NeedsRestart");
    error.message = as_text("region cannot change");
    call->fail(call, &error);
    return VKP_FAILED_PRECONDITION;
  };
  given_adapter();

  const Status status = adapter_->reconfigure("{}", {});

  EXPECT_EQ(status.code(), StatusCode::FailedPrecondition);
  EXPECT_EQ(status.reason(), "NeedsRestart");
  EXPECT_THAT(status.message(), HasSubstr("region cannot change"));
}

// A number that is no code, and details that do not fit it.
TEST_F(AdapterTest, TakesNothingForSuccessThatAPluginMakesUp) {
  plugin_.reconfigure = [](const vkp_call* call, std::string_view) {
    vkp_error error{};
    error.size = sizeof(error);
    error.message = {nullptr, 12};
    error.scope = 77;
    error.retry = -3;
    call->fail(call, &error);
    return vkp_code{4711};
  };
  given_adapter();

  const Status status = adapter_->reconfigure("{}", {});

  EXPECT_EQ(status.code(), StatusCode::Unknown);
  EXPECT_EQ(status.scope(), Scope::Pod);
}

TEST_F(AdapterTest, LeavesAReconfigurationThatHangs) {
  plugin_.reconfigure = [this](const vkp_call*, std::string_view) {
    while (!released_) {
      std::this_thread::yield();
    }
    return VKP_OK;
  };
  given_adapter();

  const Status status = adapter_->reconfigure(R"({"key":"secret"})", within(milliseconds(1)));

  EXPECT_EQ(status.reason(), "PluginHung");
  EXPECT_EQ(status.message().find("secret"), std::string::npos);
  EXPECT_EQ(adapter_->reconfigure("{}", {}).reason(), "PluginHung");
  released_ = true;
  while (adapter_->stuck_calls() > 0) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace vkhost::plugin
