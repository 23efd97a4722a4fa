#include "plugin/sinks.hpp"

#include "plugin/abi_read.hpp"

#include <gmock/gmock.h>

namespace vkhost::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

vkp_code put(Sink& sink, std::string_view text) { return sink.put_text(text.data(), text.size()); }

TEST(TextSink, KeepsTheLastText) {
  TextSink sink(10);

  EXPECT_EQ(put(sink, "first"), VKP_OK);
  EXPECT_EQ(put(sink, "second"), VKP_OK);

  EXPECT_EQ(sink.text(), "second");
  EXPECT_TRUE(sink.refusal().is_ok());
}

TEST(TextSink, RefusesWhatIsTooLongOrNotUtf8) {
  TextSink sink(10);
  put(sink, "good");

  EXPECT_EQ(put(sink, "much too long"), VKP_INVALID_ARGUMENT);
  EXPECT_THAT(sink.refusal().message(), HasSubstr("13 bytes, the limit is 10"));
  EXPECT_EQ(put(sink, "\xff"), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_text(nullptr, 3), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.text(), "good");

  EXPECT_EQ(put(sink, "better"), VKP_OK);
  EXPECT_TRUE(sink.refusal().is_ok());
}

TEST(TextSink, TakesNothingAfterTheEnd) {
  TextSink sink(10);
  put(sink, "in time");
  sink.close();

  EXPECT_EQ(put(sink, "late"), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.text(), "in time");
  EXPECT_TRUE(sink.refusal().is_ok());
}

