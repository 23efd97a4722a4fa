// PluginDriver: calls a plugin's table as the host would, with C++ values in and out, for unit
// tests. One driver stands for one instance. Ordering and thread contracts are the test's to keep;
// what was begun is ended by the destructor. [any-thread] where the function called is.
//
//   FakeHost host;
//   PluginDriver plugin(vkp_plugin, host);
//   plugin.create(R"({"region": "here"})");
//   const Outcome outcome = plugin.create_pod({"default", "web", "uid-1", ""}, pod_json);
#pragma once

#include <vkhost/provider.hpp>
#include <vkhost/support/fake_host.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::sdk {

struct Outcome {
  Code code = Code::Ok;
  RecordedError error;  // the details, if there were any
  std::string text;     // what went to the text sink: document or handle

  [[nodiscard]] bool ok() const { return code == Code::Ok; }
};

struct Problem {
  bool is_error = true;
  std::string pointer;
  std::string text;
};

struct ListOutcome : Outcome {
  struct Item {
    std::string uid;
    std::string status_json;
    std::uint64_t seq = 0;
    Marks marks = Marks::Legacy;
    Listed verdict = Listed::Unknown;
  };
  std::vector<Item> pods;
  bool complete = false;
};

class PluginDriver {
 public:
  PluginDriver(const vkp_plugin_table& table, FakeHost& host) : table_(table), host_(host) {}
  ~PluginDriver() {
    if (instance_ != nullptr) {
      stop();
      destroy();
    }
  }
  PluginDriver(const PluginDriver&) = delete;
  PluginDriver& operator=(const PluginDriver&) = delete;

  // ---- Of the library ----

  Outcome describe() {
    return with_text(
        [&](const vkp_call* call, const vkp_text_sink* out) { return table_.describe(call, out); });
  }
  Outcome init() {
    return run([&](const vkp_call* call) { return table_.init(call, host_.raw()); });
  }
  void shutdown() { table_.shutdown(); }
  std::vector<Problem> check_config(std::string_view config) {
    using Problems = Sink<vkp_problem_sink, std::vector<Problem>>;
    Problems sink;
    sink.raw.put = [](const vkp_problem_sink* raw, const vkp_problem* problem) -> vkp_code {
      Problems::of(raw).push_back({problem->severity == VKP_PROBLEM_ERROR,
                                   std::string(view(problem->pointer)),
                                   std::string(view(problem->text))});
      return VKP_OK;
    };
    const Outcome outcome = run([&](const vkp_call* call) {
      return table_.check_config(call, config.data(), config.size(), &sink.raw);
    });
    if (!outcome.ok()) {
      sink.result.push_back({true, "", "check_config failed: " + outcome.error.message});
    }
    return sink.result;
  }

  // ---- Life of the instance ----

  Outcome create(std::string_view config, std::string_view info = "{}") {
    return run([&](const vkp_call* call) {
      auto request = sized<vkp_instance_request>();
      request.config_json = str(config);
      request.info_json = str(info);
      return table_.create(call, host_.raw(), &request, &instance_);
    });
  }
  Outcome capabilities() {
    return with_text([&](const vkp_call* call, const vkp_text_sink* out) {
      return table_.capabilities(call, instance_, out);
    });
  }
  Outcome node(std::string_view name) {
    return with_text([&](const vkp_call* call, const vkp_text_sink* out) {
      auto request = sized<vkp_node_request>();
      request.node_name = str(name);
      return table_.node(call, instance_, &request, out);
    });
  }
  Outcome ping() {
    return run([&](const vkp_call* call) { return table_.ping(call, instance_); });
  }
  Outcome start(std::string_view owner_key = "test", std::string_view node_name = "node") {
    return run([&](const vkp_call* call) {
      auto request = sized<vkp_start_request>();
      request.node_name = str(node_name);
      request.owner_key = str(owner_key);
      return table_.start(call, instance_, &request);
    });
  }
  // UNIMPLEMENTED where the plugin has no vkp.reconfigure/1.
  Outcome reconfigure(std::string_view config) {
    const std::string_view id = VKP_EXT_RECONFIGURE;
    const auto* const extension =
        table_.get_extension == nullptr
            ? nullptr
            : static_cast<const vkp_reconfigure*>(table_.get_extension(id.data(), id.size()));
    return run([&](const vkp_call* call) -> vkp_code {
      return extension == nullptr
                 ? VKP_UNIMPLEMENTED
                 : extension->reconfigure(call, instance_, config.data(), config.size());
    });
  }
  Outcome stop() {
    return run([&](const vkp_call* call) { return table_.stop(call, instance_); });
  }
  void destroy() { table_.destroy(std::exchange(instance_, nullptr)); }
  [[nodiscard]] vkp_instance* instance() const { return instance_; }

