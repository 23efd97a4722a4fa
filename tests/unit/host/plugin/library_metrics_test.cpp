#include "plugin/library_metrics.hpp"

#include "base/thread.hpp"
#include "observe/catalogue.hpp"
#include "plugin/abi_read.hpp"
#include "support/exposition.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vkhost::plugin {
namespace {

using observe::Exposition;
using ::testing::HasSubstr;
using vkhost::testing::Families;
using vkhost::testing::Labels;
using vkhost::testing::parse_exposition;
using vkhost::testing::sum_of;

// A metric as a plugin writes it down; the tests make one thing of it wrong.
struct Written {
  explicit Written(std::string metric_name,
                   std::int32_t kind = VKP_METRIC_COUNTER,
                   std::vector<std::string> label_names = {"zone"})
      : name(std::move(metric_name)), labels(std::move(label_names)) {
    if (kind == VKP_METRIC_HISTOGRAM) {
      buckets = {0.5, 2};
    }
    raw.size = sizeof raw;
    raw.kind = kind;
  }

  const vkp_metric* get() {
    raw.name = as_text(name);
    raw.help = as_text(help);
    texts.clear();
    for (const std::string& label : labels) {
      texts.push_back(as_text(label));
    }
    raw.label_count = texts.size();
    raw.labels = texts.data();
    raw.bucket_count = buckets.size();
    raw.buckets = buckets.data();
    return &raw;
  }

  std::string name;
  std::string help = "A plugin's own.";
  std::vector<std::string> labels;
  std::vector<double> buckets;
  std::vector<vkp_str> texts;
  vkp_metric raw{};
};

class LibraryMetricsTest : public ::testing::Test {
 protected:
  LibraryMetricsTest() { add_catalogue(*registry_); }

  std::unique_ptr<LibraryMetrics> library(const std::string& owner = "/lib/fake.so") {
    return std::make_unique<LibraryMetrics>(registry_, owner,
                                            std::vector<std::string>{"vkhost_fake_", "fake_"});
  }
  std::uint64_t given(Written metric) {
    const auto id = metrics_->add(metric.get());
    EXPECT_TRUE(id.is_ok()) << id.status().to_string();
    return id.is_ok() ? *id : 0;
  }
  StatusCode refusal(Written metric) { return metrics_->add(metric.get()).status().code(); }
  Status record(std::uint64_t id,
                double value,
                const std::vector<std::string>& values = {"a"},
                LibraryMetrics::Member member = 1) {
    std::vector<vkp_str> texts;
    for (const std::string& text : values) {
      texts.push_back(as_text(text));
    }
    return metrics_->record(member, id, texts.data(), texts.size(), value);
  }
  double shown(std::string_view name, const Labels& labels = {}) const {
    return sum_of(parse_exposition(registry_->render()), name, labels);
  }

