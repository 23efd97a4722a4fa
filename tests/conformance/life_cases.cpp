// Cases about the life of a library and its instances.
#include "conformance/cases.hpp"
#include "support/exposition.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace vkhost::conformance {
namespace {

using Poco::JSON::Object;

void accepts_its_settings(Bench& bench) {
  if (!bench.load()) {
    return;
  }
  const auto problems = bench.library().check_config(bench.settings(), {});
  if (!bench.expect_ok(problems.status(), "check_config")) {
    return;
  }
  for (const plugin::ConfigProblem& problem : *problems) {
    bench.expect(problem.is_warning, "check_config: " + problem.pointer + ": " + problem.text);
  }
}

void describes_a_node(Bench& bench) {
  if (!bench.load() || !bench.create()) {
    return;
  }
  const Result<std::string> node = bench.provider().node("node-1", {});
  if (!bench.expect_ok(node.status(), "node")) {
    return;
  }
  const auto document = Poco::JSON::Parser().parse(*node).extract<Object::Ptr>();
  const Object::Ptr status = document->getObject("status");
  for (const char* list : {"capacity", "allocatable"}) {
    const bool is_there = !status.isNull() && status->isObject(list);
    if (!bench.expect(is_there, std::string("node: status.") + list + " is missing")) {
      continue;
    }
    for (const char* resource : {"cpu", "memory", "pods"}) {
      bench.expect(status->getObject(list)->has(resource),
                   std::string("node: status.") + list + "." + resource + " is missing");
    }
  }
}

void lives_without_a_start(Bench& bench) {
  if (bench.load() && bench.create()) {
    bench.destroy();
    bench.expect(bench.create(), "a second instance cannot be created after the first");
    bench.destroy();
  }
}

void explains_without_a_back_end(Bench& bench) {
  if (!bench.load() || !bench.create()) {
    return;
  }
  const Pod pod = bench.pod("web");
  const auto first = bench.provider().explain(pod.json, bench.within(std::chrono::seconds(5)));
  const auto again = bench.provider().explain(pod.json, bench.within(std::chrono::seconds(5)));
  if (bench.expect_ok(first.status(), "explain before start") &&
      bench.expect_ok(again.status(), "explain once more")) {
    bench.expect(*first == *again, "explain says something else of the same pod");
    for (const plugin::Finding& finding : *first) {
      bench.expect(!finding.text.empty(), "explain: a finding without a text");
      bench.expect(finding.kind != plugin::FindingKind::Refused,
                   "explain refuses a plain pod: " + finding.pointer + ": " + finding.text);
    }
  }
}

void answers_ping(Bench& bench) {
  const auto ping = [&] { return bench.provider().ping(bench.within(std::chrono::seconds(10))); };
  if (bench.load() && bench.create()) {
    bench.expect_ok(ping(), "ping before start");
    if (bench.recover({}) && bench.start()) {
      bench.expect_ok(ping(), "ping");
    }
  }
}

void recovers_in_rounds(Bench& bench) {
  if (!bench.load() || !bench.create()) {
    return;
  }
  const Pod first = bench.pod("first");
  const Pod second = bench.pod("second");
  plugin::Provider& provider = bench.provider();
  // A round that breaks off, and the one that counts.
  bench.expect_ok(provider.recover_pods({{first.ref, first.json}}, false, {}).status(),
                  "recover_pods, first batch");
  const auto one = provider.recover_pods({{first.ref, first.json}}, false, {});
  const auto two = provider.recover_pods({{second.ref, second.json}}, true, {});
  bench.expect(one.is_ok() && one->size() == 1 && two.is_ok() && two->size() == 1,
               "recover_pods does not take two batches, or a round that begins again");
  bench.start();
}

void keeps_quiet_after_stop(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  bench.expect_ok(bench.provider().stop({}), "stop");
  // What comes late comes soon; there is no event for "never".
  bench.heard().wait_for_news(std::chrono::milliseconds(200));
  bench.destroy();
  const auto lines = bench.log().lines();
  bench.expect(std::none_of(lines.begin(), lines.end(),
                            [](const std::string& line) {
                              return line.find("called the host after its instance had stopped") !=
                                     std::string::npos;
                            }),
               "after stop had returned the instance called the host for more than a log entry");
}

void shows_its_metrics(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("seen-in-no-metric");
  static_cast<void>(bench.create_pod(pod));
  static_cast<void>(bench.list());
  static_cast<void>(bench.delete_pod(pod));
  for (const auto exposition : {observe::Exposition::Text, observe::Exposition::OpenMetrics}) {
    const std::string text = bench.metrics().render(exposition);
    try {
      static_cast<void>(vkhost::testing::parse_exposition(text, exposition));
    } catch (const std::runtime_error& error) {
      bench.expect(false, std::string("the metrics cannot be read: ") + error.what());
    }
    bench.expect(
        text.find(pod.ref.name) == std::string::npos && text.find(pod.ref.uid) == std::string::npos,
        "a metric names the pod, so there would be one for each pod that ever was");
  }
  for (const std::string& line : bench.log().lines()) {
    bench.expect(
        line.find("a metric of the plugin was refused") == std::string::npos &&
            line.find("a value for a metric from the plugin was refused") == std::string::npos,
        line);
  }
}

// The whole configuration as it is, so that it may not be refused; before start, beside pods and once more.
void takes_its_own_settings_again(Bench& bench) {
  if (!bench.load() || !bench.create()) {
    return;
  }
  const bool has_extension = bench.library().supports("vkp.reconfigure/1");
  const auto expect_taken = [&](const std::string& when) {
    const Status taken =
        bench.provider().reconfigure(bench.settings(), bench.within(std::chrono::seconds(10)));
    if (has_extension) {
      bench.expect_ok(taken, "reconfigure with the present settings " + when);
    } else {
      bench.expect(taken.code() == StatusCode::Unimplemented,
                   "reconfigure is answered although there is no vkp.reconfigure/1");
    }
  };
  expect_taken("before start");
  if (!bench.recover({}) || !bench.start()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  expect_taken("after start");
  bench.expect_present(pod, "after reconfigure");
}

void refuses_settings_as_a_whole(Bench& bench) {
  if (!bench.begin() || !bench.library().supports("vkp.reconfigure/1")) {
    return;
  }
  const Status refused = bench.provider().reconfigure("[]", bench.within(std::chrono::seconds(10)));
  bench.expect(!refused.is_ok(), "reconfigure takes what is no object");
  bench.expect_ok(bench.provider().ping(bench.within(std::chrono::seconds(10))),
                  "ping after settings that were refused");
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod after settings that were refused");
}

void leaves_pods_alone_at_stop(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  bench.expect_present(pod, "before the stop");
  if (bench.restart({pod})) {
    bench.expect_present(pod, "after stop, destroy and a new instance");
  }
}

void keeps_instances_apart(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  const std::unique_ptr<plugin::Provider> other = bench.another("owner-2");
  if (!bench.expect(other != nullptr, "no second instance beside the first")) {
    return;
  }
  const auto list = other->list_pods({}, bench.within(std::chrono::seconds(10)));
  if (bench.expect_ok(list.status(), "list_pods of the second instance")) {
    for (const plugin::ListedPod& item : list->pods) {
      bench.expect(item.ref.uid != pod.ref.uid || item.marks == plugin::Marks::Legacy,
                   "an instance with another owner key lists the pod as its own");
    }
  }
  bench.expect_ok(other->stop({}), "stop of the second instance");
}

}  // namespace

std::vector<Case> life_cases() {
  return {
      {"AcceptsItsSettings", "check_config finds no error in settings that fit the schema",
       accepts_its_settings},
      {"DescribesANode", "node answers with capacity and allocatable, before start",
       describes_a_node},
      {"LivesWithoutAStart", "destroy may follow create at once, and create again",
       lives_without_a_start},
      {"ExplainsWithoutABackEnd", "explain answers before start, and the same each time",
       explains_without_a_back_end},
      {"AnswersPing", "ping is OK while the back end can be reached, before start too",
       answers_ping},
      {"RecoversInRounds", "recover_pods takes several batches, and a round that begins again",
       recovers_in_rounds},
      {"KeepsQuietAfterStop", "after stop has returned the instance calls nothing but log",
       keeps_quiet_after_stop},
      {"ShowsItsMetrics",
       "its metrics bear the prefixes of its description, can be read, and name no pod",
       shows_its_metrics},
      {"TakesItsOwnSettingsAgain",
       "reconfigure takes the settings that the instance has, before start and beside pods, which "
       "it "
       "leaves alone",
       takes_its_own_settings_again},
      {"RefusesSettingsAsAWhole",
       "reconfigure refuses what is no configuration, and the instance goes on with what it has",
       refuses_settings_as_a_whole},
      {"LeavesPodsAloneAtStop", "stop ends work, never pods", leaves_pods_alone_at_stop},
      {"KeepsInstancesApart", "instances with different owner keys do not own each other's pods",
       keeps_instances_apart},
  };
}

}  // namespace vkhost::conformance
