// Whatever a plugin hands over, in structs of any size: it is refused, or what the host keeps of it
// is what was promised. Of a provider's node something comes that is at rest once it is written.
// Input: one line that names what is handed over, then its fields, one a line.
#include "base/json_text.hpp"
#include "fuzz_input.hpp"
#include "node/node_object.hpp"
#include "plugin/abi_read.hpp"
#include "plugin/documents.hpp"
#include "plugin/host_table.hpp"
#include "plugin/sinks.hpp"
#include "pods/status_json.hpp"
#include "support/strategic_merge.hpp"

#include <vkhost/ext/host_events.h>
#include <vkhost/ext/host_evict.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace plugin = vkhost::plugin;
using vkhost::Status;
using vkhost::fuzz::Block;
using vkhost::fuzz::Lines;
using vkhost::fuzz::require;

// What lives as long as one call: texts and structs in memory of just their size.
class Memory {
 public:
  vkp_str text(Lines& lines) {
    const Block& block = blocks_.emplace_back(lines.text());
    return {block.data(), block.size()};
  }
  // The first `size` bytes of a struct, as an older or a lying plugin would hand it over. The size
  // itself has to be there.
  template <typename Struct>
  const Struct* cut(Struct whole, std::uint64_t size) {
    whole.size = size;
    const std::size_t kept = std::clamp<std::uint64_t>(size, sizeof(std::uint64_t), sizeof(Struct));
    return reinterpret_cast<const Struct*>(blocks_.emplace_back(&whole, kept).data());
  }

 private:
  std::deque<Block> blocks_;
};

const vkp_pod_ref* read_ref(Lines& lines, Memory& memory) {
  vkp_pod_ref ref{};
  const std::uint64_t size = lines.number();
  ref.pod_namespace = memory.text(lines);
  ref.name = memory.text(lines);
  ref.uid = memory.text(lines);
  ref.handle = memory.text(lines);
  return size == 0 ? nullptr : memory.cut(ref, size);
}

const vkp_error* read_error(Lines& lines, Memory& memory) {
  vkp_error error{};
  const std::uint64_t size = lines.number();
  error.reason = memory.text(lines);
  error.message = memory.text(lines);
  error.retry_after_ms = static_cast<std::int64_t>(lines.number());
  error.retry = lines.code();
  error.effect = lines.code();
  error.scope = lines.code();
  error.code = lines.code();
  return size == 0 ? nullptr : memory.cut(error, size);
}

void check_error(const Status& error) {
  require(!error.is_ok() && vkhost::is_utf8(error.message()));
  require(error.message().size() <= 3 * std::size_t{VKP_MAX_MESSAGE_BYTES});
  require(error.reason().size() <= VKP_MAX_REASON_BYTES);
  require(error.retry_after() >= std::chrono::milliseconds{0});
}

// ---- The host's table

constexpr std::string_view kPrefix = "fake.example.com/";

class Listener final : public plugin::ProviderListener {
 public:
  Status pod_changed(plugin::PodChange change) override {
    require(!change.uid.empty() && change.uid.size() <= 253 && vkhost::is_utf8(change.uid));
    if (change.status_json) {
      require(vkhost::validate_json_object(*change.status_json, VKP_MAX_JSON_DEPTH).is_ok());
    }
    for (const auto& [key, value] : change.annotations) {
      require(key.starts_with(kPrefix) && key.size() > kPrefix.size());
    }
    if (change.error) {
      check_error(*change.error);
    }
    return Status::ok();
  }
  Status node_changed() override { return Status::ok(); }
  Status save_handle(const std::string& uid, const std::string& handle) override {
    require(!uid.empty() && handle.size() <= VKP_MAX_HANDLE_BYTES && vkhost::is_utf8(handle));
    return Status::ok();
  }
  Status evict(plugin::Eviction eviction) override {
    require(!eviction.uid.empty() && vkhost::is_utf8(eviction.uid));
    require(eviction.reason.size() <= VKP_MAX_REASON_BYTES && vkhost::is_utf8(eviction.reason));
    require(vkhost::is_utf8(eviction.message));
    require(!eviction.grace || *eviction.grace >= std::chrono::milliseconds{0});
    return Status::ok();
  }
  Status emit(plugin::ProviderEvent event) override {
    require(vkhost::is_utf8(event.pod_uid) && vkhost::is_utf8(event.message));
    require(!event.reason.empty() && event.reason.size() <= VKP_MAX_REASON_BYTES);
    require(event.key.empty() || event.key.starts_with("provider/"));
    return Status::ok();
  }
};

