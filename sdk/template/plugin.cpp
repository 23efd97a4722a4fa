// A provider to begin with: its "back end" is a map in memory, its pods run as soon as they are
// created. Replace the map by calls to your back end; the shape stays.
#include <vkhost/provider.hpp>

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace sdk = vkhost::sdk;

struct Workload {
  std::vector<std::string> containers;
  std::int64_t started_unix_ns = 0;
};

std::vector<std::string> container_names(std::string_view pod_json) {
  try {
    Poco::JSON::Parser parser;
    const auto pod = parser.parse(std::string(pod_json)).extract<Poco::JSON::Object::Ptr>();
    const auto containers = pod->getObject("spec")->getArray("containers");
    std::vector<std::string> names;
    for (unsigned index = 0; index < containers->size(); ++index) {
      names.push_back(containers->getObject(index)->getValue<std::string>("name"));
    }
    return names;
  } catch (const Poco::Exception& error) {
    throw sdk::Error(sdk::Code::InvalidArgument, "InvalidPod", error.displayText())
        .never_retry()
        .with_effect(sdk::Effect::None);
  }
}

std::string running_status(const Workload& workload) {
  const std::string started = sdk::rfc3339(workload.started_unix_ns);
  sdk::JsonWriter json;
  json.begin_object().member("phase", "Running").member("startTime", started);
  json.key("containerStatuses").begin_array();
  for (const std::string& name : workload.containers) {
    json.begin_object().member("name", name).member("ready", true).member("restartCount", 0);
    json.key("state").begin_object().key("running").begin_object().member("startedAt", started);
    json.end_object().end_object().end_object();
  }
  return json.end_array().end_object().take();
}

std::string ended_status(const Workload& workload) {
  sdk::JsonWriter json;
  json.begin_object().member("phase", "Succeeded").key("containerStatuses").begin_array();
  for (const std::string& name : workload.containers) {
    json.begin_object().member("name", name).member("ready", false).member("restartCount", 0);
    json.key("state").begin_object().key("terminated").begin_object();
    json.member("exitCode", 0)
        .member("reason", "Completed")
        .member("startedAt", sdk::rfc3339(workload.started_unix_ns))
        .member("finishedAt", sdk::rfc3339(sdk::unix_now_ns()));
    json.end_object().end_object().end_object();
  }
  return json.end_array().end_object().take();
}

class HelloProvider final : public sdk::Provider {
 public:
  HelloProvider(sdk::Host host, const sdk::InstanceRequest&) : host_(host) {}

  static std::string describe() {
    return R"({"name": "hello", "version": "0.1.0", "vendor": "you", "license": "Apache-2.0",
               "settings_schema": {"type": "object", "additionalProperties": false}})";
  }

  std::string capabilities() override { return R"({"status_updates": "push"})"; }

  std::string node(const sdk::Call&, const sdk::NodeRequest&) override {
    return R"({"status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "10"}}})";
  }

  // Ask your back end whether it can be used.
  void ping(const sdk::Call&) override {}

  // This back end forgets everything with the process. One that does not answers Attached for what
  // has a handle, and looks it up after start.
  void recover_pods(const sdk::Call&,
                    const sdk::RecoverBatch& batch,
                    const sdk::RecoverSink& out) override {
    for (const sdk::RecoverPod& pod : batch.pods) {
      out.put(pod.ref.uid, sdk::Recovered::Absent);
    }
  }

  // May be called again for the same pod: then nothing happens twice.
  void create_pod(const sdk::Call&,
                  const sdk::CreatePod& request,
                  const sdk::TextSink& handle) override {
    Workload workload;
    workload.containers = container_names(request.pod_json);
    workload.started_unix_ns = sdk::unix_now_ns();
    const std::string status = running_status(workload);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!workloads_.emplace(request.ref.uid, std::move(workload)).second) {
        return;
      }
    }
    handle.put("hello");  // what your back end calls it
    push(request.ref.uid, status, false);
  }

  void delete_pod(const sdk::Call&, const sdk::DeletePod& request) override {
    std::string status;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = workloads_.find(std::string(request.ref.uid));
      if (found == workloads_.end()) {
        throw sdk::Error(sdk::Code::NotFound, "NotFound", "nothing is left of this pod");
      }
      status = ended_status(found->second);
      workloads_.erase(found);
    }
    push(request.ref.uid, status, false);
    push(request.ref.uid, {}, true);
  }

  void list_pods(const sdk::Call&,
                 const sdk::ListPods& request,
                 const sdk::ListSink& out) override {
    const std::uint64_t seq = sequence_.next();
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto put = [&](std::string_view uid, const Workload* workload) {
      const std::string status = workload == nullptr ? "" : running_status(*workload);
      sdk::ListedPod pod;
      pod.ref.uid = uid;
      pod.seq = seq;
      pod.status_json = status;
      pod.verdict = workload == nullptr ? sdk::Listed::Absent : sdk::Listed::Present;
      out.put(pod);
    };
    if (request.uids.empty()) {
      for (const auto& [uid, workload] : workloads_) {
        put(uid, &workload);
      }
    }
    for (const std::string_view uid : request.uids) {
      const auto found = workloads_.find(std::string(uid));
      put(uid, found == workloads_.end() ? nullptr : &found->second);
    }
    out.complete();
  }

 private:
  void push(std::string_view uid, std::string_view status, bool gone) {
    sdk::PodChange change;
    change.uid = uid;
    change.seq = sequence_.next();
    change.status_json = status;
    change.gone = gone;
    host_.pod_changed(change);
  }

  sdk::Host host_;
  sdk::Sequence sequence_;
  std::mutex mutex_;
  std::map<std::string, Workload> workloads_;
};

}  // namespace

VKHOST_EXPORT_PROVIDER(HelloProvider)