  std::shared_ptr<observe::Metrics> registry_ = std::make_shared<observe::Metrics>();
  std::unique_ptr<LibraryMetrics> metrics_ = library();
};

TEST_F(LibraryMetricsTest, AreShownBesideTheHostsOwn) {
  const std::uint64_t counter = given(Written("vkhost_fake_calls_total"));
  const std::uint64_t times = given(Written("fake_seconds", VKP_METRIC_HISTOGRAM));

  EXPECT_TRUE(record(counter, 2).is_ok());
  EXPECT_TRUE(record(counter, 1).is_ok());
  EXPECT_TRUE(record(times, 1.5).is_ok());

  EXPECT_EQ(shown("vkhost_fake_calls_total", {{"zone", "a"}}), 3);
  EXPECT_EQ(shown("fake_seconds_bucket", {{"le", "0.5"}}), 0);
  EXPECT_EQ(shown("fake_seconds_bucket", {{"le", "2"}}), 1);
}

TEST_F(LibraryMetricsTest, AddUpTheGaugesOfAllInstances) {
  const std::uint64_t id = given(Written("fake_machines", VKP_METRIC_GAUGE));
  const auto one = metrics_->join();
  const auto other = metrics_->join();
  EXPECT_TRUE(record(id, 5, {"a"}, one).is_ok());
  EXPECT_TRUE(record(id, 0.1, {"a"}, other).is_ok());
  EXPECT_TRUE(record(id, 2, {"a"}, one).is_ok());
  EXPECT_EQ(shown("fake_machines"), 2.1);

  metrics_->leave(one);

  EXPECT_EQ(shown("fake_machines"), 0.1) << "exactly: nothing is taken off again";
}

TEST_F(LibraryMetricsTest, AreThereBeforeTheyAreRecordedWhereTheyHaveNoLabels) {
  given(Written("fake_plain_total", VKP_METRIC_COUNTER, {}));
  given(Written("fake_gauge", VKP_METRIC_GAUGE, {}));
  given(Written("fake_seconds", VKP_METRIC_HISTOGRAM, {}));

  EXPECT_THAT(registry_->render(), HasSubstr("\nfake_plain_total 0\n"));
  EXPECT_THAT(registry_->render(), HasSubstr("\nfake_gauge 0\n"));
  EXPECT_THAT(registry_->render(), HasSubstr("\nfake_seconds_count 0\n"));
}

TEST_F(LibraryMetricsTest, HaveOneIdForOneShape) {
  const std::uint64_t id = given(Written("fake_calls_total"));

  EXPECT_EQ(given(Written("fake_calls_total")), id);
  EXPECT_NE(given(Written("fake_other_total")), id);
  EXPECT_EQ(refusal(Written("fake_calls_total", VKP_METRIC_GAUGE)), StatusCode::AlreadyExists);
  EXPECT_EQ(refusal(Written("fake_calls_total", VKP_METRIC_COUNTER, {"other"})),
            StatusCode::AlreadyExists);
}

TEST_F(LibraryMetricsTest, KeepToTheirPrefixes) {
  for (const char* name : {"vkhost_pods", "other_total", "", "fake", "fake_", "xfake_total"}) {
    EXPECT_EQ(refusal(Written(name)), StatusCode::InvalidArgument) << name;
  }
}

// With a prefix as wide as this a plugin could name everything.
TEST_F(LibraryMetricsTest, TakeNoNameOfTheHostWhateverTheirPrefix) {
  metrics_ =
      std::make_unique<LibraryMetrics>(registry_, "/lib/greedy.so", std::vector<std::string>{"v"});

  EXPECT_EQ(refusal(Written("vkhost_pods", VKP_METRIC_GAUGE, {"node"})), StatusCode::AlreadyExists);
  EXPECT_EQ(refusal(Written("vkhost_api_request_duration_seconds_count")),
            StatusCode::AlreadyExists);
  EXPECT_EQ(refusal(Written("vkhost_api_requests", VKP_METRIC_GAUGE)), StatusCode::AlreadyExists);
}

TEST_F(LibraryMetricsTest, AreNotSharedWithAnotherLibrary) {
  given(Written("fake_calls_total"));
  metrics_ = library("/lib/copy.so");

  EXPECT_EQ(refusal(Written("fake_calls_total")), StatusCode::AlreadyExists);
}

TEST_F(LibraryMetricsTest, RefuseWhatWouldSpoilTheExposition) {
  const auto spoilt = [&](const std::function<void(Written&)>& spoil,
                          std::int32_t kind = VKP_METRIC_COUNTER) {
    Written metric("fake_x_total", kind);
    spoil(metric);
    return refusal(std::move(metric));
  };
  const double infinity = std::numeric_limits<double>::infinity();

  EXPECT_EQ(spoilt([](Written& it) { it.name = "fake_a b"; }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.name = "fake_x\n# TYPE y gauge"; }),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.name = "fake_\xff"; }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.name += std::string(200, 'x'); }),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.labels = {"__name__"}; }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.labels = {"a", "a"}; }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.labels = {"a=\"b\","}; }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.labels.assign(9, "a"); }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.labels = {"le"}; }, VKP_METRIC_HISTOGRAM),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.buckets = {}; }, VKP_METRIC_HISTOGRAM),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.buckets = {2, 1}; }, VKP_METRIC_HISTOGRAM),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([&](Written& it) { it.buckets = {infinity}; }, VKP_METRIC_HISTOGRAM),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.buckets.assign(65, 1); }, VKP_METRIC_HISTOGRAM),
            StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.raw.kind = 7; }), StatusCode::InvalidArgument);
  EXPECT_EQ(spoilt([](Written& it) { it.raw.size = 8; }), StatusCode::InvalidArgument);
  EXPECT_EQ(metrics_->add(nullptr).status().code(), StatusCode::InvalidArgument);
  EXPECT_NO_THROW(static_cast<void>(parse_exposition(registry_->render())));
}

