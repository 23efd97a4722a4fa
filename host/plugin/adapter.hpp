// Adapter: one provider instance behind the C table, as the host's interface Provider.
//
// Made by Library::create, used as provider.hpp says. Each call goes through PluginCalls (thread,
// deadline, cancel, fence); arguments are copied first, since a hanging call may outlive its caller.
// The destructor destroys the instance, unless a call still stands inside it: then it is left.
#pragma once

#include "base/thread_pool.hpp"
#include "observe/log.hpp"
#include "plugin/host_table.hpp"
#include "plugin/plugin_call.hpp"
#include "plugin/provider.hpp"

#include <vkhost/provider.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

struct AdapterParts {
  const vkp_plugin_table& table;  // outlives every call, the stuck ones too
  CallParts calls;
  std::shared_ptr<const void> library;  // let go when the instance is destroyed
};

class Adapter final : public Provider {
 public:
  // Calls `create` and `capabilities` of the plugin.
  static Result<std::unique_ptr<Adapter>> create(AdapterParts parts,
                                                 const InstanceRequest& request,
                                                 HostTable& host,
                                                 const CallOptions& options);
  ~Adapter() override;
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  [[nodiscard]] const Capabilities& capabilities() const override { return capabilities_; }
  Result<std::string> node(std::string_view node_name, const CallOptions& options) override;
  Status ping(const CallOptions& options) override;
  Result<std::vector<RecoverVerdict>> recover_pods(const std::vector<RecoverPod>& pods,
                                                   bool last,
                                                   const CallOptions& options) override;
  Status start(const StartNode& node, const CallOptions& options) override;
  CreateOutcome create_pod(const CreatePod& request, const CallOptions& options) override;
  Result<std::vector<UpdateAnswer>> update_pod(const UpdatePod& request,
                                               const CallOptions& options) override;
  Status delete_pod(const DeletePod& request, const CallOptions& options) override;
  Result<PodList> list_pods(const std::vector<std::string>& uids,
                            const CallOptions& options) override;
  Result<std::vector<Finding>> explain(std::string_view pod_json,
                                       const CallOptions& options) override;
  Status reconfigure(std::string_view config_json, const CallOptions& options) override;
  Status stop(const CallOptions& options) override;

  // Calls that were abandoned and have not returned yet.
  [[nodiscard]] std::size_t stuck_calls() const { return calls_.stuck(); }
  // For the conformance checker: host calls after stop, which a correct plugin never makes.
  [[nodiscard]] std::uint64_t late_host_calls() const { return host_.late_calls(); }

 private:
  Adapter(AdapterParts parts, HostTable& host);

  Status read_capabilities(const CallOptions& options);
  // The plugin's table of that id, or null.
  Result<const void*> extension(std::string_view id, const CallOptions& options);
  Status call_plain(const char* what,
                    vkp_code (*function)(const vkp_call*, vkp_instance*),
                    const CallOptions& options);
  // A call whose result is one JSON object.
  Result<std::string> call_for_object(const CallPlan& plan,
                                      std::size_t max_bytes,
                                      const CallOptions& options,
                                      PluginCalls::Body body);

  const vkp_plugin_table& table_;
  std::shared_ptr<const void> library_;
  HostTable& host_;
  const observe::Logger log_;
  PluginCalls calls_;
  vkp_instance* instance_ = nullptr;
  bool created_ = false;
  Capabilities capabilities_;
  // Their functions are null where the plugin has no such extension.
  vkp_explain explain_{};
  vkp_reconfigure reconfigure_{};
  bool recover_begins_ = true;  // the next batch is the first of a round
};

}  // namespace vkhost::plugin