class LogSink final : public vkhost::observe::LogSink {
 public:
  [[nodiscard]] bool accepts(vkhost::observe::Level /*level*/) const override { return true; }
  void write(vkhost::observe::Level /*level*/,
             std::string_view message,
             const vkhost::observe::Fields& fields) override {
    require(vkhost::is_utf8(message));
    for (const auto& field : fields) {
      require(vkhost::is_utf8(field.key) && vkhost::is_utf8(field.value));
    }
  }
};

// One for the life of the process: tables are kept for ever.
const vkp_host* host() {
  static Listener listener;
  static plugin::HostTable& table = plugin::HostTable::for_instance(
      vkhost::observe::Logger(std::make_shared<LogSink>()), listener, {std::string(kPrefix)});
  return table.abi();
}

void hand_over_change(Lines& lines) {
  Memory memory;
  vkp_pod_change change{};
  const std::uint64_t size = lines.number();
  change.uid = memory.text(lines);
  change.seq = lines.number();
  // Any byte may come as a bool.
  const auto gone = static_cast<unsigned char>(lines.number());
  std::memcpy(&change.gone, &gone, 1);
  change.status_json = memory.text(lines);
  change.annotations_json = memory.text(lines);
  change.error = read_error(lines, memory);
  host()->pod_changed(host(), size == 0 ? nullptr : memory.cut(change, size));
}

void hand_over_log(Lines& lines) {
  Memory memory;
  vkp_log_entry entry{};
  const std::uint64_t size = lines.number();
  entry.message = memory.text(lines);
  entry.pod_uid = memory.text(lines);
  entry.fields_json = memory.text(lines);
  entry.level = lines.code();
  host()->log(host(), size == 0 ? nullptr : memory.cut(entry, size));
}

void hand_over_handle(Lines& lines) {
  Memory memory;
  const vkp_str uid = memory.text(lines);
  const vkp_str handle = memory.text(lines);
  host()->save_handle(host(), uid.data, uid.size, handle.data, handle.size);
}

template <typename Table>
const Table* host_extension(std::string_view id) {
  return static_cast<const Table*>(host()->get_extension(host(), id.data(), id.size()));
}

void hand_over_eviction(Lines& lines) {
  Memory memory;
  vkp_evict_request request{};
  const std::uint64_t size = lines.number();
  request.uid = memory.text(lines);
  request.reason = memory.text(lines);
  request.message = memory.text(lines);
  request.grace_ms = static_cast<std::int64_t>(lines.number());
  host_extension<vkp_host_evict>(VKP_EXT_HOST_EVICT)
      ->evict(host(), size == 0 ? nullptr : memory.cut(request, size));
}

void hand_over_event(Lines& lines) {
  Memory memory;
  vkp_event event{};
  const std::uint64_t size = lines.number();
  event.pod_uid = memory.text(lines);
  event.reason = memory.text(lines);
  event.message = memory.text(lines);
  event.key = memory.text(lines);
  event.occurred_unix_ns = static_cast<std::int64_t>(lines.number());
  event.type = lines.code();
  host_extension<vkp_host_events>(VKP_EXT_HOST_EVENTS)
      ->emit(host(), size == 0 ? nullptr : memory.cut(event, size));
}

// ---- Sinks

void hand_over_list(Lines& lines) {
  Memory memory;
  const std::string asked(lines.text());
  plugin::ListSink sink(asked.empty() ? std::vector<std::string>{}
                                      : std::vector<std::string>{asked, "uid-1"});
  const bool completes = lines.number() != 0;
  while (!lines.is_over()) {
    vkp_listed_pod item{};
    const std::uint64_t size = lines.number();
    item.ref = read_ref(lines, memory);
    item.seq = lines.number();
    item.status_json = memory.text(lines);
    item.marks = lines.code();
    item.verdict = lines.code();
    sink.put_listed(size == 0 ? nullptr : memory.cut(item, size));
  }
  if (completes) {
    sink.complete();
  }
  sink.close();
  const plugin::PodList list = sink.take();
  require(completes || !list.complete);
  for (const plugin::ListedPod& pod : list.pods) {
    require(!pod.ref.uid.empty() || pod.marks == plugin::Marks::Legacy);
    require(asked.empty() || pod.ref.uid == asked || pod.ref.uid == "uid-1");
    require(vkhost::is_utf8(pod.ref.uid) && vkhost::is_utf8(pod.ref.handle));
    require(pod.verdict != plugin::ListVerdict::Present ||
            vkhost::validate_json_object(pod.status_json, VKP_MAX_JSON_DEPTH).is_ok());
  }
}

