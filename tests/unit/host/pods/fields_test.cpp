#include "pods/fields.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using plugin::Finding;
using plugin::FindingKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> pointers(const std::vector<std::string>& paths, const std::string& pod) {
  std::vector<plugin::FieldRule> rules;
  for (const std::string& path : paths) {
    rules.push_back({path, false});
  }
  std::vector<std::string> found;
  for (const Finding& finding : FieldRules(rules).findings(pod)) {
    found.push_back(finding.pointer);
  }
  return found;
}

// ---- Rules

TEST(FieldRules, FindAFieldWhereverItStands) {
  const std::string pod = R"({"metadata":{"labels":{"a/b~c":"x"}},"spec":{"hostNetwork":true,
    "containers":[{"name":"a"},{"name":"b","lifecycle":{"preStop":{}}},
                  {"name":"c","lifecycle":{"postStart":{}},"securityContext":{"runAsUser":0}}]}})";

  EXPECT_THAT(pointers({"spec.containers[].lifecycle", "spec.hostNetwork"}, pod),
              ElementsAre("/spec/hostNetwork", "/spec/containers/1/lifecycle",
                          "/spec/containers/2/lifecycle"));
  EXPECT_THAT(pointers({"spec.containers[].securityContext.runAsUser"}, pod),
              ElementsAre("/spec/containers/2/securityContext/runAsUser"));
  EXPECT_THAT(pointers({"spec.containers[]"}, pod), SizeIs(3));
  EXPECT_THAT(pointers({"spec.initContainers[].lifecycle", "spec.containers.lifecycle",
                        "spec.hostNetwork[]", "status.phase"},
                       pod),
              IsEmpty());
}

TEST(FieldRules, SayWhatBecomesOfTheField) {
  const auto found = FieldRules({{"spec.hostPID", true}, {"spec.hostIPC", false}})
                         .findings(R"({"spec":{"hostIPC":true,"hostPID":true}})");

  EXPECT_THAT(
      found,
      ElementsAre(Finding{FindingKind::Ignored, "/spec/hostIPC", "the provider ignores it"},
                  Finding{FindingKind::Refused, "/spec/hostPID", "the provider refuses it"}));
}

struct Value {
  const char* path;
  const char* pod;
  bool counts;
};

class FieldValue : public ::testing::TestWithParam<Value> {};

TEST_P(FieldValue, CountsWhereSomebodySetIt) {
  EXPECT_THAT(pointers({GetParam().path}, GetParam().pod), SizeIs(GetParam().counts ? 1 : 0))
      << GetParam().pod;
}

INSTANTIATE_TEST_SUITE_P(
    Defaults,
    FieldValue,
    ::testing::Values(
        Value{"spec.securityContext", R"({"spec":{"securityContext":{}}})", false},
        Value{"spec.securityContext", R"({"spec":{"securityContext":{ "runAsUser":0}}})", true},
        Value{"spec.hostAliases", R"({"spec":{"hostAliases":[ ]}})", false},
        Value{"spec.hostname", R"({"spec":{"hostname":""}})", false},
        Value{"spec.hostname", R"({"spec":{"hostname":null}})", false},
        Value{"spec.hostNetwork", R"({"spec":{"hostNetwork":false}})", false},
        Value{"spec.enableServiceLinks", R"({"spec":{"enableServiceLinks":true}})", false},
        Value{"spec.enableServiceLinks", R"({"spec":{"enableServiceLinks":false}})", true},
        Value{"spec.dnsPolicy", R"({"spec":{"dnsPolicy":"ClusterFirst"}})", false},
        Value{"spec.dnsPolicy", R"({"spec":{"dnsPolicy":"None"}})", true},
        Value{"spec.schedulerName", R"({"spec":{"schedulerName":"default-scheduler"}})", false},
        Value{"spec.terminationGracePeriodSeconds",
              R"({"spec":{"terminationGracePeriodSeconds":30}})", false},
        Value{"spec.terminationGracePeriodSeconds",
              R"({"spec":{"terminationGracePeriodSeconds":0}})", true},
        Value{"spec.tolerations",
              R"({"spec":{"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":)"
              R"("Exists","effect":"NoExecute","tolerationSeconds":300},)"
              R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":)"
              R"("NoExecute","tolerationSeconds":300}]}})",
              false},
        Value{"spec.tolerations", R"({"spec":{"tolerations":[{"operator":"Exists"}]}})", true},
        Value{"spec.containers[].imagePullPolicy",
              R"({"spec":{"containers":[{"image":"a.b:5000/x:1","imagePullPolicy":"Always"}]}})",
              true},
        Value{"spec.containers[].imagePullPolicy",
              R"({"spec":{"containers":[{"image":"a.b:5000/x","imagePullPolicy":"Always"}]}})",
              false},
        Value{"spec.containers[].imagePullPolicy",
              R"({"spec":{"containers":[{"image":"x:latest","imagePullPolicy":"Always"}]}})",
              false},
        Value{"spec.containers[].imagePullPolicy",
              R"({"spec":{"containers":[{"image":"x:1","imagePullPolicy":"IfNotPresent"}]}})",
              false},
        Value{"spec.containers[].terminationMessagePath",
              R"({"spec":{"containers":[{"terminationMessagePath":"/dev/termination-log"}]}})",
              false},
        Value{"spec.volumes[].projected",
              R"({"spec":{"volumes":[{"name":"kube-api-access-x7k2p","projected":{"a":1}}]}})",
              false},
        Value{"spec.containers[].volumeMounts[]",
              R"({"spec":{"containers":[{"volumeMounts":[{"name":"kube-api-access-x7k2p"},)"
              R"({"name":"data"}]}]}})",
              true}));

