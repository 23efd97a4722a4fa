#include <vkhost/cpp/host_extensions.hpp>
#include <vkhost/support/fake_host.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace vkhost::sdk {
namespace {

std::string said;  // by the tables below, which are C functions

vkp_code emit(const vkp_host*, const vkp_event* event) {
  said = std::string(view(event->reason)) + " " + std::to_string(event->type);
  return VKP_OK;
}
vkp_code evict(const vkp_host*, const vkp_evict_request* request) {
  said = std::string(view(request->uid)) + " " + std::to_string(request->grace_ms);
  return VKP_OK;
}
vkp_code put(const vkp_host*,
             const char* key,
             std::size_t key_size,
             const char* value,
             std::size_t value_size) {
  said = std::string(view(key, key_size)) + "=" + std::string(view(value, value_size));
  return VKP_OK;
}
vkp_code get(const vkp_host*, const char* key, std::size_t size, const vkp_text_sink* out) {
  return view(key, size) == "slot" ? out->put(out, "eni-1", 5) : VKP_NOT_FOUND;
}
vkp_code register_metric(const vkp_host*, const vkp_metric* metric, std::uint64_t* id) {
  said = std::string(view(metric->name)) + " " + std::to_string(metric->label_count) + " " +
         std::to_string(metric->bucket_count);
  *id = 12;
  return view(metric->name) == "other_total" ? VKP_INVALID_ARGUMENT : VKP_OK;
}
vkp_code record(
    const vkp_host*, std::uint64_t id, const vkp_str* values, std::size_t count, double value) {
  said = std::to_string(id) + " " + (count == 0 ? "" : std::string(view(values[0]))) + " " +
         std::to_string(static_cast<int>(value));
  return VKP_OK;
}

constexpr vkp_host_events kEvents{sizeof(vkp_host_events), &emit};
constexpr vkp_host_evict kEvict{sizeof(vkp_host_evict), &evict};
constexpr vkp_host_state kState{sizeof(vkp_host_state), &put, &get};
constexpr vkp_host_metrics kMetrics{sizeof(vkp_host_metrics), &register_metric, &record};

class HostExtensionsTest : public ::testing::Test {
 protected:
  HostExtensionsTest() {
    fake_.offer(VKP_EXT_HOST_EVENTS, &kEvents);
    fake_.offer(VKP_EXT_HOST_EVICT, &kEvict);
    fake_.offer(VKP_EXT_HOST_STATE, &kState);
    fake_.offer(VKP_EXT_HOST_METRICS, &kMetrics);
    said.clear();
  }

  FakeHost fake_;
  Host host_{fake_.raw()};
};

TEST_F(HostExtensionsTest, EmitEvents) {
  Event event;
  event.reason = "Launched";
  event.type = EventType::Warning;

  EXPECT_EQ(Events(host_).emit(event), Code::Ok);
  EXPECT_EQ(said, "Launched 1");
}

TEST_F(HostExtensionsTest, EvictWithAGraceOrWithThePodsOwn) {
  const Evictions evictions(host_);

  EXPECT_EQ(evictions.evict("uid-1", "SpotEnded", "", std::chrono::seconds(2)), Code::Ok);
  EXPECT_EQ(said, "uid-1 2000");
  EXPECT_EQ(evictions.evict("uid-1", "SpotEnded", ""), Code::Ok);
  EXPECT_EQ(said, "uid-1 -1");
}

TEST_F(HostExtensionsTest, KeepState) {
  const State state(host_);

  EXPECT_EQ(state.put("slot", "eni-1"), Code::Ok);
  EXPECT_EQ(said, "slot=eni-1");
  EXPECT_EQ(state.get("slot"), "eni-1");
  EXPECT_FALSE(state.get("other"));
}

TEST_F(HostExtensionsTest, RecordMetrics) {
  const Metric latency =
      Metric::histogram(host_, "mock_seconds", "How long it took.", {0.1, 1}, {"call"});
  EXPECT_EQ(latency.registered(), Code::Ok);
  EXPECT_EQ(said, "mock_seconds 1 2");

  latency.record(3, {"create"});
  EXPECT_EQ(said, "12 create 3");
}

TEST_F(HostExtensionsTest, RecordNothingOnAMetricThatWasRefused) {
  const Metric other = Metric::counter(host_, "other_total", "Not ours.");
  said.clear();

  other.record(1);

  EXPECT_EQ(other.registered(), Code::InvalidArgument);
  EXPECT_EQ(said, "");
}

TEST(HostExtensions, AnswerUnimplementedWhereTheHostHasNone) {
  FakeHost fake;
  const Host host(fake.raw());

  EXPECT_EQ(Events(host).emit({}), Code::Unimplemented);
  EXPECT_EQ(Evictions(host).evict("u", "r", "m"), Code::Unimplemented);
  EXPECT_EQ(State(host).put("k", "v"), Code::Unimplemented);
  EXPECT_FALSE(State(host).get("k"));
  const Metric gauge = Metric::gauge(host, "mock_pods", "Pods.");
  gauge.record(1);
  EXPECT_EQ(gauge.registered(), Code::Unimplemented);
}

}  // namespace
}  // namespace vkhost::sdk
