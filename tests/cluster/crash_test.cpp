// A daemon that is killed between any two steps that others can see, and another one that goes on: no
// workload is made twice, lost or left behind, and no pod loses its start or its handle.
#include "cluster/crash_stories.hpp"
#include "crashing/failure_points.hpp"
#include "support/json_pointer.hpp"
#include "support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

struct CrashCase {
  const Story* story = nullptr;
  std::string_view point = {};
};

std::ostream& operator<<(std::ostream& out, const CrashCase& each) {
  return out << each.story->name << ", " << each.point;
}

std::vector<CrashCase> crash_cases() {
  std::vector<CrashCase> cases;
  for (const Story& story : crash_stories()) {
    for (const std::string_view point : story.points) {
      cases.push_back({&story, point});
    }
  }
  return cases;
}

class Crash : public ::testing::TestWithParam<CrashCase> {
 protected:
  static constexpr const char* kFile = "point";

  [[nodiscard]] NodeOptions options() const {
    NodeOptions options;
    options.daemon.program = crashing_daemon_path();
    options.daemon.environment = {{crashing::kFileVariable, folder_.path() / kFile}};
    options.daemon.provider_settings = story_.mock;
    options.daemon.more = story_.more;
    return options;
  }
  void set_point() const { static_cast<void>(folder_.write(kFile, GetParam().point)); }

  void bring_about(NodeUnderTest& node) const {
    story_.prepare(node);
    switch (story_.crashes) {
      case Crashes::WhenProvoked:
        set_point();
        return story_.provoke(node);
      case Crashes::AtFirstStart:
        return;
      case Crashes::AtSecondStart:
        node.daemon().kill();
        story_.provoke(node);
        set_point();
        return node.daemon().start();
    }
  }

  static void start_product(NodeUnderTest& node) {
    DaemonSettings settings = node.daemon_settings();
    settings.program.clear();
    settings.environment.clear();
    node.daemon().configure(std::move(settings));
    node.daemon().start();
  }

  const Story& story_ = *GetParam().story;
  const TestFolder folder_;
};

// What the back end holds has its pod, and what runs has its workload.
bool agree(const PodPages& pods, const std::set<std::string>& living) {
  const auto has_pod = [&](const std::string& uid) {
    const auto page = pods.find(uid);
    return page != pods.end() && !page->second.gone;
  };
  const auto has_workload = [&](const auto& page) {
    return page.second.gone || page.second.last().phase != "Running" || living.contains(page.first);
  };
  return std::all_of(living.begin(), living.end(), has_pod) &&
         std::all_of(pods.begin(), pods.end(), has_workload);
}

std::string annotation(const std::string& pod, const std::string& name) {
  return json_at(pod, "/metadata/annotations/vkhost.io~1" + name);
}

std::set<std::string> handles_of(const PodHistory& page) {
  std::set<std::string> handles;
  for (const PodSight& sight : page.sights) {
    if (const std::string handle = annotation(sight.json, "handle"); !handle.empty()) {
      handles.insert(handle);
    }
  }
  return handles;
}

void expect_nothing_lost_leaked_or_doubled(NodeUnderTest& node, const Story& story) {
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return agree(node.book().pages(), journal.living()); },
      kLong))
      << node.book().summary();
  auto creations = node.journal().creations();
  for (const auto& [uid, page] : node.book().pages()) {
    const bool is_bystander = page.name != "web";
    EXPECT_EQ(creations[uid], is_bystander ? 1 : story.creations) << page.name;
    EXPECT_LE(page.start_times().size(), 1U) << page.name;
    if (!page.gone && page.last().phase == "Running") {
      node.cluster().wait_for(
          node.pod_path(page.name),
          [&, &id = uid](const std::string& pod) { return annotation(pod, "handle-uid") == id; },
          kLong);
      EXPECT_LE(handles_of(node.book().page(page.name)).size(), story.handles);
    }
  }
  EXPECT_EQ(creations.size(), node.book().pages().size()) << "a workload was made of no pod";
}

TEST_P(Crash, LosesLeaksAndDoublesNothing) {
  if (story_.crashes == Crashes::AtFirstStart) {
    set_point();
  }
  NodeUnderTest node(options(), story_.crashes != Crashes::AtFirstStart);
  bring_about(node);
  ASSERT_EQ(node.daemon().wait(kLong), 128 + SIGKILL) << "the failure point was not reached";
  ASSERT_THAT(node.daemon().log(),
              HasSubstr(std::string(crashing::kLastWords) + std::string(GetParam().point)));

  start_product(node);

  node.wait_until_ready();
  story_.expect(node);
  expect_nothing_lost_leaked_or_doubled(node, story_);
}

INSTANTIATE_TEST_SUITE_P(When, Crash, ::testing::ValuesIn(crash_cases()), [](const auto& each) {
  return std::string(each.param.story->name) + "_" + std::string(each.param.point);
});

TEST(FailurePoints, HaveACaseEach) {
  std::set<std::string_view> with_case;
  for (const CrashCase& each : crash_cases()) {
    with_case.insert(each.point);
  }

  EXPECT_EQ(with_case, std::set<std::string_view>(crashing::kFailurePoints.begin(),
                                                  crashing::kFailurePoints.end()));
}

// Each file is a hundred megabytes, too much for std::string::find.
bool contains(std::string_view text, std::string_view word) {
  return ::memmem(text.data(), text.size(), word.data(), word.size()) != nullptr;
}

TEST(FailurePoints, LeaveNothingInTheProduct) {
  const std::string product = read_file(daemon_path());
  const std::string crashing = read_file(crashing_daemon_path());

  for (const std::string_view point : crashing::kFailurePoints) {
    EXPECT_FALSE(contains(product, point)) << point;
    EXPECT_TRUE(contains(crashing, point)) << point;
  }
}

}  // namespace
}  // namespace vkhost::testing
