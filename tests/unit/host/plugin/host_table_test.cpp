#include "plugin/host_table.hpp"

#include "base/thread.hpp"
#include "plugin/abi_read.hpp"
#include "support/exposition.hpp"
#include "support/recording_listener.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace vkhost::plugin {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class HostTableTest : public ::testing::Test {
 protected:
  ~HostTableTest() override { table_.close(); }

  // A change that is right; the tests make one thing of it wrong.
  static vkp_pod_change good_change() {
    vkp_pod_change change{};
    change.size = sizeof(change);
    change.uid = as_text("uid-1");
    change.seq = 7;
    change.status_json = as_text(R"({"phase":"Running"})");
    return change;
  }

  static vkp_evict_request good_eviction() {
    vkp_evict_request request{};
    request.size = sizeof(request);
    request.uid = as_text("uid-1");
    request.reason = as_text("SpotReclaimed");
    request.message = as_text("the cloud wants its capacity back");
    request.grace_ms = 1500;
    return request;
  }

  static vkp_event good_event() {
    vkp_event event{};
    event.size = sizeof(event);
    event.pod_uid = as_text("uid-1");
    event.reason = as_text("SpotNotice");
    event.message = as_text("two minutes are left");
    event.key = as_text("notice-1");
    event.occurred_unix_ns = 1'767'323'045'000'000'000;
    event.type = VKP_EVENT_WARNING;
    return event;
  }

  const void* extension(std::string_view id) {
    return host_->get_extension(host_, id.data(), id.size());
  }

  vkp_code push(const vkp_pod_change& change) { return host_->pod_changed(host_, &change); }

  void log(std::string_view message, std::string_view fields, std::int32_t level) {
    const vkp_log_entry entry{
        sizeof(entry), as_text(message), as_text("uid-1"), as_text(fields), level, 0};
    host_->log(host_, &entry);
  }

  vkhost::testing::RecordingListener listener_;
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  HostTable& table_ =
      HostTable::for_instance(observe::Logger(log_), listener_, {"fake.example.com/"});
  const vkp_host* host_ = table_.abi();
};

TEST_F(HostTableTest, HandsNewsOfAPodOn) {
  vkp_pod_change change = good_change();
  change.annotations_json = as_text(R"({"fake.example.com/id": "i-1"})");
  change.gone = true;
  vkp_error error{};
  error.size = sizeof(error);
  error.reason = as_text("SpotWithdrawn");
  error.code = VKP_RESOURCE_EXHAUSTED;
  change.error = &error;

  EXPECT_EQ(push(change), VKP_OK);

  const auto changes = listener_.changes("uid-1");
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].seq, 7U);
  EXPECT_EQ(changes[0].status_json, R"({"phase":"Running"})");
  EXPECT_THAT(changes[0].annotations, SizeIs(1));
  EXPECT_TRUE(changes[0].gone);
  ASSERT_TRUE(changes[0].error.has_value());
  EXPECT_EQ(changes[0].error->code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(changes[0].error->reason(), "SpotWithdrawn");
}

TEST_F(HostTableTest, TakesAnErrorWithoutACodeAsUnknown) {
  vkp_pod_change change = good_change();
  vkp_error error{};
  error.size = sizeof(error);
  change.error = &error;

  EXPECT_EQ(push(change), VKP_OK);

  EXPECT_EQ(listener_.changes("uid-1").at(0).error->code(), StatusCode::Unknown);
}

