// A provider with every ability, each called through the table that the host would get.
#include <vkhost/provider.hpp>
#include <vkhost/support/fake_host.hpp>
#include <vkhost/support/plugin_driver.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace vkhost::sdk {
namespace {

class AbleProvider : public Provider,
                     public LogsProvider,
                     public ExecProvider,
                     public AttachProvider,
                     public PortForwardProvider,
                     public StatsProvider,
                     public ReserveProvider,
                     public ExplainProvider,
                     public ReconfigureProvider,
                     public RetireProvider,
                     public ContainersProvider {
 public:
  AbleProvider(Host, const InstanceRequest&) {}
  static std::string describe() { return "{}"; }
  static const void* other_extension(std::string_view id) {
    return id == "com.example.more/1" ? &kMore : nullptr;
  }

  std::string capabilities() override { return "{}"; }
  std::string node(const Call&, const NodeRequest&) override { return "{}"; }
  void ping(const Call&) override {}
  void recover_pods(const Call&, const RecoverBatch&, const RecoverSink&) override {}
  void create_pod(const Call&, const CreatePod&, const TextSink&) override {}
  void delete_pod(const Call&, const DeletePod&) override {}
  void list_pods(const Call&, const ListPods&, const ListSink&) override {}

  void logs(const Call&, const LogsRequest& request, const Stream&) override {
    said = "logs " + std::string(request.container) + " " + std::to_string(request.tail);
  }
  Exit exec(const Call&, const ExecRequest& request, const Stream&) override {
    said = "exec";
    for (const std::string_view argument : request.arguments) {
      said += " [" + std::string(argument) + "]";
    }
    said += request.terminal ? " " + std::to_string(request.terminal->columns) : "";
    return Exit::exited(3);
  }
  Exit attach(const Call&, const AttachRequest& request, const Stream&) override {
    said = "attach " + std::string(request.container);
    return Exit::signalled(9);
  }
  void port_forward(const Call&, const PodRef& ref, std::uint16_t port, const Stream&) override {
    said = "port_forward " + std::string(ref.uid) + " " + std::to_string(port);
  }
  void stats(const Call&, const StatsSink& out) override {
    said = out.put("uid-1", "{}") ? "stats" : "stats of an unknown pod";
  }
  void reserve_pod(const Call&, const ReservePod& request, const TextSink& handle) override {
    said = request.why == CreateReason::Lost ? "reserve lost" : "reserve";
    handle.put("reserved");
  }
  void explain(const Call&, std::string_view, const FindingSink& out) override {
    out.put(Finding::Changed, "/spec/containers/0/resources", "rounded up");
  }
  void reconfigure(const Call&, std::string_view config) override {
    throw Error(Code::FailedPrecondition, "NeedsRestart", std::string(config));
  }
  void retire(const Call&) override { said = "retire"; }
  void start_container(const Call&,
                       const ContainerRun& run,
                       std::string_view pod,
                       std::string_view material) override {
    said = "start " + std::string(run.container) + std::string(pod) + std::string(material);
  }
  void stop_container(const Call&,
                      const ContainerRun& run,
                      std::chrono::milliseconds grace) override {
    said = "stop " + std::to_string(run.attempt) + " " + std::to_string(grace.count());
  }
  Exit wait_container(const Call&, const ContainerRun&) override { return Exit::unknown(); }

  static inline const int kMore = 1;
  static inline std::string said;
};

constexpr vkp_plugin_table kTable = detail::Entry<AbleProvider>::table();

class ExtensionsTest : public ::testing::Test {
 protected:
  ExtensionsTest() { EXPECT_TRUE(plugin_.create("{}").ok()); }

  template <class Table>
  static const Table& table(std::string_view id) {
    const auto* found = static_cast<const Table*>(kTable.get_extension(id.data(), id.size()));
    EXPECT_NE(found, nullptr) << id;
    EXPECT_EQ(found->size, sizeof(Table));
    return *found;
  }

