// The suite itself: plugins that are known to be wrong are found out, by the case that is about it.
#include "conformance/cases.hpp"
#include "support/places.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::conformance {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> problems_of(const char* fixture, std::string_view name) {
  const vkhost::testing::TestFolder state;
  Subject subject{fixture, vkhost::testing::fixture_path(fixture), "{}", false};
  subject.patience = std::chrono::milliseconds(50);
  Bench bench(subject, state.path());
  const std::vector<Case> cases = all_cases();
  const auto found =
      std::find_if(cases.begin(), cases.end(), [&](const Case& at) { return at.name == name; });
  EXPECT_NE(found, cases.end()) << "no case " << name;
  found->run(bench);
  bench.stop();
  bench.destroy();
  return bench.problems();
}

TEST(ConformanceSuite, FindsOutWhoForgetsPods) {
  // The fixture accepts everything, does nothing, and lists nothing.
  constexpr const char* kForgetful = "constructor_runs";

  EXPECT_THAT(problems_of(kForgetful, "CreatesAPod"), Contains(HasSubstr("is not in the list")));
  EXPECT_THAT(problems_of(kForgetful, "ListsEveryPodOnce"), Contains(HasSubstr("has 0 pods")));
  EXPECT_THAT(problems_of(kForgetful, "AdoptsInANewInstance"),
              Contains(HasSubstr("is not in the list")));
  EXPECT_THAT(problems_of(kForgetful, "AdoptsAfterACrashAtEachStepOfCreate"),
              Contains(HasSubstr("is not in the list")));
  EXPECT_THAT(problems_of(kForgetful, "ReportsAStatus"), Contains(HasSubstr("phase Running")));
  EXPECT_THAT(problems_of(kForgetful, "DescribesANode"), Contains(HasSubstr("capacity.memory")));
  EXPECT_THAT(problems_of(kForgetful, "ExplainsItsRefusals"),
              Contains(HasSubstr("without a document")));
}

TEST(ConformanceSuite, CrashesBeforeAndAfterEachWordToTheHost) {
  const vkhost::testing::TestFolder state;
  Bench bench({"minimal", vkhost::testing::fixture_path("minimal")}, state.path());
  Pod pod = bench.pod("web");

  // The fixture pushes one status in create_pod.
  EXPECT_TRUE(bench.crash_in_create(pod, 0));
  EXPECT_TRUE(bench.crash_in_create(pod, 1));
  EXPECT_FALSE(bench.crash_in_create(pod, 2));
  EXPECT_THAT(bench.problems(), IsEmpty());
}

TEST(ConformanceSuite, FindsOutWhoAnswersWithNothing) {
  EXPECT_THAT(problems_of("null_results", "DescribesANode"),
              Contains(HasSubstr("returned OK without its result")));
  EXPECT_THAT(problems_of("null_results", "ListsNothingAtFirst"),
              Contains(HasSubstr("never said that it was complete")));
}

TEST(ConformanceSuite, FindsOutWhoThrows) {
  EXPECT_THAT(problems_of("throws", "CreatesAPod"), Contains(HasSubstr("no more turbo")));
  EXPECT_THAT(problems_of("throws", "DeletesWhatIsNotThere"), Contains(HasSubstr("threw")));
}

TEST(ConformanceSuite, FindsOutWhoPushesAfterStop) {
  EXPECT_THAT(problems_of("calls_back_after_stop", "KeepsQuietAfterStop"),
              Contains(HasSubstr("called the host for more than a log entry")));
}

TEST(ConformanceSuite, FindsOutWhoMeasuresWhatIsNotTheirs) {
  EXPECT_THAT(problems_of("foreign_metrics", "ShowsItsMetrics"),
              Contains(HasSubstr("metric_prefixes")));
  EXPECT_THAT(problems_of("metrics_of_pods", "ShowsItsMetrics"),
              Contains(HasSubstr("a metric names the pod")));
}

TEST(ConformanceSuite, FindsOutWhoLies) {
  EXPECT_THAT(problems_of("returns_nonsense", "AnswersPing"), Contains(HasSubstr("ping")));
  EXPECT_THAT(problems_of("returns_nonsense", "CreatesAPod"), Contains(HasSubstr("not UTF-8")));
}

TEST(ConformanceSuite, SaysWhyAPluginCannotBeLoaded) {
  EXPECT_THAT(problems_of("wrong_major", "AnswersPing"),
              Contains(HasSubstr("is built for provider ABI")));
}

TEST(ConformanceSuite, NamesEachCaseOnceAndSaysWhatItPromises) {
  std::vector<std::string_view> names;
  for (const Case& at : all_cases()) {
    EXPECT_THAT(names, ::testing::Not(Contains(at.name)));
    EXPECT_THAT(std::string(at.promise), ::testing::Not(IsEmpty()));
    names.push_back(at.name);
  }
}

}  // namespace
}  // namespace vkhost::conformance