void hand_over_verdicts(Lines& lines) {
  Memory memory;
  const std::vector<plugin::RecoverPod> batch = {{{"ns", "a", "uid-1", ""}, "{}"},
                                                 {{"ns", "b", "uid-2", ""}, "{}"}};
  plugin::RecoverSink sink(batch);
  while (!lines.is_over()) {
    vkp_recovered_pod pod{};
    const std::uint64_t size = lines.number();
    pod.uid = memory.text(lines);
    pod.verdict = lines.code();
    sink.put_verdict(size == 0 ? nullptr : memory.cut(pod, size));
  }
  sink.close();
  const auto verdicts = sink.verdicts();
  require(verdicts.size() == batch.size());
  for (const plugin::RecoverVerdict verdict : verdicts) {
    require(verdict >= plugin::RecoverVerdict::Unknown &&
            verdict <= plugin::RecoverVerdict::Absent);
  }
}

void hand_over_updates(Lines& lines) {
  Memory memory;
  const std::uint64_t asked = lines.number();
  plugin::UpdateSink sink(asked);
  while (!lines.is_over()) {
    vkp_update_answer answer{};
    const std::uint64_t size = lines.number();
    answer.changed = lines.number();
    answer.text = memory.text(lines);
    answer.outcome = lines.code();
    sink.put_update(size == 0 ? nullptr : memory.cut(answer, size));
  }
  sink.close();
  std::uint64_t answered = 0;
  for (const plugin::UpdateAnswer& answer : sink.answers()) {
    require(answer.changed != 0 && (answered & answer.changed) == 0);
    require(vkhost::is_utf8(answer.text));
    answered |= answer.changed;
  }
  require(answered == asked);
}

void hand_over_text(Lines& lines) {
  constexpr std::size_t kMost = 64;
  plugin::TextSink sink(kMost);
  while (!lines.is_over()) {
    const Block text(lines.text());
    const bool taken = sink.put_text(text.data(), text.size()) == VKP_OK;
    require(taken ==
            (text.size() <= kMost && vkhost::is_utf8(std::string_view(text.data(), text.size()))));
    require(taken == sink.refusal().is_ok());
  }
  require(!sink.text() || vkhost::is_utf8(*sink.text()));
}

void hand_over_problems(Lines& lines) {
  Memory memory;
  plugin::ProblemSink sink;
  while (!lines.is_over()) {
    vkp_problem problem{};
    const std::uint64_t size = lines.number();
    problem.pointer = memory.text(lines);
    problem.text = memory.text(lines);
    problem.severity = lines.code();
    sink.put_problem(size == 0 ? nullptr : memory.cut(problem, size));
  }
  for (const plugin::ConfigProblem& problem : sink.problems()) {
    require(vkhost::is_utf8(problem.text) && vkhost::is_utf8(problem.pointer));
    require(problem.pointer.empty() || problem.pointer.starts_with('/'));
  }
}

void hand_over_findings(Lines& lines) {
  Memory memory;
  plugin::FindingSink sink;
  while (!lines.is_over()) {
    vkp_finding finding{};
    const std::uint64_t size = lines.number();
    finding.pointer = memory.text(lines);
    finding.text = memory.text(lines);
    finding.kind = lines.code();
    sink.put_finding(size == 0 ? nullptr : memory.cut(finding, size));
  }
  sink.close();
  for (const plugin::Finding& finding : sink.findings()) {
    require(vkhost::is_utf8(finding.text) && vkhost::is_utf8(finding.pointer));
    require(finding.pointer.empty() || finding.pointer.starts_with('/'));
    require(finding.kind >= plugin::FindingKind::Ignored &&
            finding.kind <= plugin::FindingKind::Refused);
  }
}

void hand_over_failure(Lines& lines) {
  Memory memory;
  const std::int32_t code = lines.code();
  const Status failure = plugin::read_failure(code, read_error(lines, memory), "no message");
  require(failure.is_ok() == (code == VKP_OK));
  if (!failure.is_ok()) {
    check_error(failure);
  }
}

