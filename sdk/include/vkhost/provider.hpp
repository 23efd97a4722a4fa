// The C++ layer for plugin authors over provider.h: derive from Provider, and from the abilities of
// cpp/extensions.hpp that it has, and export the class with one line. C++17 or later, the standard
// library alone.
//
//   class MyProvider : public vkhost::sdk::Provider, public vkhost::sdk::LogsProvider { … };
//   VKHOST_EXPORT_PROVIDER(MyProvider)
//
// The host calls every function; the thread contract of each is the one named in provider.h, and
// several run at once. Any exception is caught at the boundary: throw Error to say more.
#pragma once

// IWYU pragma: begin_exports
#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/call.hpp>
#include <vkhost/cpp/entry.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/cpp/extensions.hpp>
#include <vkhost/cpp/host.hpp>
#include <vkhost/cpp/host_extensions.hpp>
#include <vkhost/cpp/json.hpp>
#include <vkhost/cpp/requests.hpp>
#include <vkhost/cpp/stream.hpp>
#include <vkhost/cpp/time.hpp>
#include <vkhost/provider.h>
// IWYU pragma: end_exports

#include <string>
#include <string_view>

namespace vkhost::sdk {

// One instance of the provider, for one node. A class that is exported has besides:
//
//   MyProvider(Host host, const InstanceRequest& request);   [instance], no network; may throw
//   static std::string describe();                           the JSON of vkp_plugin_table::describe
//
// and, where it needs them, functions of its own in place of the static ones below.
class Provider {
 public:
  Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual ~Provider() = default;

  // ---- Of the library ----

  // [library] Once, before any instance: what instances share begins here and ends in shutdown.
  static void init(const Call& /*call*/, Host /*library_host*/) {}
  // [any-thread] What a schema cannot say about the settings.
  static void check_config(std::string_view /*config_json*/, const ProblemSink& /*problems*/) {}
  // [library] Once, after the last instance is destroyed.
  static void shutdown() {}
  // [any-thread] [no-block] Table of an extension that this layer does not know, or null.
  static const void* other_extension(std::string_view /*id*/) { return nullptr; }

  // ---- Of the instance ----

  // [instance] The JSON of vkp_plugin_table::capabilities, once.
  virtual std::string capabilities() = 0;
  // [node-serial] The node this instance stands for, as v1.Node JSON.
  virtual std::string node(const Call& call, const NodeRequest& request) = 0;
  // [node-serial] Throws when the back end cannot be used; the reason shows in the node's Ready. May come
  // without a start.
  virtual void ping(const Call& call) = 0;
  // [instance] Every pod of the node, before start, answered from the batch alone. One without an
  // answer counts as Unknown.
  virtual void recover_pods(const Call& call,
                            const RecoverBatch& batch,
                            const RecoverSink& out) = 0;
  // [instance] From here on the instance may use the network and push.
  virtual void start(const Call& /*call*/, const StartRequest& /*request*/) {}
  // [pod-serial] Accepts this pod and returns; idempotent by UID. See vkp_plugin_table::create_pod.
  virtual void create_pod(const Call& call, const CreatePod& request, const TextSink& handle) = 0;
  // [pod-serial] Answers each changed bit; by default none can be changed.
  virtual void update_pod(const Call& /*call*/, const UpdatePod& request, const UpdateSink& out) {
    out.put(request.changed, UpdateOutcome::Unsupported, "this provider cannot change a pod");
  }
  // [pod-serial] Accepts the end of this pod and returns; final status and `gone` are pushed.
  // Code::NotFound: nothing of it is left, which counts as gone.
  virtual void delete_pod(const Call& call, const DeletePod& request) = 0;
  // [node-serial] What the back end holds; ends with out.complete() when that was everything.
  virtual void list_pods(const Call& call, const ListPods& request, const ListSink& out) = 0;
  // [instance] The end of work, never of pods. Afterwards nothing of the host is called but log.
  virtual void stop(const Call& /*call*/) {}
};

}  // namespace vkhost::sdk

// Exports PluginClass as the provider of this library; once, outside any namespace. The table is a
// constant of the file. (It is declared `extern` in provider.h, without which a C++ constant would
// not be visible to anybody.)
#define VKHOST_EXPORT_PROVIDER(PluginClass)          \
  extern "C" constexpr vkp_plugin_table vkp_plugin = \
      ::vkhost::sdk::detail::Entry<PluginClass>::table();