TEST_F(HostTableTest, RefusesNewsThatAreNonsense) {
  const auto refused = [&](const auto& spoil) {
    vkp_pod_change change = good_change();
    spoil(change);
    return push(change) == VKP_INVALID_ARGUMENT;
  };
  const std::string large = "{\"a\":\"" + std::string(VKP_MAX_STATUS_BYTES, 'x') + "\"}";
  const std::string deep = std::string(70, '[') + std::string(70, ']');

  EXPECT_TRUE(refused([](auto& change) { change.uid = {}; }));
  EXPECT_TRUE(refused([](auto& change) { change.uid = as_text("\xff"); }));
  EXPECT_TRUE(refused([](auto& change) { change.size = 8; }));
  EXPECT_TRUE(refused([](auto& change) { change.status_json = as_text("{"); }));
  EXPECT_TRUE(refused([](auto& change) { change.status_json = as_text("[]"); }));
  EXPECT_TRUE(refused([](auto& change) { change.status_json = {nullptr, 5}; }));
  EXPECT_TRUE(refused([&](auto& change) { change.status_json = as_text(large); }));
  EXPECT_TRUE(refused([&](auto& change) { change.status_json = as_text(deep); }));
  EXPECT_TRUE(refused([](auto& change) { change.annotations_json = as_text(R"({"a/b":"c"})"); }));
  EXPECT_EQ(host_->pod_changed(host_, nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(host_->pod_changed(nullptr, nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_THAT(listener_.changes("uid-1"), IsEmpty());
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("news of a pod from the plugin were refused")));
}

TEST_F(HostTableTest, TakesNewsOfAnOlderPlugin) {
  vkp_pod_change change = good_change();
  change.gone = true;
  change.size = offsetof(vkp_pod_change, gone);

  EXPECT_EQ(push(change), VKP_OK);

  EXPECT_FALSE(listener_.changes("uid-1").at(0).gone);
}

TEST_F(HostTableTest, PassesTheListenersAnswerBack) {
  listener_.forget("uid-1");

  EXPECT_EQ(push(good_change()), VKP_NOT_FOUND);
  EXPECT_EQ(host_->node_changed(host_), VKP_OK);
  EXPECT_EQ(listener_.node_changes(), 1);
}

TEST_F(HostTableTest, SavesHandlesWithinTheirLimits) {
  const std::string longest(VKP_MAX_HANDLE_BYTES, 'h');

  EXPECT_EQ(host_->save_handle(host_, "uid-1", 5, longest.data(), longest.size()), VKP_OK);
  EXPECT_EQ(listener_.handles().at("uid-1"), longest);
  EXPECT_EQ(host_->save_handle(host_, "uid-1", 5, nullptr, 0), VKP_OK);
  EXPECT_EQ(listener_.handles().at("uid-1"), "");

  const std::string longer = longest + "h";
  EXPECT_EQ(host_->save_handle(host_, "uid-1", 5, longer.data(), longer.size()),
            VKP_INVALID_ARGUMENT);
  EXPECT_EQ(host_->save_handle(host_, "uid-1", 5, "\xff", 1), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(host_->save_handle(host_, nullptr, 5, "h", 1), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(host_->save_handle(host_, "", 0, "h", 1), VKP_NOT_FOUND);
}

TEST_F(HostTableTest, LogsWithFieldsAndWithoutSecrets) {
  log("instance started", R"({"instance":"i-1","attempt":2,"Api-Token":"hush"})", VKP_LOG_WARN);
  log("level of a later version", "", 99);
  log("fields that are none", "[", VKP_LOG_ERROR);

  EXPECT_THAT(log_->lines(),
              ElementsAre(HasSubstr("warn: instance started uid=uid-1 "),
                          "info: level of a later version uid=uid-1",
                          HasSubstr("error: fields that are none uid=uid-1 fields_error=")));
  EXPECT_THAT(log_->lines().at(0), HasSubstr("instance=i-1"));
  EXPECT_THAT(log_->lines().at(0), HasSubstr("attempt=2"));
  EXPECT_THAT(log_->lines().at(0), HasSubstr("Api-Token=[redacted]"));
  EXPECT_THAT(log_->lines().at(0), Not(HasSubstr("hush")));
}

TEST_F(HostTableTest, CutsLongMessages) {
  log(std::string(10'000, 'x'), "", VKP_LOG_INFO);

  EXPECT_LT(log_->lines().at(0).size(), 4200U);
}

TEST_F(HostTableTest, AnswersCancelledAfterTheEndExceptForTheLog) {
  table_.close();

  EXPECT_EQ(push(good_change()), VKP_CANCELLED);
  EXPECT_EQ(host_->node_changed(host_), VKP_CANCELLED);
  EXPECT_EQ(host_->save_handle(host_, "uid-1", 5, "h", 1), VKP_CANCELLED);
  log("still here", "", VKP_LOG_INFO);

  EXPECT_EQ(table_.late_calls(), 3U);
  EXPECT_THAT(listener_.changes("uid-1"), IsEmpty());
  EXPECT_THAT(log_->lines(), Contains("info: still here uid=uid-1"));
}

TEST_F(HostTableTest, HasNoExtensionOfAnotherName) {
  EXPECT_EQ(extension("vkp.host.evict/2"), nullptr);
  EXPECT_EQ(extension("vkp.host.evict"), nullptr);
  EXPECT_EQ(extension(""), nullptr);
  EXPECT_EQ(host_->get_extension(host_, nullptr, 0), nullptr);
  EXPECT_EQ(host_->get_extension(host_, nullptr, 16), nullptr);
}

TEST_F(HostTableTest, HandsOutTheEvictionTable) {
  const auto* table = static_cast<const vkp_host_evict*>(extension(VKP_EXT_HOST_EVICT));
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->size, sizeof(vkp_host_evict));
  EXPECT_EQ(extension(VKP_EXT_HOST_EVICT), table);
  vkp_evict_request request = good_eviction();

  EXPECT_EQ(table->evict(host_, &request), VKP_OK);
  request.grace_ms = -1;
  request.reason = {};
  EXPECT_EQ(table->evict(host_, &request), VKP_OK);

  const auto evictions = listener_.evictions();
  ASSERT_THAT(evictions, SizeIs(2));
  EXPECT_EQ(evictions[0].uid, "uid-1");
  EXPECT_EQ(evictions[0].reason, "SpotReclaimed");
  EXPECT_EQ(evictions[0].message, "the cloud wants its capacity back");
  EXPECT_EQ(evictions[0].grace, std::chrono::milliseconds{1500});
  EXPECT_EQ(evictions[1].reason, "");
  EXPECT_EQ(evictions[1].grace, std::nullopt);
}

TEST_F(HostTableTest, HandsEventsOn) {
  const auto* table = static_cast<const vkp_host_events*>(extension(VKP_EXT_HOST_EVENTS));
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->size, sizeof(vkp_host_events));
  vkp_event event = good_event();
  EXPECT_EQ(table->emit(host_, &event), VKP_OK);
  event.pod_uid = {};
  event.key = {};
  event.occurred_unix_ns = 0;
  event.type = VKP_EVENT_NORMAL;
  EXPECT_EQ(table->emit(host_, &event), VKP_OK);
  event.type = 99;
  EXPECT_EQ(table->emit(host_, &event), VKP_OK);

  const auto events = listener_.events();
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[0].pod_uid, "uid-1");
  EXPECT_EQ(events[0].reason, "SpotNotice");
  EXPECT_EQ(events[0].message, "two minutes are left");
  EXPECT_EQ(events[0].key, "provider/notice-1");
  EXPECT_EQ(events[0].occurred, WallTime(std::chrono::seconds{1'767'323'045}));
  EXPECT_TRUE(events[0].is_warning);
  EXPECT_EQ(events[1].pod_uid, "");
  EXPECT_EQ(events[1].occurred, std::nullopt);
  EXPECT_FALSE(events[1].is_warning);
  EXPECT_TRUE(events[2].is_warning) << "of a type that a later version may have";
}

TEST_F(HostTableTest, RefusesEventsThatAreNonsense) {
  const auto* table = static_cast<const vkp_host_events*>(extension(VKP_EXT_HOST_EVENTS));
  const auto answer = [&](const auto& spoil) {
    vkp_event event = good_event();
    spoil(event);
    return table->emit(host_, &event);
  };
  const std::string long_text(10'000, 'A');

  EXPECT_EQ(answer([](auto& event) { event.reason = {}; }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& event) { event.reason = as_text("two words"); }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([&](auto& event) { event.reason = as_text(long_text); }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([&](auto& event) { event.key = as_text(long_text); }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& event) { event.pod_uid = as_text("\xff"); }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& event) { event.occurred_unix_ns = -1; }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& event) { event.size = 8; }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(table->emit(host_, nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_THAT(listener_.events(), IsEmpty());
  EXPECT_EQ(answer([&](auto& event) { event.message = as_text(long_text); }), VKP_OK);
  EXPECT_LE(listener_.events().at(0).message.size(), std::size_t{VKP_MAX_MESSAGE_BYTES});
  listener_.forget("uid-1");
  EXPECT_EQ(answer([](auto&) {}), VKP_NOT_FOUND);
  table_.close();
  EXPECT_EQ(answer([](auto&) {}), VKP_CANCELLED);
}

TEST_F(HostTableTest, RefusesEvictionsThatAreNonsense) {
  const auto* table = static_cast<const vkp_host_evict*>(extension(VKP_EXT_HOST_EVICT));
  const auto answer = [&](const auto& spoil) {
    vkp_evict_request request = good_eviction();
    spoil(request);
    return table->evict(host_, &request);
  };
  const std::string long_word(VKP_MAX_REASON_BYTES + 1, 'A');

  EXPECT_EQ(answer([](auto& request) { request.uid = {}; }), VKP_NOT_FOUND);
  EXPECT_EQ(answer([](auto& request) { request.uid = as_text("\xff"); }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& request) { request.size = 8; }), VKP_NOT_FOUND);
  EXPECT_EQ(answer([](auto& request) { request.reason = as_text("two words"); }),
            VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& request) { request.reason = as_text("1st"); }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([&](auto& request) { request.reason = as_text(long_word); }),
            VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer([](auto& request) { request.grace_ms = -2; }), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(table->evict(host_, nullptr), VKP_NOT_FOUND);
  EXPECT_EQ(table->evict(nullptr, nullptr), VKP_INVALID_ARGUMENT);
  listener_.forget("uid-1");
  EXPECT_EQ(answer([](auto&) {}), VKP_NOT_FOUND);
  table_.close();
  EXPECT_EQ(answer([](auto&) {}), VKP_CANCELLED);
  EXPECT_THAT(listener_.evictions(), IsEmpty());
}

TEST_F(HostTableTest, CutsWhatAnEvictionSays) {
  const auto* table = static_cast<const vkp_host_evict*>(extension(VKP_EXT_HOST_EVICT));
  vkp_evict_request request = good_eviction();
  const std::string long_message(10'000, 'x');
  request.message = as_text(long_message);
  request.grace_ms = std::numeric_limits<std::int64_t>::max();

  EXPECT_EQ(table->evict(host_, &request), VKP_OK);

  EXPECT_LE(listener_.evictions().at(0).message.size(), std::size_t{VKP_MAX_MESSAGE_BYTES});
  EXPECT_EQ(listener_.evictions().at(0).grace, std::chrono::hours{366 * 24});
}

vkp_metric metric_of(std::string_view name, std::int32_t kind) {
  vkp_metric metric{};
  metric.size = sizeof(metric);
  metric.name = as_text(name);
  metric.help = as_text("A plugin's own.");
  metric.kind = kind;
  return metric;
}

class HostMetricsTest : public HostTableTest {
 protected:
  ~HostMetricsTest() override {
    library_.close();
    instance_.close();
  }

  double shown(std::string_view name) const {
    return vkhost::testing::sum_of(vkhost::testing::parse_exposition(registry_->render()), name);
  }

  std::shared_ptr<observe::Metrics> registry_ = std::make_shared<observe::Metrics>();
  std::shared_ptr<LibraryMetrics> metrics_ = std::make_shared<LibraryMetrics>(
      registry_, "/lib/fake.so", std::vector<std::string>{"fake_"});
  HostTable& library_ = HostTable::for_library(observe::Logger(log_), metrics_);
  HostTable& instance_ = HostTable::for_instance(observe::Logger(log_), listener_, {}, metrics_);
  const vkp_host_metrics* const table_of_metrics_ =
      static_cast<const vkp_host_metrics*>(extension(VKP_EXT_HOST_METRICS));
};

TEST_F(HostMetricsTest, AreOneMetricForTheLibraryAndItsInstances) {
  const vkp_metric metric = metric_of("fake_machines", VKP_METRIC_GAUGE);
  std::uint64_t id = 0;
  std::uint64_t again = 0;
  EXPECT_EQ(table_of_metrics_->register_metric(library_.abi(), &metric, &id), VKP_OK);
  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), &metric, &again), VKP_OK);

  EXPECT_EQ(table_of_metrics_->record(library_.abi(), id, nullptr, 0, 2), VKP_OK);
  EXPECT_EQ(table_of_metrics_->record(instance_.abi(), again, nullptr, 0, 5), VKP_OK);

  EXPECT_EQ(id, again);
  EXPECT_EQ(shown("fake_machines"), 7);
}

TEST_F(HostMetricsTest, OfAnInstanceEndWithIt) {
  const vkp_metric gauge = metric_of("fake_machines", VKP_METRIC_GAUGE);
  const vkp_metric counter = metric_of("fake_calls_total", VKP_METRIC_COUNTER);
  std::uint64_t id = 0;
  std::uint64_t calls = 0;
  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), &gauge, &id), VKP_OK);
  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), &counter, &calls), VKP_OK);
  EXPECT_EQ(table_of_metrics_->record(instance_.abi(), id, nullptr, 0, 5), VKP_OK);
  EXPECT_EQ(table_of_metrics_->record(instance_.abi(), calls, nullptr, 0, 3), VKP_OK);

  instance_.close();

  EXPECT_EQ(shown("fake_machines"), 0);
  EXPECT_EQ(shown("fake_calls_total"), 3) << "a counter never shrinks";
  EXPECT_EQ(table_of_metrics_->record(instance_.abi(), calls, nullptr, 0, 1), VKP_CANCELLED);
  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), &gauge, &id), VKP_CANCELLED);
  EXPECT_EQ(shown("fake_calls_total"), 3);
}