// ---- Documents

void hand_over_description(Lines& lines) {
  const auto description = plugin::parse_description(lines.text());
  if (!description.is_ok()) {
    require(!description.status().message().empty());
    return;
  }
  require(!description->name.empty() && description->name.size() <= 64);
  require(!description->version.empty());
  for (const std::string& prefix : description->annotation_prefixes) {
    require(prefix.find('/') != std::string::npos && prefix.find("kubernetes.io/") != 0);
  }
}

void hand_over_capabilities(Lines& lines) {
  const auto capabilities = plugin::parse_capabilities(lines.text());
  if (!capabilities.is_ok()) {
    require(!capabilities.status().message().empty());
    return;
  }
  require(capabilities->poll_interval >= std::chrono::milliseconds{100});
  require(capabilities->poll_interval <= std::chrono::hours{1});
  require(capabilities->max_parallel_calls >= 1 && capabilities->max_parallel_calls <= 1024);
  for (const plugin::FieldRule& rule : capabilities->fields) {
    require(!rule.path.empty() && rule.path.size() <= 253);
    require(rule.path.find("..") == std::string::npos && !rule.path.ends_with('.'));
  }
}

void hand_over_annotations(Lines& lines) {
  const auto annotations = plugin::parse_annotations(lines.text(), {std::string(kPrefix)});
  if (annotations.is_ok()) {
    for (const auto& [key, value] : *annotations) {
      require(key.starts_with(kPrefix));
    }
  }
}

void hand_over_node(Lines& lines) {
  const std::string provider(lines.text());
  const std::string present(lines.text());
  // As the adapter does before anybody else sees it.
  if (!vkhost::validate_json_object(provider, VKP_MAX_JSON_DEPTH).is_ok()) {
    return;
  }
  vkhost::node::Settings settings;
  settings.name = "vk-0";
  settings.capacity = {{"pods", "5"}};
  settings.kubelet_version = "v1";
  settings.provider = "fake";
  const vkhost::node::NodeSources sources{settings,
                                          provider,
                                          {true, "KubeletReady", "ready"},
                                          vkhost::WallTime(std::chrono::seconds{1'767'323'045})};
  static_cast<void>(vkhost::node::name_from_provider(provider));
  const auto made = vkhost::node::new_node(sources);
  if (!made.is_ok()) {
    require(!made.status().message().empty());
    return;
  }
  require(vkhost::validate_json_object(*made, 128).is_ok());
  const auto made_differs = vkhost::node::differs(sources, *made);
  require(made_differs.is_ok() && !*made_differs);

  // The API server keeps no orders.
  if (!vkhost::validate_json_object(present, 64).is_ok() ||
      !vkhost::pods::refuse_unwritable(*vkhost::testing::parse_object(present)).is_ok()) {
    return;
  }
  // The heartbeat and one patch of the spec, then nothing is left.
  const auto patch = vkhost::node::node_patch(sources, present);
  const auto spec = vkhost::node::spec_patch(sources, present);
  if (!patch.is_ok() || !spec.is_ok() || !spec->foreign_provider_id.empty()) {
    return;
  }
  const auto object = vkhost::testing::parse_object(present);
  vkhost::testing::strategic_merge(object, vkhost::testing::parse_object(*patch));
  if (!spec->json.empty()) {
    vkhost::testing::strategic_merge(object, vkhost::testing::parse_object(spec->json));
  }
  const auto differs = vkhost::node::differs(sources, vkhost::testing::text_of(object));
  require(differs.is_ok() && !*differs);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::map<std::string_view, std::function<void(Lines&)>> kinds = {
      {"change", hand_over_change},
      {"log", hand_over_log},
      {"handle", hand_over_handle},
      {"eviction", hand_over_eviction},
      {"event", hand_over_event},
      {"list", hand_over_list},
      {"verdicts", hand_over_verdicts},
      {"updates", hand_over_updates},
      {"text", hand_over_text},
      {"problems", hand_over_problems},
      {"findings", hand_over_findings},
      {"failure", hand_over_failure},
      {"description", hand_over_description},
      {"capabilities", hand_over_capabilities},
      {"annotations", hand_over_annotations},
      {"node", hand_over_node},
  };
  const std::string input(data, data + size);
  Lines lines(input);
  const auto kind = kinds.find(lines.text());
  if (kind != kinds.end()) {
    kind->second(lines);
  }
  return 0;
}