  // ---- Pods ----

  struct PodToRecover {
    PodRef ref;
    std::string_view pod_json;
  };
  // Verdicts by UID.
  std::map<std::string, Recovered> recover(const std::vector<PodToRecover>& pods,
                                           bool last = true) {
    using Verdicts = Sink<vkp_recover_sink, std::map<std::string, Recovered>>;
    Verdicts sink;
    sink.raw.put = [](const vkp_recover_sink* raw, const vkp_recovered_pod* pod) -> vkp_code {
      Verdicts::of(raw)[std::string(view(pod->uid))] = static_cast<Recovered>(pod->verdict);
      return VKP_OK;
    };
    std::vector<vkp_pod_ref> refs(pods.size());
    std::vector<vkp_recover_pod> raws(pods.size());
    std::vector<const vkp_recover_pod*> pointers(pods.size());
    for (std::size_t index = 0; index < pods.size(); ++index) {
      refs[index] = raw_ref(pods[index].ref);
      raws[index] = sized<vkp_recover_pod>();
      raws[index].ref = &refs[index];
      raws[index].pod_json = str(pods[index].pod_json);
      pointers[index] = &raws[index];
    }
    run([&](const vkp_call* call) {
      auto request = sized<vkp_recover_request>();
      request.pod_count = pointers.size();
      request.pods = pointers.data();
      request.first = true;
      request.last = last;
      return table_.recover_pods(call, instance_, &request, &sink.raw);
    });
    return sink.result;
  }

  Outcome create_pod(const PodRef& ref,
                     std::string_view pod_json,
                     CreateReason why = CreateReason::First,
                     std::string_view material_json = "{}") {
    FakeCall call;
    return create_pod(call, ref, pod_json, why, material_json);
  }
  // With a call that the test can cancel.
  Outcome create_pod(FakeCall& call,
                     const PodRef& ref,
                     std::string_view pod_json,
                     CreateReason why = CreateReason::First,
                     std::string_view material_json = "{}") {
    const auto raw = raw_ref(ref);
    auto request = sized<vkp_create_pod_request>();
    request.ref = &raw;
    request.pod_json = str(pod_json);
    request.material_json = str(material_json);
    request.why = static_cast<std::int32_t>(why);
    return with_text(
        [&](const vkp_call* context, const vkp_text_sink* handle) {
          return table_.create_pod(context, instance_, &request, handle);
        },
        call);
  }

  // Answers by changed bit.
  std::map<std::uint64_t, UpdateOutcome> update_pod(const PodRef& ref,
                                                    std::string_view pod_json,
                                                    std::uint64_t changed,
                                                    std::string_view material_json = "{}") {
    using Answers = Sink<vkp_update_sink, std::map<std::uint64_t, UpdateOutcome>>;
    Answers sink;
    sink.raw.put = [](const vkp_update_sink* raw, const vkp_update_answer* answer) -> vkp_code {
      for (std::uint64_t bit = 1; bit != 0; bit <<= 1U) {
        if ((answer->changed & bit) != 0) {
          Answers::of(raw)[bit] = static_cast<UpdateOutcome>(answer->outcome);
        }
      }
      return VKP_OK;
    };
    const auto raw = raw_ref(ref);
    auto request = sized<vkp_update_pod_request>();
    request.ref = &raw;
    request.pod_json = str(pod_json);
    request.material_json = str(material_json);
    request.changed = changed;
    run([&](const vkp_call* call) {
      return table_.update_pod(call, instance_, &request, &sink.raw);
    });
    return sink.result;
  }

