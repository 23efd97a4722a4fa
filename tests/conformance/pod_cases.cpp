// Cases about the life of a pod: create, update, delete, cancel.
#include "base/thread.hpp"
#include "conformance/cases.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace vkhost::conformance {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

void creates_a_pod(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  if (bench.expect_ok(bench.create_pod(pod), "create_pod")) {
    bench.expect_present(pod, "after create_pod");
  }
}

void creates_once_however_often_asked(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  const std::string handle = pod.ref.handle;
  bench.expect_ok(bench.create_pod(pod, plugin::CreateReason::Retry), "create_pod again");
  pod.ref.handle.clear();  // the host may have crashed before it had the handle
  bench.expect_ok(bench.create_pod(pod, plugin::CreateReason::Retry),
                  "create_pod again, without the handle");
  bench.expect(pod.ref.handle.empty() || pod.ref.handle == handle,
               "create_pod for work in hand gave another handle: '" + handle + "', then '" +
                   pod.ref.handle + "'");
  bench.expect_present(pod, "after three create_pod with one UID");
}

void creates_pods_in_parallel(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  std::vector<Pod> pods;
  for (int at = 0; at < 16; ++at) {
    pods.push_back(bench.pod("web-" + std::to_string(at)));
  }
  std::vector<Status> outcomes(pods.size());
  const std::size_t parallel =
      std::min(pods.size(), bench.provider().capabilities().max_parallel_calls);
  for (std::size_t from = 0; from < pods.size(); from += parallel) {
    std::vector<Thread> callers;
    for (std::size_t at = from; at < std::min(pods.size(), from + parallel); ++at) {
      callers.emplace_back("caller", [&, at] { outcomes[at] = bench.create_pod(pods[at]); });
    }
  }
  for (std::size_t at = 0; at < pods.size(); ++at) {
    bench.expect_ok(outcomes[at], "create_pod " + pods[at].ref.name);
    bench.expect_present(pods[at], "after creates in parallel");
  }
}

void tells_pods_of_one_name_apart(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod old_one = bench.pod("web");
  Pod new_one = bench.pod("web");
  bench.expect_ok(bench.create_pod(old_one), "create_pod");
  // The host deletes the old one first; what a provider does with both at once is its own affair,
  // as long as it does not take one for the other.
  bench.expect_ok(bench.delete_pod(old_one, std::chrono::milliseconds(0)), "delete_pod");
  bench.expect_gone(old_one, "after delete_pod");
  if (bench.expect_ok(bench.create_pod(new_one), "create_pod with the same name and a new UID")) {
    bench.expect_present(new_one, "after create_pod with the same name and a new UID");
  }
  bench.expect_ok(bench.delete_pod(old_one, std::chrono::milliseconds(0)),
                  "delete_pod of the old UID, again");
  bench.expect_present(new_one, "after delete_pod of the old UID");
}

void reports_a_status(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  std::string status;
  const bool is_running = bench.eventually([&] {
    status = bench.status_of(pod);
    if (status.empty()) {
      return false;
    }
    const auto document = Poco::JSON::Parser().parse(status).extract<Object::Ptr>();
    return document->optValue<std::string>("phase", "") == "Running";
  });
  if (!bench.expect(is_running, "the pod does not come to phase Running; its status: " + status)) {
    return;
  }
  const auto document = Poco::JSON::Parser().parse(status).extract<Object::Ptr>();
  const Array::Ptr containers = document->getArray("containerStatuses");
  if (bench.expect(!containers.isNull() && containers->size() == 1,
                   "containerStatuses does not have one entry for each container: " + status)) {
    const Object::Ptr container = containers->getObject(0);
    bench.expect(container->optValue<std::string>("name", "") == "main",
                 "the container's name is not that of the spec: " + status);
    bench.expect(container->isObject("state"), "the container has no state: " + status);
  }
}

void numbers_its_news(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  bench.expect_present(pod, "after create_pod");
  bench.expect_ok(bench.delete_pod(pod), "delete_pod");
  bench.expect_gone(pod, "after delete_pod");
  bool had_gone = false;
  for (const plugin::PodChange& change : bench.heard().changes(pod.ref.uid)) {
    bench.expect(change.seq > 0, "news with seq 0: numbers begin with 1");
    bench.expect(!had_gone || !change.status_json, "a status was pushed after gone");
    had_gone = had_gone || change.gone;
  }
}

void deletes_a_pod(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  bench.expect_present(pod, "after create_pod");
  bench.expect_ok(bench.delete_pod(pod), "delete_pod");
  bench.expect_gone(pod, "after delete_pod");
}

void deletes_again_with_less_grace(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  bench.expect_ok(bench.delete_pod(pod, std::chrono::hours(1)), "delete_pod with an hour's grace");
  bench.expect_ok(bench.delete_pod(pod, std::chrono::milliseconds(0)), "delete_pod without grace");
  bench.expect_gone(pod, "after delete_pod without grace");
  bench.expect_ok(bench.delete_pod(pod), "delete_pod of what is gone");
}