TEST_F(LibraryMetricsTest, RefuseListsThatAreNotThere) {
  Written metric("fake_x_total");
  vkp_metric raw = *metric.get();
  raw.labels = nullptr;
  EXPECT_EQ(metrics_->add(&raw).status().code(), StatusCode::InvalidArgument);
  const std::uint64_t id = given(Written("fake_y_total"));

  EXPECT_EQ(metrics_->record(1, id, nullptr, 1, 1).code(), StatusCode::InvalidArgument);
}

TEST_F(LibraryMetricsTest, ShowAHelpWhateverItSays) {
  Written metric("fake_x_total");
  metric.help = "line\n# TYPE y gauge \xff " + std::string(5000, 'x');
  given(std::move(metric));

  const Families families = parse_exposition(registry_->render());

  EXPECT_LE(families.at("fake_x_total").help.size(), 1100U);
  EXPECT_NO_THROW(static_cast<void>(
      parse_exposition(registry_->render(Exposition::OpenMetrics), Exposition::OpenMetrics)));
}

TEST_F(LibraryMetricsTest, RefuseValuesThatAreNone) {
  const std::uint64_t counter = given(Written("fake_x_total"));
  const std::uint64_t gauge = given(Written("fake_x_now", VKP_METRIC_GAUGE));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();

  EXPECT_EQ(record(counter, -1).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, nan).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, infinity).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(gauge, nan).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, 1, {}).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, 1, {"a", "b"}).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, 1, {"\xff"}).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, 1, {std::string("a\0b", 3)}).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, 1, {"a\nb"}).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(counter, 1, {std::string(257, 'x')}).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(record(0, 1).code(), StatusCode::NotFound);
  EXPECT_EQ(record(99, 1).code(), StatusCode::NotFound);
  EXPECT_TRUE(record(gauge, -1, {"\"}\\ "}).is_ok());

  EXPECT_EQ(shown("fake_x_now", {{"zone", "\"}\\ "}}), -1);
  EXPECT_EQ(shown("fake_x_total"), 0);
}

TEST_F(LibraryMetricsTest, AreBounded) {
  for (int i = 0; i < 100; ++i) {
    given(Written("fake_" + std::to_string(i) + "_total"));
  }
  EXPECT_EQ(refusal(Written("fake_more_total")), StatusCode::ResourceExhausted);
  EXPECT_EQ(given(Written("fake_7_total")), 8U) << "that one is there already";

  for (int i = 0; i < 1500; ++i) {
    EXPECT_TRUE(record(1, 1, {"zone-" + std::to_string(i)}).is_ok());
  }

  EXPECT_EQ(shown("fake_0_total", {{"zone", "overflow"}}), 500);
  EXPECT_EQ(shown("fake_0_total"), 1500);
}

TEST_F(LibraryMetricsTest, AreRecordedByManyThreadsWhileTheyAreShown) {
  const std::uint64_t counter = given(Written("fake_x_total"));
  const std::uint64_t gauge = given(Written("fake_x_now", VKP_METRIC_GAUGE));
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back("recording", [&, member = metrics_->join()] {
        for (int round = 0; round < 500; ++round) {
          static_cast<void>(record(counter, 1, {"a"}, member));
          static_cast<void>(record(gauge, round, {"a"}, member));
          given(Written("fake_x_total"));
        }
        metrics_->leave(member);
      });
    }
    for (int i = 0; i < 50; ++i) {
      EXPECT_NO_THROW(static_cast<void>(parse_exposition(registry_->render())));
    }
  }

  EXPECT_EQ(shown("fake_x_total"), 2000);
  EXPECT_EQ(shown("fake_x_now"), 0);
}

}  // namespace
}  // namespace vkhost::plugin