  Outcome delete_pod(const PodRef& ref,
                     std::chrono::milliseconds grace = std::chrono::seconds(30),
                     DeleteReason reason = DeleteReason::Deleted,
                     std::string_view pod_json = {}) {
    const auto raw = raw_ref(ref);
    auto request = sized<vkp_delete_pod_request>();
    request.ref = &raw;
    request.pod_json = str(pod_json);
    request.grace_ms = grace.count();
    request.reason = static_cast<std::int32_t>(reason);
    return run([&](const vkp_call* call) { return table_.delete_pod(call, instance_, &request); });
  }

  ListOutcome list_pods(const std::vector<std::string_view>& uids = {}) {
    using Listing = Sink<vkp_list_sink, ListOutcome>;
    Listing sink;
    sink.raw.put = [](const vkp_list_sink* raw, const vkp_listed_pod* pod) -> vkp_code {
      ListOutcome::Item item;
      item.uid = view(pod->ref->uid);
      item.status_json = view(pod->status_json);
      item.seq = pod->seq;
      item.marks = static_cast<Marks>(pod->marks);
      item.verdict = static_cast<Listed>(pod->verdict);
      Listing::of(raw).pods.push_back(std::move(item));
      return VKP_OK;
    };
    sink.raw.complete = [](const vkp_list_sink* raw) { Listing::of(raw).complete = true; };
    std::vector<vkp_str> wanted;
    for (const std::string_view uid : uids) {
      wanted.push_back(str(uid));
    }
    auto request = sized<vkp_list_pods_request>();
    request.uid_count = wanted.size();
    request.uids = wanted.data();
    const Outcome outcome = run([&](const vkp_call* call) {
      return table_.list_pods(call, instance_, &request, &sink.raw);
    });
    static_cast<Outcome&>(sink.result) = outcome;
    return sink.result;
  }

 private:
  // A C sink whose functions find their result through the address of the sink.
  template <class Raw, class Result>
  struct Sink {
    Sink() { raw.size = sizeof(Raw); }
    static Result& of(const Raw* raw) { return static_cast<const Extended*>(raw)->owner->result; }
    struct Extended : Raw {
      Sink* owner;
    };
    Extended raw{{}, this};
    Result result;
  };

  static vkp_pod_ref raw_ref(const PodRef& ref) {
    auto raw = sized<vkp_pod_ref>();
    raw.pod_namespace = str(ref.pod_namespace);
    raw.name = str(ref.name);
    raw.uid = str(ref.uid);
    raw.handle = str(ref.handle);
    return raw;
  }

  template <class Body>
  Outcome run(const Body& body) {
    FakeCall call;
    return run(body, call);
  }
  template <class Body>
  Outcome run(const Body& body, FakeCall& call) {
    Outcome outcome;
    outcome.code = static_cast<Code>(body(call.raw()));
    outcome.error = call.error().value_or(RecordedError());
    return outcome;
  }
  template <class Body>
  Outcome with_text(const Body& body) {
    FakeCall call;
    return with_text(body, call);
  }
  template <class Body>
  Outcome with_text(const Body& body, FakeCall& call) {
    using TextResult = Sink<vkp_text_sink, std::string>;
    TextResult sink;
    sink.raw.put = [](const vkp_text_sink* raw, const char* text, std::size_t size) -> vkp_code {
      TextResult::of(raw) = view(text, size);
      return VKP_OK;
    };
    Outcome outcome = run([&](const vkp_call* raw) { return body(raw, &sink.raw); }, call);
    outcome.text = sink.result;
    return outcome;
  }

  const vkp_plugin_table& table_;
  FakeHost& host_;
  vkp_instance* instance_ = nullptr;
};

}  // namespace vkhost::sdk