TEST(Sink, RefusesWhatItIsNotFor) {
  TextSink sink(10);

  EXPECT_EQ(sink.put_problem(nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_verdict(nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_update(nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_listed(nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_finding(nullptr), VKP_INVALID_ARGUMENT);
  sink.complete();
}

vkp_code put_problem(Sink& sink, const char* pointer, const char* text, std::int32_t severity) {
  const vkp_problem problem{sizeof(problem), as_text(pointer), as_text(text), severity, 0};
  return sink.put_problem(&problem);
}

TEST(ProblemSink, ShowsAlsoWhatIsToldBadly) {
  ProblemSink sink;

  EXPECT_EQ(put_problem(sink, "/a~1b/0", "not a region", VKP_PROBLEM_WARNING), VKP_OK);
  EXPECT_EQ(put_problem(sink, "no pointer", "wrong", 99), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(put_problem(sink, "/a~2", "w\xffong", 0), VKP_INVALID_ARGUMENT);

  const auto problems = sink.problems();
  ASSERT_THAT(problems, SizeIs(3));
  EXPECT_TRUE(problems[0].is_warning);
  EXPECT_EQ(problems[0].pointer, "/a~1b/0");
  EXPECT_FALSE(problems[1].is_warning);
  EXPECT_EQ(problems[1].pointer, "");
  EXPECT_EQ(problems[2].text, "w\xEF\xBF\xBDong");
}

TEST(FindingSink, ShowsAlsoWhatIsToldBadly) {
  FindingSink sink;
  const auto put_finding = [&](std::string_view pointer, std::string_view text, std::int32_t kind) {
    const vkp_finding finding{sizeof(finding), as_text(pointer), as_text(text), kind, 0};
    return sink.put_finding(&finding);
  };

  EXPECT_EQ(put_finding("/spec/hostNetwork", "there is none", VKP_FINDING_REFUSED), VKP_OK);
  EXPECT_EQ(put_finding("/spec/x", "a later kind", 77), VKP_OK);
  EXPECT_EQ(put_finding("spec", "no pointer", VKP_FINDING_CHANGED), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_finding(nullptr), VKP_OK);  // of the pod as a whole, without a word
  sink.close();
  EXPECT_EQ(put_finding("/spec/late", "", VKP_FINDING_IGNORED), VKP_INVALID_ARGUMENT);

  EXPECT_THAT(sink.findings(),
              ElementsAre(Finding{FindingKind::Refused, "/spec/hostNetwork", "there is none"},
                          Finding{FindingKind::Ignored, "/spec/x", "a later kind"},
                          Finding{FindingKind::Changed, "", "no pointer"}, Finding{}));
}

TEST(RecoverSink, AnswersUnknownForPodsWithoutAVerdict) {
  const std::vector<RecoverPod> batch = {{{"ns", "a", "uid-a", ""}, ""},
                                         {{"ns", "b", "uid-b", ""}, ""},
                                         {{"ns", "c", "uid-c", ""}, ""}};
  RecoverSink sink(batch);
  const auto answer = [&](const char* uid, std::int32_t verdict) {
    const vkp_recovered_pod pod{sizeof(pod), as_text(uid), verdict, 0};
    return sink.put_verdict(&pod);
  };

  EXPECT_EQ(answer("uid-b", VKP_RECOVER_ATTACHED), VKP_OK);
  EXPECT_EQ(answer("uid-c", 99), VKP_OK);
  EXPECT_EQ(answer("uid-x", VKP_RECOVER_ABSENT), VKP_NOT_FOUND);

  EXPECT_THAT(sink.verdicts(), ElementsAre(RecoverVerdict::Unknown, RecoverVerdict::Attached,
                                           RecoverVerdict::Unknown));
}

TEST(UpdateSink, HasOneAnswerForEachBit) {
  UpdateSink sink(kChangedImage | kChangedMetadata | kChangedTokens);
  const auto answer = [&](std::uint64_t changed, std::int32_t outcome) {
    const vkp_update_answer from{sizeof(from), changed, as_text("why"), outcome, 0};
    return sink.put_update(&from);
  };

  EXPECT_EQ(answer(kChangedImage | kChangedMetadata, VKP_UPDATE_APPLIED), VKP_OK);
  EXPECT_EQ(answer(kChangedImage, 99), VKP_OK);
  EXPECT_EQ(answer(kChangedFiles, VKP_UPDATE_APPLIED), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(answer(0, VKP_UPDATE_APPLIED), VKP_INVALID_ARGUMENT);

  const auto answers = sink.answers();
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_EQ(answers[0].changed, kChangedMetadata);
  EXPECT_EQ(answers[0].outcome, UpdateOutcome::Applied);
  EXPECT_EQ(answers[1].changed, kChangedImage);
  EXPECT_EQ(answers[1].outcome, UpdateOutcome::Deferred);
  EXPECT_EQ(answers[2].changed, kChangedTokens);
  EXPECT_EQ(answers[2].outcome, UpdateOutcome::Unsupported);
}

struct Item {
  std::string uid = "uid-1";
  std::string name = "web";
  std::string status = R"({"phase":"Running"})";
  std::int32_t marks = VKP_MARKS_OURS;
  std::int32_t verdict = VKP_LISTED_PRESENT;
};

vkp_code put(ListSink& sink, const Item& item) {
  vkp_pod_ref ref{};
  ref.size = sizeof(ref);
  ref.uid = as_text(item.uid);
  ref.name = as_text(item.name);
  const vkp_listed_pod pod{sizeof(pod), &ref, 3, as_text(item.status), item.marks, item.verdict};
  return sink.put_listed(&pod);
}

TEST(ListSink, CollectsItemsAndSaysWhetherItIsComplete) {
  ListSink sink({});
  EXPECT_EQ(put(sink, {}), VKP_OK);
  sink.complete();

  const PodList list = sink.take();

  ASSERT_THAT(list.pods, SizeIs(1));
  EXPECT_TRUE(list.complete);
  EXPECT_EQ(list.pods[0].ref.uid, "uid-1");
  EXPECT_EQ(list.pods[0].seq, 3U);
  EXPECT_EQ(list.pods[0].verdict, ListVerdict::Present);
}

TEST(ListSink, IsIncompleteUnlessTheProviderSaysSo) {
  ListSink sink({});
  put(sink, {});

  EXPECT_FALSE(sink.take().complete);
}

TEST(ListSink, KeepsAPodWhoseStatusIsNonsenseAsPresent) {
  ListSink sink({});

  EXPECT_EQ(put(sink, {.status = "{"}), VKP_INVALID_ARGUMENT);
  sink.complete();

  const PodList list = sink.take();
  EXPECT_TRUE(list.complete);
  ASSERT_THAT(list.pods, SizeIs(1));
  EXPECT_EQ(list.pods[0].verdict, ListVerdict::PresentStatusUnknown);
  EXPECT_THAT(list.pods[0].status_json, IsEmpty());
  EXPECT_THAT(sink.fault(), HasSubstr("the status of pod uid-1"));
}

TEST(ListSink, IsNotCompleteWhenAnItemCouldNotBeToldApart) {
  ListSink sink({});
  put(sink, {});

  EXPECT_EQ(put(sink, {.uid = ""}), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(sink.put_listed(nullptr), VKP_INVALID_ARGUMENT);
  sink.complete();

  EXPECT_FALSE(sink.take().complete);
}

TEST(ListSink, TakesALegacyWorkloadWithoutUid) {
  ListSink sink({});

  EXPECT_EQ(put(sink, {.uid = "", .marks = VKP_MARKS_LEGACY}), VKP_OK);

  EXPECT_EQ(sink.take().pods.at(0).marks, Marks::Legacy);
}

TEST(ListSink, TakesUnknownNumbersAsTheHeaderSays) {
  ListSink sink({});
  EXPECT_EQ(put(sink, {.marks = 99, .verdict = -5}), VKP_OK);

  const PodList list = sink.take();

  EXPECT_EQ(list.pods.at(0).marks, Marks::Legacy);
  EXPECT_EQ(list.pods.at(0).verdict, ListVerdict::Unknown);
}

TEST(ListSink, DropsWhatWasNotAskedFor) {
  ListSink sink({"uid-2"});

  EXPECT_EQ(put(sink, {}), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(put(sink, {.uid = "uid-2"}), VKP_OK);
  sink.complete();

  const PodList list = sink.take();
  EXPECT_TRUE(list.complete);
  EXPECT_THAT(list.pods, SizeIs(1));
}

}  // namespace
}  // namespace vkhost::plugin
