#include "plugin/adapter.hpp"

#include "base/json_text.hpp"
#include "base/secret.hpp"
#include "plugin/abi_read.hpp"
#include "plugin/documents.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <utility>

namespace vkhost::plugin {
namespace {

// ---- Copies of arguments, in the plugin's form; a copy lives as long as its call ----

vkp_pod_ref as_ref(const PodRef& ref) {
  return {sizeof(vkp_pod_ref), as_text(ref.pod_namespace), as_text(ref.name), as_text(ref.uid),
          as_text(ref.handle)};
}

struct OwnedPod {
  PodRef ref;
  std::string pod_json;
  std::string material_json;
};

CallPlan pod_plan(const char* function, const PodRef& ref) {
  // A workload that was never matched to a pod has no UID; it is its handle then.
  const std::string name = ref.pod_namespace + "/" + ref.name;
  return {std::string(function) + " " + name,
          "pod " + (ref.uid.empty() ? name + " " + ref.handle : ref.uid)};
}

// Texts that the plugin gets are UTF-8; namespaces, names and UIDs of the API always are, a handle
// was checked when it came. What a manifest or a test slips in is refused before the plugin sees it.
Status check_ref(const PodRef& ref) {
  const bool fits = is_utf8(ref.uid) && is_utf8(ref.name) && is_utf8(ref.pod_namespace) &&
                    is_utf8(ref.handle) && ref.handle.size() <= VKP_MAX_HANDLE_BYTES;
  return fits ? Status::ok()
              : invalid_argument("the reference of pod " + ref.pod_namespace + "/" + ref.name +
                                 " is not UTF-8, or its handle is too long");
}

Status check_documents(std::string_view pod_json, std::string_view material_json) {
  if (pod_json.size() > VKP_MAX_POD_BYTES || material_json.size() > VKP_MAX_MATERIAL_BYTES) {
    return invalid_argument("the pod has " + std::to_string(pod_json.size()) +
                            " bytes (limit 2 MiB), its material " +
                            std::to_string(material_json.size()) + " (limit 32 MiB)")
        .with_reason("PodTooLarge")
        .with_retry(Retry::Never)
        .with_effect(Effect::None);
  }
  return Status::ok();
}

// A value that no plugin can have: shows whether `create` wrote the instance.
vkp_instance* no_instance() {
  static char place = 0;
  return reinterpret_cast<vkp_instance*>(&place);
}

}  // namespace

// ---- Life ----

Adapter::Adapter(AdapterParts parts, HostTable& host)
    : table_(parts.table),
      library_(std::move(parts.library)),
      host_(host),
      log_(parts.calls.log),
      calls_(std::move(parts.calls)) {}

Result<std::unique_ptr<Adapter>> Adapter::create(AdapterParts parts,
                                                 const InstanceRequest& request,
                                                 HostTable& host,
                                                 const CallOptions& options) {
  std::unique_ptr<Adapter> adapter(new Adapter(std::move(parts), host));
  const auto instance = std::make_shared<vkp_instance*>(no_instance());
  const Status created = adapter->calls_.run(
      {"create", "create"}, options, std::make_shared<Sink>(),
      [&table = adapter->table_, abi = host.abi(), request, instance](const CallPointers& to) {
        const vkp_instance_request out{sizeof(out), as_text(request.config_json),
                                       as_text(request.info_json)};
        return table.create(to.call, abi, &out, instance.get());
      });
  VKHOST_TRY(created);
  if (*instance == no_instance()) {
    return adapter->calls_.empty_result("create");
  }
  adapter->instance_ = *instance;
  adapter->created_ = true;
  VKHOST_TRY(adapter->read_capabilities(options));
  VKHOST_TRY_ASSIGN(const void* explain, adapter->extension(VKP_EXT_EXPLAIN, options));
  adapter->explain_ = read_struct(static_cast<const vkp_explain*>(explain));
  VKHOST_TRY_ASSIGN(const void* reconfigure, adapter->extension(VKP_EXT_RECONFIGURE, options));
  adapter->reconfigure_ = read_struct(static_cast<const vkp_reconfigure*>(reconfigure));
  return adapter;
}

Adapter::~Adapter() {
  host_.close();
  if (!created_) {
    return;
  }
  Status destroyed = unavailable("calls of it have not returned");
  if (calls_.stuck() == 0) {
    destroyed = calls_.run({"destroy", "destroy"}, {}, std::make_shared<Sink>(),
                           [destroy = table_.destroy, instance = instance_](const auto&) {
                             destroy(instance);
                             return VKP_OK;
                           });
  }
  if (!destroyed.is_ok()) {
    log_.error("the instance is not destroyed", {observe::error_field(destroyed)});
    host_.keep(library_);  // it exists for good, so its library must not be shut down
  }
}

Status Adapter::read_capabilities(const CallOptions& options) {
  VKHOST_TRY_ASSIGN(const std::string json,
                    call_for_object({"capabilities", "capabilities"}, VKP_MAX_NODE_BYTES, options,
                                    [&table = table_, instance = instance_](const auto& to) {
                                      return table.capabilities(to.call, instance, to.text);
                                    }));
  Result<Capabilities> parsed = parse_capabilities(json);
  if (!parsed.is_ok()) {
    return calls_.invalid_result("capabilities", parsed.status().message());
  }
  capabilities_ = std::move(*parsed);
  return Status::ok();
}

Result<const void*> Adapter::extension(std::string_view id, const CallOptions& options) {
  const auto found = std::make_shared<std::atomic<const void*>>(nullptr);
  if (table_.get_extension != nullptr) {
    VKHOST_TRY(calls_.run({"get_extension", "get_extension"}, options, std::make_shared<Sink>(),
                          [get = table_.get_extension, id = std::string(id), found](const auto&) {
                            found->store(get(id.data(), id.size()));
                            return VKP_OK;
                          }));
  }
  return found->load();
}

Status Adapter::start(const StartNode& node, const CallOptions& options) {
  return calls_.run({"start", "start"}, options, std::make_shared<Sink>(),
                    [start = table_.start, instance = instance_, node](const CallPointers& to) {
                      const vkp_start_request out{sizeof(out), as_text(node.node_name),
                                                  as_text(node.owner_key)};
                      return start(to.call, instance, &out);
                    });
}

Status Adapter::reconfigure(std::string_view config_json, const CallOptions& options) {
  if (reconfigure_.reconfigure == nullptr) {
    return Provider::reconfigure(config_json, options);
  }
  // May hold keys and passwords: what is left of a call that hangs is wiped when it returns.
  return calls_.run({"reconfigure", "reconfigure"}, options, std::make_shared<Sink>(),
                    [reconfigure = reconfigure_.reconfigure, instance = instance_,
                     config = Secret(std::string(config_json))](const CallPointers& to) {
                      const std::string& json = config.reveal();
                      return reconfigure(to.call, instance, json.data(), json.size());
                    });
}

Status Adapter::stop(const CallOptions& options) {
  Status stopped = call_plain("stop", table_.stop, options);
  host_.close();
  return stopped;
}

// ---- Node ----

Status Adapter::call_plain(const char* what,
                           vkp_code (*function)(const vkp_call*, vkp_instance*),
                           const CallOptions& options) {
  return calls_.run({what, what}, options, std::make_shared<Sink>(),
                    [function, instance = instance_](const CallPointers& to) {
                      return function(to.call, instance);
                    });
}

Result<std::string> Adapter::call_for_object(const CallPlan& plan,
                                             std::size_t max_bytes,
                                             const CallOptions& options,
                                             PluginCalls::Body body) {
  const auto sink = std::make_shared<TextSink>(max_bytes);
  VKHOST_TRY(calls_.run(plan, options, sink, std::move(body)));
  std::optional<std::string> text = sink->text();
  if (!text) {
    return calls_.empty_result(plan.what);
  }
  if (const Status valid = validate_json_object(*text, VKP_MAX_JSON_DEPTH); !valid.is_ok()) {
    return calls_.invalid_result(plan.what, "its document: " + valid.message());
  }
  return *std::move(text);
}

Result<std::string> Adapter::node(std::string_view node_name, const CallOptions& options) {
  return call_for_object(
      {"node", "node"}, VKP_MAX_NODE_BYTES, options,
      [&table = table_, instance = instance_, name = std::string(node_name)](const auto& to) {
        const vkp_node_request out{sizeof(out), as_text(name)};
        return table.node(to.call, instance, &out, to.text);
      });
}

Status Adapter::ping(const CallOptions& options) {
  return call_plain("ping", table_.ping, options);
}

Result<std::vector<RecoverVerdict>> Adapter::recover_pods(const std::vector<RecoverPod>& pods,
                                                          bool last,
                                                          const CallOptions& options) {
  if (pods.size() > VKP_MAX_RECOVER_BATCH) {
    return invalid_argument("a batch of " + std::to_string(pods.size()) + " pods; the limit is " +
                            std::to_string(VKP_MAX_RECOVER_BATCH));
  }
  std::vector<OwnedPod> owned;
  for (const RecoverPod& pod : pods) {
    VKHOST_TRY(check_ref(pod.ref));
    owned.push_back({pod.ref, std::string(pod.pod_json), {}});
  }
  const auto sink = std::make_shared<RecoverSink>(pods);
  const bool first = std::exchange(recover_begins_, true);  // so it stays when the call fails
  VKHOST_TRY(calls_.run({"recover_pods", "recover_pods"}, options, sink,
                        [&table = table_, instance = instance_, owned = std::move(owned), first,
                         last](const auto& to) {
                          std::vector<vkp_pod_ref> refs;
                          std::vector<vkp_recover_pod> out;
                          std::vector<const vkp_recover_pod*> pointers;
                          refs.reserve(owned.size());
                          out.reserve(owned.size());
                          for (const OwnedPod& pod : owned) {
                            refs.push_back(as_ref(pod.ref));
                            out.push_back(
                                {sizeof(vkp_recover_pod), &refs.back(), as_text(pod.pod_json)});
                            pointers.push_back(&out.back());
                          }
                          const vkp_recover_request request{
                              sizeof(request), pointers.size(), pointers.data(), first, last, {}};
                          return table.recover_pods(to.call, instance, &request, to.recover);
                        }));
  recover_begins_ = last;
  return sink->verdicts();
}

// ---- Pods ----

CreateOutcome Adapter::create_pod(const CreatePod& request, const CallOptions& options) {
  Status fits = check_ref(request.ref);
  if (fits.is_ok()) {
    fits = check_documents(request.pod_json, request.material_json);
  }
  if (!fits.is_ok()) {
    return {std::move(fits), std::nullopt};
  }
  const auto sink = std::make_shared<TextSink>(VKP_MAX_HANDLE_BYTES);
  Status status =
      calls_.run(pod_plan("create_pod", request.ref), options, sink,
                 [&table = table_, instance = instance_, why = request.why,
                  pod = OwnedPod{request.ref, std::string(request.pod_json),
                                 std::string(request.material_json)}](const CallPointers& to) {
                   const vkp_pod_ref ref = as_ref(pod.ref);
                   const vkp_create_pod_request out{sizeof(out),
                                                    &ref,
                                                    as_text(pod.pod_json),
                                                    as_text(pod.material_json),
                                                    static_cast<std::int32_t>(why),
                                                    0};
                   return table.create_pod(to.call, instance, &out, to.text);
                 });
  return {std::move(status), sink->text()};
}

Result<std::vector<UpdateAnswer>> Adapter::update_pod(const UpdatePod& request,
                                                      const CallOptions& options) {
  VKHOST_TRY(check_ref(request.ref));
  VKHOST_TRY(check_documents(request.pod_json, request.material_json));
  const auto sink = std::make_shared<UpdateSink>(request.changed);
  VKHOST_TRY(
      calls_.run(pod_plan("update_pod", request.ref), options, sink,
                 [&table = table_, instance = instance_, changed = request.changed,
                  pod = OwnedPod{request.ref, std::string(request.pod_json),
                                 std::string(request.material_json)}](const CallPointers& to) {
                   const vkp_pod_ref ref = as_ref(pod.ref);
                   const vkp_update_pod_request out{sizeof(out), &ref, as_text(pod.pod_json),
                                                    as_text(pod.material_json), changed};
                   return table.update_pod(to.call, instance, &out, to.update);
                 }));
  return sink->answers();
}

Status Adapter::delete_pod(const DeletePod& request, const CallOptions& options) {
  VKHOST_TRY(check_ref(request.ref));
  return calls_.run(
      pod_plan("delete_pod", request.ref), options, std::make_shared<Sink>(),
      [&table = table_, instance = instance_, grace = request.grace, reason = request.reason,
       pod = OwnedPod{request.ref, std::string(request.pod_json), {}}](const CallPointers& to) {
        const vkp_pod_ref ref = as_ref(pod.ref);
        const vkp_delete_pod_request out{sizeof(out),
                                         &ref,
                                         as_text(pod.pod_json),
                                         std::max<std::int64_t>(grace.count(), 0),
                                         static_cast<std::int32_t>(reason),
                                         0};
        return table.delete_pod(to.call, instance, &out);
      });
}

Result<std::vector<Finding>> Adapter::explain(std::string_view pod_json,
                                              const CallOptions& options) {
  if (explain_.explain == nullptr) {
    return std::vector<Finding>();
  }
  VKHOST_TRY(check_documents(pod_json, {}));
  const auto sink = std::make_shared<FindingSink>();
  VKHOST_TRY(calls_.run({"explain", "explain"}, options, sink,
                        [explain = explain_.explain, instance = instance_,
                         pod = std::string(pod_json)](const CallPointers& to) {
                          return explain(to.call, instance, pod.data(), pod.size(), to.findings);
                        }));
  return sink->findings();
}

Result<PodList> Adapter::list_pods(const std::vector<std::string>& uids,
                                   const CallOptions& options) {
  const auto sink = std::make_shared<ListSink>(uids);
  const Status status =
      calls_.run({"list_pods", "list_pods"}, options, sink,
                 [&table = table_, instance = instance_, uids](const CallPointers& to) {
                   std::vector<vkp_str> texts;
                   texts.reserve(uids.size());
                   for (const std::string& uid : uids) {
                     texts.push_back(as_text(uid));
                   }
                   const vkp_list_pods_request out{sizeof(out), texts.size(), texts.data()};
                   return table.list_pods(to.call, instance, &out, to.list);
                 });
  if (const std::string fault = sink->fault(); !fault.empty()) {
    log_.warn("an item of the plugin's list was refused", {{"error", fault}});
  }
  PodList list = sink->take();
  if (!status.is_ok() && list.pods.empty()) {
    return status;
  }
  list.complete = list.complete && status.is_ok();
  list.status = status;
  return list;
}

}  // namespace vkhost::plugin