  FakeHost host_;
  PluginDriver plugin_{kTable, host_};
  FakeCall call_;
  vkp_pod_ref ref_ = [] {
    auto ref = sized<vkp_pod_ref>();
    ref.uid = str("uid-1");
    return ref;
  }();
  vkp_stream stream_ = sized<vkp_stream>();
};

TEST_F(ExtensionsTest, ReachLogs) {
  auto request = sized<vkp_logs_request>();
  request.ref = &ref_;
  request.container = str("web");
  request.tail = -1;

  EXPECT_EQ(table<vkp_logs>(VKP_EXT_LOGS).logs(call_.raw(), plugin_.instance(), &request, &stream_),
            VKP_OK);
  EXPECT_EQ(AbleProvider::said, "logs web -1");
}

TEST_F(ExtensionsTest, ReachExecWithArgumentsAndItsOutcome) {
  const std::array<vkp_str, 3> arguments{str("sh"), str(""), str("-c")};
  auto size = sized<vkp_terminal_size>();
  size.columns = 80;
  auto request = sized<vkp_exec_request>();
  request.ref = &ref_;
  request.argument_count = arguments.size();
  request.arguments = arguments.data();
  request.terminal = &size;
  auto outcome = sized<vkp_exit>();

  EXPECT_EQ(table<vkp_exec>(VKP_EXT_EXEC)
                .exec(call_.raw(), plugin_.instance(), &request, &stream_, &outcome),
            VKP_OK);
  EXPECT_EQ(AbleProvider::said, "exec [sh] [] [-c] 80");
  EXPECT_EQ(outcome.kind, VKP_EXIT_EXITED);
  EXPECT_EQ(outcome.value, 3);
}

TEST_F(ExtensionsTest, ReachAttach) {
  auto request = sized<vkp_attach_request>();
  request.ref = &ref_;
  request.container = str("web");
  auto outcome = sized<vkp_exit>();

  EXPECT_EQ(table<vkp_attach>(VKP_EXT_ATTACH)
                .attach(call_.raw(), plugin_.instance(), &request, &stream_, &outcome),
            VKP_OK);
  EXPECT_EQ(AbleProvider::said, "attach web");
  EXPECT_EQ(outcome.kind, VKP_EXIT_SIGNALLED);
}

TEST_F(ExtensionsTest, ReachPortForwardWithAPortThatIsOne) {
  auto request = sized<vkp_port_forward_request>();
  request.ref = &ref_;
  request.port = 8080;
  const auto& forward = table<vkp_port_forward>(VKP_EXT_PORT_FORWARD);

  EXPECT_EQ(forward.port_forward(call_.raw(), plugin_.instance(), &request, &stream_), VKP_OK);
  EXPECT_EQ(AbleProvider::said, "port_forward uid-1 8080");

  request.port = 65'536;
  EXPECT_EQ(forward.port_forward(call_.raw(), plugin_.instance(), &request, &stream_),
            VKP_INVALID_ARGUMENT);
}

TEST_F(ExtensionsTest, ReachStats) {
  auto sink = sized<vkp_stats_sink>();
  sink.put = [](const vkp_stats_sink*, const char*, std::size_t, const char*,
                std::size_t) -> vkp_code { return VKP_NOT_FOUND; };

  EXPECT_EQ(table<vkp_stats>(VKP_EXT_STATS).stats(call_.raw(), plugin_.instance(), &sink), VKP_OK);
  EXPECT_EQ(AbleProvider::said, "stats of an unknown pod");
}

TEST_F(ExtensionsTest, ReachReserve) {
  auto request = sized<vkp_reserve_pod_request>();
  request.ref = &ref_;
  request.why = VKP_CREATE_LOST;
  auto sink = sized<vkp_text_sink>();
  sink.put = [](const vkp_text_sink*, const char* text, std::size_t size) -> vkp_code {
    return view(text, size) == "reserved" ? VKP_OK : VKP_INVALID_ARGUMENT;
  };

  EXPECT_EQ(table<vkp_reserve>(VKP_EXT_RESERVE)
                .reserve_pod(call_.raw(), plugin_.instance(), &request, &sink),
            VKP_OK);
  EXPECT_EQ(AbleProvider::said, "reserve lost");
}

TEST_F(ExtensionsTest, ReachExplain) {
  auto sink = sized<vkp_finding_sink>();
  sink.put = [](const vkp_finding_sink*, const vkp_finding* finding) -> vkp_code {
    AbleProvider::said = std::string(view(finding->pointer)) + std::to_string(finding->kind);
    return VKP_OK;
  };

  EXPECT_EQ(
      table<vkp_explain>(VKP_EXT_EXPLAIN).explain(call_.raw(), plugin_.instance(), "{}", 2, &sink),
      VKP_OK);
  EXPECT_EQ(AbleProvider::said, "/spec/containers/0/resources1");
}

TEST_F(ExtensionsTest, TurnExceptionsIntoCodes) {
  EXPECT_EQ(table<vkp_reconfigure>(VKP_EXT_RECONFIGURE)
                .reconfigure(call_.raw(), plugin_.instance(), "region", 6),
            VKP_FAILED_PRECONDITION);
  EXPECT_EQ(call_.error()->message, "region");
}

TEST_F(ExtensionsTest, ReachRetire) {
  EXPECT_EQ(table<vkp_retire>(VKP_EXT_RETIRE).retire(call_.raw(), plugin_.instance()), VKP_OK);
  EXPECT_EQ(AbleProvider::said, "retire");
}

TEST_F(ExtensionsTest, ReachSingleContainers) {
  const auto& containers = table<vkp_containers>(VKP_EXT_CONTAINERS);
  auto run = sized<vkp_container_run>();
  run.ref = &ref_;
  run.container = str("web");
  run.attempt = 2;
  auto request = sized<vkp_start_container_request>();
  request.run = &run;
  request.pod_json = str("{}");
  request.material_json = str("[]");
  auto outcome = sized<vkp_exit>();
  outcome.kind = VKP_EXIT_EXITED;

  EXPECT_EQ(containers.start_container(call_.raw(), plugin_.instance(), &request), VKP_OK);
  EXPECT_EQ(AbleProvider::said, "start web{}[]");
  EXPECT_EQ(containers.stop_container(call_.raw(), plugin_.instance(), &run, 100), VKP_OK);
  EXPECT_EQ(AbleProvider::said, "stop 2 100");
  EXPECT_EQ(containers.wait_container(call_.raw(), plugin_.instance(), &run, &outcome), VKP_OK);
  EXPECT_EQ(outcome.kind, VKP_EXIT_UNKNOWN);
}

TEST_F(ExtensionsTest, IncludeThoseThatTheLayerDoesNotKnow) {
  const std::string_view id = "com.example.more/1";

  EXPECT_EQ(kTable.get_extension(id.data(), id.size()), &AbleProvider::kMore);
  EXPECT_EQ(kTable.get_extension("vkp.logs/2", 10), nullptr);
  EXPECT_EQ(kTable.get_extension(nullptr, 0), nullptr);
}

}  // namespace
}  // namespace vkhost::sdk
