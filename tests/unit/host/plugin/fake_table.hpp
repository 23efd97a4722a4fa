// FakePlugin: a plugin's table whose functions are lambdas of the test. What the test does not set
// answers OK and does nothing. One at a time.
#pragma once

#include <vkhost/provider.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace vkhost::plugin {

struct FakePlugin {
  std::function<vkp_code(const vkp_call*, const vkp_host*, const vkp_instance_request*)> create;
  std::function<vkp_code(const vkp_text_sink*)> capabilities = [](const vkp_text_sink* out) {
    return put(out, R"({"status_updates": "push"})");
  };
  std::function<vkp_code(const vkp_node_request*, const vkp_text_sink*)> node;
  std::function<vkp_code(const vkp_call*)> ping;
  std::function<vkp_code(const vkp_recover_request*, const vkp_recover_sink*)> recover_pods;
  std::function<vkp_code(const vkp_start_request*)> start;
  std::function<vkp_code(const vkp_call*, const vkp_create_pod_request*, const vkp_text_sink*)>
      create_pod;
  std::function<vkp_code(const vkp_update_pod_request*, const vkp_update_sink*)> update_pod;
  std::function<vkp_code(const vkp_call*, const vkp_delete_pod_request*)> delete_pod;
  std::function<vkp_code(const vkp_call*, const vkp_list_pods_request*, const vkp_list_sink*)>
      list_pods;
  std::function<vkp_code(const vkp_call*)> stop;
  std::function<vkp_code(const vkp_call*, std::string_view, const vkp_finding_sink*)> explain;
  std::function<vkp_code(const vkp_call*, std::string_view)> reconfigure;
  std::function<void()> destroy;
  bool gives_instance = true;
  bool has_short_tables = false;  // of extensions: they end before their first function

  FakePlugin() { current() = this; }
  FakePlugin(const FakePlugin&) = delete;
  FakePlugin& operator=(const FakePlugin&) = delete;

  static vkp_code put(const vkp_text_sink* out, std::string_view text) {
    return out->put(out, text.data(), text.size());
  }

  static const vkp_plugin_table& table() {
    static const vkp_plugin_table table = make_table();
    return table;
  }

 private:
  static const void* short_table() {
    static const std::uint64_t size = sizeof(std::uint64_t);
    return &size;
  }
  static FakePlugin*& current() {
    static FakePlugin* plugin = nullptr;
    return plugin;
  }
  static FakePlugin& of(vkp_instance* instance) { return *reinterpret_cast<FakePlugin*>(instance); }

  template <typename... Given, typename... Used>
  static vkp_code call(const std::function<vkp_code(Given...)>& function, Used... used) {
    return function ? function(used...) : VKP_OK;
  }

  static vkp_plugin_table make_table() {
    vkp_plugin_table table{};
    table.magic = VKP_MAGIC;
    table.abi_major = VKP_ABI_MAJOR;
    table.abi_minor = VKP_ABI_MINOR;
    table.size = sizeof(table);
    table.create = [](const vkp_call* context, const vkp_host* host,
                      const vkp_instance_request* request, vkp_instance** instance) {
      if (current()->gives_instance) {
        *instance = reinterpret_cast<vkp_instance*>(current());
      }
      return call(current()->create, context, host, request);
    };
    table.capabilities = [](const vkp_call* /*context*/, vkp_instance* instance,
                            const vkp_text_sink* out) {
      return call(of(instance).capabilities, out);
    };
    table.node = [](const vkp_call* /*context*/, vkp_instance* instance,
                    const vkp_node_request* request,
                    const vkp_text_sink* out) { return call(of(instance).node, request, out); };
    table.ping = [](const vkp_call* context, vkp_instance* instance) {
      return call(of(instance).ping, context);
    };
    table.recover_pods = [](const vkp_call* /*context*/, vkp_instance* instance,
                            const vkp_recover_request* request, const vkp_recover_sink* out) {
      return call(of(instance).recover_pods, request, out);
    };
    table.start = [](const vkp_call* /*context*/, vkp_instance* instance,
                     const vkp_start_request* request) {
      return call(of(instance).start, request);
    };
    table.create_pod = [](const vkp_call* context, vkp_instance* instance,
                          const vkp_create_pod_request* request, const vkp_text_sink* handle) {
      return call(of(instance).create_pod, context, request, handle);
    };
    table.update_pod = [](const vkp_call* /*context*/, vkp_instance* instance,
                          const vkp_update_pod_request* request, const vkp_update_sink* out) {
      return call(of(instance).update_pod, request, out);
    };
    table.delete_pod = [](const vkp_call* context, vkp_instance* instance,
                          const vkp_delete_pod_request* request) {
      return call(of(instance).delete_pod, context, request);
    };
    table.list_pods = [](const vkp_call* context, vkp_instance* instance,
                         const vkp_list_pods_request* request, const vkp_list_sink* out) {
      return call(of(instance).list_pods, context, request, out);
    };
    table.stop = [](const vkp_call* context, vkp_instance* instance) {
      return call(of(instance).stop, context);
    };
    table.destroy = [](vkp_instance* instance) {
      if (of(instance).destroy) {
        of(instance).destroy();
      }
    };
    table.get_extension = [](const char* id, std::size_t size) -> const void* {
      static const vkp_explain explain{
          sizeof(vkp_explain), [](const vkp_call* context, vkp_instance* instance, const char* pod,
                                  std::size_t length, const vkp_finding_sink* out) {
            return call(of(instance).explain, context, std::string_view(pod, length), out);
          }};
      static const vkp_reconfigure reconfigure{
          sizeof(vkp_reconfigure), [](const vkp_call* context, vkp_instance* instance,
                                      const char* config, std::size_t length) {
            return call(of(instance).reconfigure, context, std::string_view(config, length));
          }};
      const std::string_view asked(id, size);
      if (asked == VKP_EXT_RECONFIGURE && current()->reconfigure) {
        return current()->has_short_tables ? short_table() : static_cast<const void*>(&reconfigure);
      }
      return asked == VKP_EXT_EXPLAIN && current()->explain ? &explain : nullptr;
    };
    return table;
  }
};

}  // namespace vkhost::plugin
