// Cases about list_pods.
#include "conformance/cases.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace vkhost::conformance {
namespace {

void lists_nothing_at_first(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  if (const auto list = bench.list()) {
    bench.expect(list->pods.empty(), "a new node lists " + std::to_string(list->pods.size()) +
                                         " pods; the state of another run?");
  }
}

void lists_every_pod_once(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  std::set<std::string> created;
  for (int at = 0; at < 8; ++at) {
    Pod pod = bench.pod("web-" + std::to_string(at));
    if (bench.expect_ok(bench.create_pod(pod), "create_pod")) {
      created.insert(pod.ref.uid);
    }
  }
  const auto list = bench.list();
  if (!list) {
    return;
  }
  std::set<std::string> seen;
  for (const plugin::ListedPod& item : list->pods) {
    bench.expect(seen.insert(item.ref.uid).second, "pod " + item.ref.uid + " is listed twice");
    bench.expect(item.marks == plugin::Marks::Ours, "pod " + item.ref.uid + " is not marked ours");
    bench.expect(item.seq > 0, "an item with seq 0: numbers begin with 1");
  }
  bench.expect(seen == created, "the complete list has " + std::to_string(seen.size()) +
                                    " pods, created were " + std::to_string(created.size()));
}

void lists_what_was_asked_for(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod wanted = bench.pod("wanted");
  Pod other = bench.pod("other");
  Pod deleted = bench.pod("deleted");
  for (Pod* pod : {&wanted, &other, &deleted}) {
    bench.expect_ok(bench.create_pod(*pod), "create_pod");
  }
  bench.expect_ok(bench.delete_pod(deleted, std::chrono::milliseconds(0)), "delete_pod");
  bench.expect_gone(deleted, "after delete_pod");
  const auto list = bench.list({wanted.ref.uid, deleted.ref.uid});
  if (!list) {
    return;
  }
  bool has_wanted = false;
  for (const plugin::ListedPod& item : list->pods) {
    has_wanted = has_wanted || item.ref.uid == wanted.ref.uid;
    bench.expect(item.ref.uid != other.ref.uid, "a pod was listed that was not asked for");
    bench.expect(item.ref.uid != deleted.ref.uid || item.verdict == plugin::ListVerdict::Absent ||
                     item.verdict == plugin::ListVerdict::Unknown,
                 "a pod that is gone is listed as present");
  }
  bench.expect(has_wanted, "a pod that was asked for is not listed");
}

void lists_handles_as_saved(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  bench.expect_ok(bench.create_pod(pod), "create_pod");
  bench.expect_present(pod, "after create_pod");
  for (const plugin::ListedPod& item : bench.listed(pod)) {
    bench.expect(item.ref.handle == pod.ref.handle, "the list has handle '" + item.ref.handle +
                                                        "', create_pod gave '" + pod.ref.handle +
                                                        "': an orphan could not be deleted by it");
  }
}

}  // namespace

std::vector<Case> list_cases() {
  return {
      {"ListsNothingAtFirst", "the list of a new node is complete and empty",
       lists_nothing_at_first},
      {"ListsEveryPodOnce", "a complete list has every pod under this owner key, once",
       lists_every_pod_once},
      {"ListsWhatWasAskedFor", "a list by UIDs has these and no others", lists_what_was_asked_for},
      {"ListsHandlesAsSaved", "listed pods bring the handle that was saved",
       lists_handles_as_saved},
  };
}

}  // namespace vkhost::conformance