void deletes_what_is_not_there(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("never-created");
  bench.expect_ok(bench.delete_pod(pod), "delete_pod of a pod that never was");
  pod.json.clear();  // as for an orphan
  bench.expect_ok(bench.delete_pod(pod), "delete_pod of an orphan that never was");
}

void trusts_no_forged_handle(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod victim = bench.pod("victim");
  bench.expect_ok(bench.create_pod(victim), "create_pod");
  bench.expect_present(victim, "after create_pod");
  // A user copied the annotation with the handle to a pod of their own, and deletes that.
  Pod thief = bench.pod("thief");
  thief.ref.handle = victim.ref.handle;
  static_cast<void>(bench.delete_pod(thief, std::chrono::milliseconds(0)));
  bench.expect_present(victim, "after delete_pod of another UID with this pod's handle");
}

void answers_updates(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  const std::uint64_t changed =
      plugin::kChangedMetadata | plugin::kChangedImage | plugin::kChangedTokens;
  const auto answers = bench.provider().update_pod({pod.ref, pod.json, pod.material, changed},
                                                   bench.within(std::chrono::seconds(10)));
  if (bench.expect_ok(answers.status(), "update_pod")) {
    for (const plugin::UpdateAnswer& answer : *answers) {
      const bool is_refused = answer.outcome == plugin::UpdateOutcome::Infeasible;
      bench.expect(!is_refused || !answer.text.empty(), "an infeasible update without a text");
    }
  }
  const Pod unknown = bench.pod("never-created");
  const auto missing =
      bench.provider().update_pod({unknown.ref, unknown.json, unknown.material, changed},
                                  bench.within(std::chrono::seconds(10)));
  bench.expect(
      missing.status().code() == StatusCode::NotFound,
      "update_pod of a pod that never was: NOT_FOUND is due, not " + missing.status().to_string());
}

// A create that is cancelled at an awkward moment tells the truth about what it did.
void tells_the_truth_when_cancelled(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  for (int round = 0; round < 20; ++round) {
    Pod pod = bench.pod("web-" + std::to_string(round));
    CancelSource source;
    plugin::CallOptions options = bench.within(std::chrono::seconds(10));
    options.cancel = source.token();
    plugin::CreateOutcome outcome;
    {
      const Thread canceller("canceller", [&] { source.cancel(); });
      outcome = bench.provider().create_pod({pod.ref, pod.json, pod.material, {}}, options);
    }
    if (outcome.status.is_ok()) {
      bench.expect_present(pod, "after a create_pod that was cancelled and returned OK");
    } else if (outcome.status.effect() == Effect::None) {
      bench.expect(bench.listed(pod).empty(),
                   "a cancelled create_pod says that it had no effect, but the pod is listed");
    }
    bench.expect(outcome.status.reason() != "PluginHung",
                 "a cancelled create_pod did not return within its time");
    bench.expect_ok(bench.delete_pod(pod, std::chrono::milliseconds(0)),
                    "delete_pod after a cancelled create_pod");
    bench.expect_gone(pod, "after a cancelled create_pod and delete_pod");
  }
}

void returns_at_its_deadline(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  const auto outcome = bench.provider().create_pod({pod.ref, pod.json, pod.material, {}},
                                                   bench.within(std::chrono::milliseconds(1)));
  bench.expect(outcome.status.reason() != "PluginHung",
               "create_pod did not return within five seconds after its deadline");
  bench.expect_ok(bench.create_pod(pod, plugin::CreateReason::Retry),
                  "create_pod after one that had met its deadline");
  bench.expect_present(pod, "after a retried create_pod");
}

}  // namespace

std::vector<Case> pod_cases() {
  return {
      {"CreatesAPod", "a pod whose create_pod returned OK is listed as present", creates_a_pod},
      {"CreatesOnceHoweverOftenAsked", "create_pod is idempotent by UID, with and without handle",
       creates_once_however_often_asked},
      {"CreatesPodsInParallel", "different pods may be created in parallel",
       creates_pods_in_parallel},
      {"TellsPodsOfOneNameApart", "the same name with another UID is another pod",
       tells_pods_of_one_name_apart},
      {"ReportsAStatus", "a status has phase, and name and state of each container of the spec",
       reports_a_status},
      {"NumbersItsNews", "news are numbered from 1, and nothing follows gone", numbers_its_news},
      {"DeletesAPod", "what delete_pod accepted is gone in the end", deletes_a_pod},
      {"DeletesAgainWithLessGrace", "delete_pod may come again, with a shorter grace",
       deletes_again_with_less_grace},
      {"DeletesWhatIsNotThere", "deleting what is not there is no error",
       deletes_what_is_not_there},
      {"TrustsNoForgedHandle", "a handle is a hint: UID and owner decide what is deleted",
       trusts_no_forged_handle},
      {"AnswersUpdates", "update_pod answers by bit, and NOT_FOUND for an unknown pod",
       answers_updates},
      {"TellsTheTruthWhenCancelled", "a cancelled create_pod says what became of it",
       tells_the_truth_when_cancelled},
      {"ReturnsAtItsDeadline", "a passed deadline is a cancel, and a retry continues",
       returns_at_its_deadline},
  };
}

}  // namespace vkhost::conformance
