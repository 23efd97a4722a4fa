#include "observe/catalogue.hpp"

#include "support/exposition.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace vkhost::observe {
namespace {

using ::testing::HasSubstr;
using vkhost::testing::Families;
using vkhost::testing::parse_exposition;

std::set<std::string> names_in_catalogue() {
  std::set<std::string> names;
  for (const MetricText* metric : catalogue()) {
    names.emplace(metric->name);
  }
  return names;
}

TEST(Catalogue, IsWhatARegistryShowsThatHasCountedNothing) {
  Metrics metrics;

  add_catalogue(metrics);

  std::set<std::string> shown;
  for (const auto& [name, family] : parse_exposition(metrics.render())) {
    shown.insert(name);
  }
  EXPECT_EQ(shown, names_in_catalogue());
  EXPECT_NO_THROW(static_cast<void>(
      parse_exposition(metrics.render(Exposition::OpenMetrics), Exposition::OpenMetrics)));
}

TEST(Catalogue, NamesEachMetricOnceAndByTheRules) {
  Metrics metrics;
  add_catalogue(metrics);
  const Families families = parse_exposition(metrics.render());

  EXPECT_EQ(names_in_catalogue().size(), catalogue().size());
  for (const MetricText* metric : catalogue()) {
    const std::string name(metric->name);
    const std::string& type = families.at(name).type;
    EXPECT_TRUE(name.starts_with("vkhost_")) << name;
    EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
    EXPECT_EQ(name.ends_with("_seconds"), type == "histogram") << name;
    EXPECT_TRUE(metric->help.ends_with('.')) << name;
  }
}

// A pod in a label would be a series for every pod that ever was.
TEST(Catalogue, HasNoLabelForAPod) {
  for (const MetricText* metric : catalogue()) {
    for (const std::string& label : metric->label_names()) {
      EXPECT_TRUE(label != "pod" && label != "uid" && label != "namespace" && label != "container")
          << metric->name;
    }
  }
}

TEST(Catalogue, KeepsItsNamesFromOthers) {
  Metrics metrics;
  add_catalogue(metrics);
  MetricShape shape;
  shape.name = kPods.name;
  shape.labels = kPods.label_names();
  shape.owner = "somebody";

  const auto taken = metrics.add_gauge(shape);

  EXPECT_EQ(taken.status().code(), StatusCode::AlreadyExists);
  EXPECT_THAT(taken.status().message(), HasSubstr("somebody else"));
}

TEST(Catalogue, GivesTheSameFamilyToAllThatAskForIt) {
  Metrics metrics;

  family(metrics, kPodRetries).with({"UNAVAILABLE"})->add();
  family(metrics, kPodRetries).with({"UNAVAILABLE"})->add();

  EXPECT_THAT(metrics.render(), HasSubstr("vkhost_pod_retries_total{code=\"UNAVAILABLE\"} 2\n"));
}

}  // namespace
}  // namespace vkhost::observe