TEST(FieldRules, SurviveDocumentsOfAnyForm) {
  for (const char* pod : {"", "[]", "7", "{", R"({"spec":7})", R"({"spec":{"containers":{}}})",
                          R"({"spec":{"containers":[7,[],null]}})", R"({"spec":{"containers":[)"}) {
    EXPECT_THAT(pointers({"spec.containers[].lifecycle", "spec.containers[].a.b.c"}, pod),
                IsEmpty())
        << pod;
  }
  EXPECT_THAT(pointers({}, R"({"spec":{"a":1}})"), IsEmpty());
}

TEST(FieldRules, FindNoMoreThanAnybodyReads) {
  std::string pod = R"({"spec":{"containers":[{"lifecycle":1})";
  for (int i = 0; i < 5000; ++i) {
    pod += R"(,{"lifecycle":1})";
  }

  EXPECT_THAT(pointers({"spec.containers[].lifecycle"}, pod + "]}}"), SizeIs(256));
}

// ---- What follows

TEST(Findings, AreJoinedSoThatEachFieldStandsOnce) {
  const std::vector<Finding> told = {{FindingKind::Changed, "/spec/a", "rounded"},
                                     {FindingKind::Ignored, "/spec/b", "in other words"},
                                     {FindingKind::Changed, "", "as a whole"},
                                     {FindingKind::Changed, "", "and once more"}};
  const std::vector<Finding> by_rule = {{FindingKind::Refused, "/spec/a", "by rule"},
                                        {FindingKind::Ignored, "/spec/b", "by rule"},
                                        {FindingKind::Ignored, "/spec/c", "by rule"}};

  EXPECT_THAT(joined_findings(told, by_rule),
              ElementsAre(Finding{FindingKind::Refused, "/spec/a", "by rule"},
                          Finding{FindingKind::Ignored, "/spec/b", "in other words"},
                          Finding{FindingKind::Changed, "", "as a whole"},
                          Finding{FindingKind::Changed, "", "and once more"},
                          Finding{FindingKind::Ignored, "/spec/c", "by rule"}));
}

TEST(Findings, AreToldAsFarAsThereIsRoom) {
  std::vector<Finding> findings = {{FindingKind::Ignored, "/spec/a", "no"},
                                   {FindingKind::Ignored, "", "not at all"}};
  EXPECT_EQ(findings_text(findings, 1000), "/spec/a: no; the pod: not at all");

  for (int i = 0; i < 100; ++i) {
    findings.push_back({FindingKind::Ignored, "/spec/" + std::to_string(i), std::string(50, 'x')});
  }
  const std::string cut = findings_text(findings, 200);
  EXPECT_LE(cut.size(), 200U);
  EXPECT_THAT(cut, ::testing::EndsWith(" more"));
  const std::string first = findings_text(
      {{FindingKind::Ignored, "/a", std::string(70, 'x') + "\u00fc\u00fc\u00fc"}}, 100);
  EXPECT_EQ(first, "/a: " + std::string(70, 'x') + "\u00fc");
}

TEST(Findings, RejectAPodForWhatIsRefusedOrByPolicyForWhatIsIgnored) {
  const Finding changed{FindingKind::Changed, "/spec/a", "rounded"};
  const Finding ignored{FindingKind::Ignored, "/spec/b", "not here"};
  const Finding refused{FindingKind::Refused, "/spec/c", "never"};

  EXPECT_EQ(unsupported_fields({changed, ignored}, false), std::nullopt);
  EXPECT_EQ(unsupported_fields({changed}, true), std::nullopt);
  EXPECT_EQ(unsupported_fields({changed, ignored}, true),
            (Rejection{"UnsupportedFields", "/spec/b: not here"}));
  EXPECT_EQ(unsupported_fields({changed, ignored, refused}, false),
            (Rejection{"UnsupportedFields", "/spec/c: never"}));
}

TEST(Findings, MakeACondition) {
  const HostCondition ignored = fields_condition({{FindingKind::Changed, "/spec/a", "rounded"},
                                                  {FindingKind::Ignored, "/spec/b", "not here"}});
  EXPECT_EQ(ignored.type, "vkhost.io/FieldsHonoured");
  EXPECT_FALSE(ignored.is_true);
  EXPECT_EQ(ignored.reason, "FieldsIgnored");
  EXPECT_EQ(ignored.message, "/spec/a: rounded; /spec/b: not here");

  EXPECT_EQ(fields_condition({{FindingKind::Changed, "/spec/a", "rounded"}}).reason,
            "FieldsChanged");
}

}  // namespace
}  // namespace vkhost::pods