TEST_F(HostMetricsTest, AreRefusedAloudButNotAtEachValue) {
  const vkp_metric foreign = metric_of("vkhost_pods", VKP_METRIC_GAUGE);
  std::uint64_t id = 77;

  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), &foreign, &id),
            VKP_INVALID_ARGUMENT);
  EXPECT_EQ(id, 77U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(table_of_metrics_->record(instance_.abi(), 1, nullptr, 0, 1), VKP_NOT_FOUND);
  }

  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), nullptr, &id),
            VKP_INVALID_ARGUMENT);
  const vkp_metric good = metric_of("fake_calls_total", VKP_METRIC_COUNTER);
  EXPECT_EQ(table_of_metrics_->register_metric(instance_.abi(), &good, nullptr),
            VKP_INVALID_ARGUMENT);
  EXPECT_EQ(table_of_metrics_->register_metric(nullptr, &good, &id), VKP_INVALID_ARGUMENT);
  const auto lines = log_->lines();
  EXPECT_THAT(lines, Contains(HasSubstr("metric_prefixes")));
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) {
                            return line.find("a value for a metric") != std::string::npos;
                          }),
            1);
}

TEST_F(HostMetricsTest, AreNowhereWithoutARegistry) {
  const vkp_metric metric = metric_of("fake_machines", VKP_METRIC_GAUGE);
  std::uint64_t id = 0;

  EXPECT_EQ(table_of_metrics_->register_metric(host_, &metric, &id), VKP_UNIMPLEMENTED);
  EXPECT_EQ(table_of_metrics_->record(host_, 1, nullptr, 0, 1), VKP_UNIMPLEMENTED);
}

