#include "observe/metrics.hpp"

#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace vkhost::observe {
namespace {

TEST(Metrics, RendersEachKind) {
  Metrics metrics;
  metrics.counter("b_total", "Things.", {"pod", "code"}).with({"default/web", "OK"})->add(2);
  metrics.gauge("a", "Now.").with({})->set(-1.5);
  const auto histogram = metrics.histogram("c_seconds", "Times.", {"op"}, {0.5, 1}).with({"x"});
  histogram->observe(0.5);
  histogram->observe(0.75);
  histogram->observe(7);

  EXPECT_EQ(metrics.render(),
            "# HELP a Now.\n"
            "# TYPE a gauge\n"
            "a -1.5\n"
            "# HELP b_total Things.\n"
            "# TYPE b_total counter\n"
            "b_total{pod=\"default/web\",code=\"OK\"} 2\n"
            "# HELP c_seconds Times.\n"
            "# TYPE c_seconds histogram\n"
            "c_seconds_bucket{op=\"x\",le=\"0.5\"} 1\n"
            "c_seconds_bucket{op=\"x\",le=\"1\"} 2\n"
            "c_seconds_bucket{op=\"x\",le=\"+Inf\"} 3\n"
            "c_seconds_sum{op=\"x\"} 8.25\n"
            "c_seconds_count{op=\"x\"} 3\n");
}

TEST(Metrics, EscapesHelpAndLabelValues) {
  Metrics metrics;
  metrics.gauge("a", "line\nand \\ and \"", {"l"}).with({"x\"y\\z\n"})->set(1);

  EXPECT_EQ(metrics.render(),
            "# HELP a line\\nand \\\\ and \"\n# TYPE a gauge\na{l=\"x\\\"y\\\\z\\n\"} 1\n");
}

TEST(Metrics, ShowsValuesThatAreNoNumbers) {
  Metrics metrics;
  auto& gauge = metrics.gauge("a", "", {"l"});
  gauge.with({"1"})->set(std::numeric_limits<double>::infinity());
  gauge.with({"2"})->set(-std::numeric_limits<double>::infinity());
  gauge.with({"3"})->set(std::numeric_limits<double>::quiet_NaN());

  const std::string text = metrics.render();

  EXPECT_NE(text.find("a{l=\"1\"} +Inf\n"), std::string::npos);
  EXPECT_NE(text.find("a{l=\"2\"} -Inf\n"), std::string::npos);
  EXPECT_NE(text.find("a{l=\"3\"} NaN\n"), std::string::npos);
}

TEST(Metrics, GivesTheSameFamilyForTheSameShape) {
  Metrics metrics;

  EXPECT_EQ(&metrics.counter("a", "x", {"l"}), &metrics.counter("a", "y", {"l"}));
  EXPECT_EQ(metrics.add_counter({"a", "", {"m"}, {}}).status().code(), StatusCode::AlreadyExists);
  EXPECT_EQ(metrics.add_gauge({"a", "", {"l"}, {}}).status().code(), StatusCode::AlreadyExists);
}

TEST(Metrics, RefusesWhatPrometheusWouldNotTake) {
  Metrics metrics;
  const std::vector<MetricShape> wrong = {{"", "", {}, {}},           {"1a", "", {}, {}},
                                          {"a b", "", {}, {}},        {"a", "", {"__x"}, {}},
                                          {"a", "", {"x", "x"}, {}},  {"a", "", {"a:b"}, {}},
                                          {"a\n# TYPE b", "", {}, {}}};
  for (const MetricShape& shape : wrong) {
    EXPECT_EQ(metrics.add_counter(shape).status().code(), StatusCode::InvalidArgument)
        << shape.name;
  }
  EXPECT_FALSE(metrics.add_histogram({"a", "", {}, {}}).is_ok());
  EXPECT_FALSE(metrics.add_histogram({"a", "", {}, {2, 1}}).is_ok());
  EXPECT_FALSE(metrics.add_histogram({"a", "", {"le"}, {1}}).is_ok());
  EXPECT_FALSE(metrics.add_counter({"a", "", {}, {1}}).is_ok());
  EXPECT_EQ(metrics.render(), "");
}

TEST(Metrics, RendersOpenMetricsAsWell) {
  Metrics metrics;
  metrics.counter("b_total", "With \"quotes\".", {"code"}).with({"OK"})->add(2);
  metrics.counter("plain", "No suffix.").with({})->add(1);
  metrics.gauge("a", "Now.").with({})->set(1.5);
  metrics.histogram("c_seconds", "Times.", {}, {0.5, 1}).with({})->observe(0.7);

  EXPECT_EQ(metrics.render(Exposition::OpenMetrics),
            "# HELP a Now.\n# TYPE a gauge\na 1.5\n"
            "# HELP b With \\\"quotes\\\".\n# TYPE b counter\nb_total{code=\"OK\"} 2\n"
            "# HELP c_seconds Times.\n# TYPE c_seconds histogram\n"
            "c_seconds_bucket{le=\"0.5\"} 0\n"
            "c_seconds_bucket{le=\"1.0\"} 1\n"
            "c_seconds_bucket{le=\"+Inf\"} 1\n"
            "c_seconds_sum 0.7\nc_seconds_count 1\n"
            "# HELP plain No suffix.\n# TYPE plain unknown\nplain 1\n"
            "# EOF\n");
}

TEST(Metrics, SayWhichFormatTheyAreIn) {
  EXPECT_EQ(content_type(Exposition::Text), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(Exposition::OpenMetrics),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

// Some readers take a NUL for the end of the document.
TEST(Metrics, ShowNoControlCharacters) {
  Metrics metrics;
  metrics.gauge("a", std::string("a\0b\r\x7f", 5), {"l"}).with({"x\ty"})->set(1);

  EXPECT_EQ(metrics.render(), "# HELP a a b  \n# TYPE a gauge\na{l=\"x y\"} 1\n");
}

TEST(Metrics, KeepFamiliesApartWhoseSamplesWouldBeMistaken) {
  Metrics metrics;
  static_cast<void>(metrics.histogram("a", ""));
  static_cast<void>(metrics.counter("b_total", ""));

  for (const char* name : {"a_bucket", "a_sum", "a_count", "a_created", "b", "b_created"}) {
    EXPECT_EQ(metrics.add_gauge({name, "", {}, {}}).status().code(), StatusCode::AlreadyExists)
        << name;
  }
  EXPECT_FALSE(metrics.add_histogram({"b", "", {}, {1}}).is_ok());
  EXPECT_TRUE(metrics.add_gauge({"a_counts", "", {}, {}}).is_ok());
}

TEST(Metrics, GiveAFamilyToItsOwnerAlone) {
  Metrics metrics;
  MetricShape shape{"a", "", {"l"}, {}};
  shape.owner = "one";
  EXPECT_TRUE(metrics.add_gauge(shape).is_ok());
  EXPECT_TRUE(metrics.add_gauge(shape).is_ok());

  shape.owner = "other";

  EXPECT_EQ(metrics.add_gauge(shape).status().code(), StatusCode::AlreadyExists);
}

TEST(SeriesTable, LooksEachSeriesUpOnce) {
  Metrics metrics;
  SeriesTable<Counter, 2> table(metrics.counter("a_total", "", {"l"}));
  int lookups = 0;
  const auto values = [&lookups] {
    ++lookups;
    return LabelValues{"x"};
  };

  table.at(1, values).add();
  table.at(1, values).add();

  EXPECT_EQ(lookups, 1);
  EXPECT_NE(metrics.render().find("a_total{l=\"x\"} 2\n"), std::string::npos);
}

TEST(Counter, OnlyGrows) {
  Counter counter;

  counter.add(1);
  counter.add(-5);
  counter.add(std::numeric_limits<double>::quiet_NaN());

  EXPECT_EQ(counter.value(), 1);
}

TEST(Family, ForgetsRemovedSeries) {
  Metrics metrics;
  auto& family = metrics.gauge("a", "", {"l"});
  const auto series = family.with({"x"});

  family.remove({"x"});
  series->set(1);

  EXPECT_EQ(metrics.render(), "# HELP a \n# TYPE a gauge\n");
}

TEST(Family, CountsTooManyCombinationsTogether) {
  Metrics metrics;
  MetricShape shape{"a", "", {"l"}, {}, 2};
  auto family = metrics.add_counter(shape);
  for (int i = 0; i < 100; ++i) {
    (*family)->with({std::to_string(i)})->add();
  }

  EXPECT_EQ((*family)->all().size(), 3U);
  EXPECT_EQ((*family)->with({"overflow"})->value(), 98);
}

TEST(Family, TakesAWrongNumberOfValues) {
  Metrics metrics;

  metrics.counter("a", "", {"l", "m"}).with({"x"})->add();

  EXPECT_NE(metrics.render().find("a{l=\"x\",m=\"\"} 1"), std::string::npos);
}

TEST(Metrics, AsksForFreshValuesBeforeRendering) {
  Metrics metrics;
  const auto gauge = metrics.gauge("a", "").with({});
  metrics.before_render([gauge] { gauge->add(1); });

  static_cast<void>(metrics.render());

  EXPECT_NE(metrics.render().find("a 2\n"), std::string::npos);
}

TEST(Metrics, CountsFromManyThreadsWhileItIsRendered) {
  Metrics metrics;
  auto& family = metrics.counter("a_total", "", {"l"});
  auto& times = metrics.histogram("b_seconds", "");
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back("counter", [&family, &times, i] {
        for (int n = 0; n < 1000; ++n) {
          family.with({std::to_string(i % 2)})->add();
          times.with({})->observe(n / 100.0);
        }
      });
    }
    for (int i = 0; i < 20; ++i) {
      EXPECT_FALSE(metrics.render().empty());
    }
  }

  EXPECT_EQ(family.with({"0"})->value(), 2000);
  EXPECT_NE(metrics.render().find("b_seconds_count 4000\n"), std::string::npos);
}

}  // namespace
}  // namespace vkhost::observe
