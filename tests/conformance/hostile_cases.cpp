// Cases about input that nobody meant well, and about secrets.
#include "base/json_text.hpp"
#include "conformance/cases.hpp"

#include <string>
#include <vector>

namespace vkhost::conformance {
namespace {

constexpr const char* kSecret = "hunter2-correct-horse-battery-staple";

// Creates the pod, looks, and deletes it. OK and a clean refusal are both right.
void put_through(Bench& bench, Pod pod, const std::string& what) {
  const Status created = bench.create_pod(pod);
  if (created.is_ok()) {
    bench.expect_present(pod, what);
  } else {
    bench.expect_advice(created, what);
  }
  bench.expect_ok(bench.delete_pod(pod, std::chrono::milliseconds(0)), what + ": delete_pod");
  bench.expect_gone(pod, what);
}

void bears_hostile_names(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  const std::vector<std::string> names = {"quote\"and\\backslash",
                                          "line\nbreak\r\n",
                                          "tab\tand\x01control\x1f\x7f",
                                          "grüße-\xF0\x9F\x98\x80",
                                          "../../etc/passwd",
                                          "$(reboot)`id`;true",
                                          "%s%n%d",
                                          "<b>&amp;</b>",
                                          "'; DROP TABLE pods; --",
                                          std::string(253, 'a'),
                                          " leading and trailing ",
                                          "{\"json\":[1]}"};
  int number = 0;
  for (const std::string& name : names) {
    put_through(bench, bench.pod("default", name, "uid-" + std::to_string(++number)),
                "a pod with the name " + json_string(name));
    put_through(bench, bench.pod(name, "web", "uid-" + std::to_string(++number)),
                "a pod with the namespace " + json_string(name));
    put_through(bench, bench.pod("default", "web", name),
                "a pod with the UID " + json_string(name));
  }
}

void bears_hostile_handles(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  for (const std::string& handle :
       {std::string("no handle of yours"), std::string(4096, 'h'), std::string("a\nb\"c\\d\x01"),
        std::string("{}"), std::string("[[[["), std::string("../../../tmp/x")}) {
    Pod pod = bench.pod("web");
    pod.ref.handle = handle;
    put_through(bench, pod, "a pod with the forged handle " + json_string(handle.substr(0, 40)));
  }
}

void bears_hostile_documents(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  const std::vector<std::string> documents = {
      "{}",
      R"({"spec":null})",
      R"({"spec":[]})",
      R"({"spec":{"containers":null}})",
      R"({"spec":{"containers":{}}})",
      R"({"spec":{"containers":[]}})",
      R"({"spec":{"containers":[null,1,"x",[]]}})",
      R"({"spec":{"containers":[{"name":null,"image":7}]}})",
      R"({"spec":{"containers":[{"name":"main"},{"name":"main"}]}})",
      R"({"metadata":"x","spec":{"containers":[{"name":"main","image":"i"}]}})",
      R"({"spec":{"containers":[{"name":"main","image":"i"}],"unknownField":)" + deep + "}}",
      R"({"spec":{"containers":[{"name":"main","image":"i","env":[{"name":"A","value":1e400}]}]}})",
      R"({"metadata":{"annotations":{"a":")" + std::string(1'000'000, 'x') +
          R"("}},"spec":{"containers":[{"name":"main","image":"i"}]}})",
  };
  for (const std::string& document : documents) {
    Pod pod = bench.pod("web");
    pod.json = document;
    put_through(bench, pod, "a pod with the document " + document.substr(0, 60));
  }
}

void explains_its_refusals(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  pod.json.clear();
  pod.material.clear();
  const Status status = bench.create_pod(pod);
  if (bench.expect(!status.is_ok(), "create_pod takes a pod without a document")) {
    bench.expect_advice(status, "create_pod without a document");
  }
}

void keeps_secrets(Bench& bench) {
  if (!bench.begin()) {
    return;
  }
  Pod pod = bench.pod("web");
  pod.material = std::string(R"({"containers":{"main":{"env":[{"name":"PASSWORD","value":")") +
                 kSecret + R"(","secret":true}]}},"pull_credentials":[{"server":"r.example.com",)" +
                 R"("username":"u","password":")" + kSecret + R"("}],"storage":{"v":{"secrets":)" +
                 R"({"nodePublishSecretRef":{"key":{"data":")" + kSecret +
                 R"(","secret":true}}}}}})";
  static_cast<void>(bench.create_pod(pod));
  static_cast<void>(bench.status_of(pod));
  static_cast<void>(bench.delete_pod(pod));
  bench.expect_gone(pod, "after delete_pod");

  const auto leaks = [](const std::string& text) {
    return text.find(kSecret) != std::string::npos;
  };
  for (const std::string& line : bench.log().lines()) {
    bench.expect(!leaks(line), "a secret of the material stands in the log");
  }
  for (const plugin::PodChange& change : bench.heard().changes(pod.ref.uid)) {
    bench.expect(!leaks(change.status_json.value_or("")), "a secret stands in a status");
    for (const auto& [key, value] : change.annotations) {
      bench.expect(!leaks(value.value_or("")), "a secret stands in annotation " + key);
    }
  }
  bench.expect(!leaks(pod.ref.handle), "a secret stands in the handle");
  bench.expect(!leaks(bench.metrics().render()), "a secret stands in a metric");
}

}  // namespace

std::vector<Case> hostile_cases() {
  return {
      {"BearsHostileNames", "any UTF-8 may be a name, namespace or UID", bears_hostile_names},
      {"BearsHostileHandles", "any text may stand where a handle is due", bears_hostile_handles},
      {"BearsHostileDocuments", "a strange pod is run or refused, and disturbs nobody",
       bears_hostile_documents},
      {"ExplainsItsRefusals", "a refusal has a code, a reason and a message",
       explains_its_refusals},
      {"KeepsSecrets", "nothing of the material reaches log, status, annotation or handle",
       keeps_secrets},
  };
}

}  // namespace vkhost::conformance