TEST_F(HostTableTest, GivesALibraryTheLogAndMetricsAlone) {
  HostTable& library = HostTable::for_library(observe::Logger(log_));

  EXPECT_EQ(library.abi()->node_changed(library.abi()), VKP_CANCELLED);
}

// A listener that does what it must not, or takes its time.
class BadListener final : public ProviderListener {
 public:
  Status pod_changed(PodChange /*change*/) override { throw std::runtime_error("our own fault"); }
  Status node_changed() override {
    entered = true;
    while (!leave) {
      std::this_thread::yield();
    }
    left = true;
    return Status::ok();
  }
  Status save_handle(const std::string& /*uid*/, const std::string& /*handle*/) override {
    return unavailable("the API server is away");
  }
  Status evict(Eviction /*eviction*/) override { throw std::runtime_error("our own fault"); }
  Status emit(ProviderEvent /*event*/) override { throw std::runtime_error("our own fault"); }

  std::atomic<bool> entered = false;
  std::atomic<bool> leave = false;
  std::atomic<bool> left = false;
};

TEST_F(HostTableTest, LetsNoExceptionIntoThePlugin) {
  BadListener bad;
  HostTable& table = HostTable::for_instance(observe::Logger(log_), bad, {});
  const vkp_pod_change change = good_change();

  EXPECT_EQ(table.abi()->pod_changed(table.abi(), &change), VKP_INTERNAL);
  EXPECT_EQ(table.abi()->save_handle(table.abi(), "u", 1, "h", 1), VKP_UNAVAILABLE);
  table.close();
}

TEST_F(HostTableTest, WaitsForTheListenerAtTheEnd) {
  BadListener slow;
  HostTable& table = HostTable::for_instance(observe::Logger(log_), slow, {});
  Thread plugin("plugin", [&] { static_cast<void>(table.abi()->node_changed(table.abi())); });
  while (!slow.entered) {
    std::this_thread::yield();
  }
  Thread releaser("releaser", [&] { slow.leave = true; });

  table.close();

  EXPECT_TRUE(slow.left);
}

}  // namespace
}  // namespace vkhost::plugin
