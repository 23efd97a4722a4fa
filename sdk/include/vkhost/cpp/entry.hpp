// From the C tables of the ABI to the virtual functions of a Provider class: what
// VKHOST_EXPORT_PROVIDER is made of. Authors need not read it.
//
// Every function here is a fence: it is noexcept and turns whatever the provider throws into a code
// and its details, since nothing may cross into C. The tables are constants, so that the host finds
// magic, version and size in the file before any code of the plugin has run.
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/call.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/cpp/extensions.hpp>
#include <vkhost/cpp/host.hpp>
#include <vkhost/cpp/requests.hpp>
#include <vkhost/cpp/stream.hpp>
#include <vkhost/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace vkhost::sdk::detail {

inline vkp_code fail(const vkp_call* call, const Error& error) noexcept {
  const vkp_error raw = error.raw();
  call->fail(call, &raw);
  // A thrown OK would be taken for success.
  return raw.code == VKP_OK ? VKP_INTERNAL : raw.code;
}

inline vkp_code fail(const vkp_call* call, const char* message) noexcept {
  auto raw = sized<vkp_error>();
  raw.reason = str("UnexpectedException");
  raw.message = str(message);
  call->fail(call, &raw);
  return VKP_INTERNAL;
}

template <class Body>
vkp_code fenced(const vkp_call* raw, const Body& body) noexcept {
  try {
    const Call call(raw);
    body(call);
    return VKP_OK;
  } catch (const Error& error) {
    return fail(raw, error);
  } catch (const std::exception& error) {
    return fail(raw, error.what());
  } catch (...) {
    return fail(raw, "an exception of a type that says nothing");
  }
}

template <class P>
P& provider(vkp_instance* instance) noexcept {
  return *reinterpret_cast<P*>(instance);
}

inline void write(vkp_exit* outcome, Exit exit) noexcept {
  outcome->kind = exit.kind;
  outcome->value = exit.value;
}

// ---- Extensions: one table for each, made only for classes that derive from the interface ----

template <class P>
struct LogsEntries {
  static vkp_code logs(const vkp_call* raw,
                       vkp_instance* instance,
                       const vkp_logs_request* request,
                       const vkp_stream* stream) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).logs(call, LogsRequest(*request), Stream(stream));
    });
  }
  static constexpr vkp_logs kTable{sizeof(vkp_logs), &logs};
};

template <class P>
struct ExecEntries {
  static vkp_code exec(const vkp_call* raw,
                       vkp_instance* instance,
                       const vkp_exec_request* request,
                       const vkp_stream* stream,
                       vkp_exit* outcome) noexcept {
    return fenced(raw, [&](const Call& call) {
      write(outcome, provider<P>(instance).exec(call, ExecRequest(*request), Stream(stream)));
    });
  }
  static constexpr vkp_exec kTable{sizeof(vkp_exec), &exec};
};

template <class P>
struct AttachEntries {
  static vkp_code attach(const vkp_call* raw,
                         vkp_instance* instance,
                         const vkp_attach_request* request,
                         const vkp_stream* stream,
                         vkp_exit* outcome) noexcept {
    return fenced(raw, [&](const Call& call) {
      write(outcome, provider<P>(instance).attach(call, AttachRequest(*request), Stream(stream)));
    });
  }
  static constexpr vkp_attach kTable{sizeof(vkp_attach), &attach};
};

template <class P>
struct PortForwardEntries {
  static vkp_code port_forward(const vkp_call* raw,
                               vkp_instance* instance,
                               const vkp_port_forward_request* request,
                               const vkp_stream* stream) noexcept {
    return fenced(raw, [&](const Call& call) {
      if (request->port == 0 || request->port > UINT16_MAX) {
        throw Error(Code::InvalidArgument, "InvalidPort", "a port is a number from 1 to 65535");
      }
      const auto port = static_cast<std::uint16_t>(request->port);
      provider<P>(instance).port_forward(call, PodRef(*request->ref), port, Stream(stream));
    });
  }
  static constexpr vkp_port_forward kTable{sizeof(vkp_port_forward), &port_forward};
};

template <class P>
struct StatsEntries {
  static vkp_code stats(const vkp_call* raw,
                        vkp_instance* instance,
                        const vkp_stats_sink* out) noexcept {
    return fenced(raw,
                  [&](const Call& call) { provider<P>(instance).stats(call, StatsSink(out)); });
  }
  static constexpr vkp_stats kTable{sizeof(vkp_stats), &stats};
};

template <class P>
struct ReserveEntries {
  static vkp_code reserve_pod(const vkp_call* raw,
                              vkp_instance* instance,
                              const vkp_reserve_pod_request* request,
                              const vkp_text_sink* handle) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).reserve_pod(call, ReservePod(*request), TextSink(handle));
    });
  }
  static constexpr vkp_reserve kTable{sizeof(vkp_reserve), &reserve_pod};
};

template <class P>
struct ExplainEntries {
  static vkp_code explain(const vkp_call* raw,
                          vkp_instance* instance,
                          const char* pod,
                          std::size_t size,
                          const vkp_finding_sink* out) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).explain(call, view(pod, size), FindingSink(out));
    });
  }
  static constexpr vkp_explain kTable{sizeof(vkp_explain), &explain};
};

template <class P>
struct ReconfigureEntries {
  static vkp_code reconfigure(const vkp_call* raw,
                              vkp_instance* instance,
                              const char* config,
                              std::size_t size) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).reconfigure(call, view(config, size));
    });
  }
  static constexpr vkp_reconfigure kTable{sizeof(vkp_reconfigure), &reconfigure};
};

template <class P>
struct RetireEntries {
  static vkp_code retire(const vkp_call* raw, vkp_instance* instance) noexcept {
    return fenced(raw, [&](const Call& call) { provider<P>(instance).retire(call); });
  }
  static constexpr vkp_retire kTable{sizeof(vkp_retire), &retire};
};

template <class P>
struct ContainersEntries {
  static vkp_code start_container(const vkp_call* raw,
                                  vkp_instance* instance,
                                  const vkp_start_container_request* request) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).start_container(call, ContainerRun(*request->run),
                                            view(request->pod_json), view(request->material_json));
    });
  }
  static vkp_code stop_container(const vkp_call* raw,
                                 vkp_instance* instance,
                                 const vkp_container_run* run,
                                 std::int64_t grace_ms) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).stop_container(call, ContainerRun(*run),
                                           std::chrono::milliseconds(grace_ms));
    });
  }
  static vkp_code wait_container(const vkp_call* raw,
                                 vkp_instance* instance,
                                 const vkp_container_run* run,
                                 vkp_exit* outcome) noexcept {
    return fenced(raw, [&](const Call& call) {
      write(outcome, provider<P>(instance).wait_container(call, ContainerRun(*run)));
    });
  }
  static constexpr vkp_containers kTable{sizeof(vkp_containers), &start_container, &stop_container,
                                         &wait_container};
};

template <class P, class Interface, template <class> class Entries>
const void* offer(std::string_view wanted, std::string_view id) noexcept {
  if constexpr (std::is_base_of_v<Interface, P>) {
    return wanted == id ? &Entries<P>::kTable : nullptr;
  } else {
    return nullptr;
  }
}

// ---- The core table ----

template <class P>
struct Entry {
  static vkp_code describe(const vkp_call* raw, const vkp_text_sink* out) noexcept {
    return fenced(raw, [&](const Call&) { TextSink(out).put(P::describe()); });
  }

  static vkp_code init(const vkp_call* raw, const vkp_host* library_host) noexcept {
    return fenced(raw, [&](const Call& call) { P::init(call, Host(library_host)); });
  }

  static vkp_code check_config(const vkp_call* raw,
                               const char* config,
                               std::size_t size,
                               const vkp_problem_sink* problems) noexcept {
    return fenced(raw,
                  [&](const Call&) { P::check_config(view(config, size), ProblemSink(problems)); });
  }

  static vkp_code create(const vkp_call* raw,
                         const vkp_host* host,
                         const vkp_instance_request* request,
                         vkp_instance** instance) noexcept {
    return fenced(raw, [&](const Call&) {
      auto made = std::make_unique<P>(Host(host), InstanceRequest(*request));
      *instance = reinterpret_cast<vkp_instance*>(made.release());
    });
  }

  static vkp_code capabilities(const vkp_call* raw,
                               vkp_instance* instance,
                               const vkp_text_sink* out) noexcept {
    return fenced(raw,
                  [&](const Call&) { TextSink(out).put(provider<P>(instance).capabilities()); });
  }

  static vkp_code node(const vkp_call* raw,
                       vkp_instance* instance,
                       const vkp_node_request* request,
                       const vkp_text_sink* out) noexcept {
    return fenced(raw, [&](const Call& call) {
      TextSink(out).put(provider<P>(instance).node(call, NodeRequest(*request)));
    });
  }

  static vkp_code ping(const vkp_call* raw, vkp_instance* instance) noexcept {
    return fenced(raw, [&](const Call& call) { provider<P>(instance).ping(call); });
  }

  static vkp_code recover_pods(const vkp_call* raw,
                               vkp_instance* instance,
                               const vkp_recover_request* request,
                               const vkp_recover_sink* out) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).recover_pods(call, RecoverBatch(*request), RecoverSink(out));
    });
  }

  static vkp_code start(const vkp_call* raw,
                        vkp_instance* instance,
                        const vkp_start_request* request) noexcept {
    return fenced(
        raw, [&](const Call& call) { provider<P>(instance).start(call, StartRequest(*request)); });
  }

  static vkp_code create_pod(const vkp_call* raw,
                             vkp_instance* instance,
                             const vkp_create_pod_request* request,
                             const vkp_text_sink* handle) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).create_pod(call, CreatePod(*request), TextSink(handle));
    });
  }

  static vkp_code update_pod(const vkp_call* raw,
                             vkp_instance* instance,
                             const vkp_update_pod_request* request,
                             const vkp_update_sink* out) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).update_pod(call, UpdatePod(*request), UpdateSink(out));
    });
  }

  static vkp_code delete_pod(const vkp_call* raw,
                             vkp_instance* instance,
                             const vkp_delete_pod_request* request) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).delete_pod(call, DeletePod(*request));
    });
  }

  static vkp_code list_pods(const vkp_call* raw,
                            vkp_instance* instance,
                            const vkp_list_pods_request* request,
                            const vkp_list_sink* out) noexcept {
    return fenced(raw, [&](const Call& call) {
      provider<P>(instance).list_pods(call, ListPods(*request), ListSink(out));
    });
  }

  static vkp_code stop(const vkp_call* raw, vkp_instance* instance) noexcept {
    return fenced(raw, [&](const Call& call) { provider<P>(instance).stop(call); });
  }

  static void destroy(vkp_instance* instance) noexcept { delete &provider<P>(instance); }

  static void shutdown() noexcept {
    try {
      P::shutdown();
    } catch (...) {  // NOLINT(bugprone-empty-catch): the process ends, nobody is left to tell
    }
  }

  static const void* get_extension(const char* id, std::size_t size) noexcept {
    const std::string_view wanted = view(id, size);
    for (const void* found :
         {offer<P, LogsProvider, LogsEntries>(wanted, VKP_EXT_LOGS),
          offer<P, ExecProvider, ExecEntries>(wanted, VKP_EXT_EXEC),
          offer<P, AttachProvider, AttachEntries>(wanted, VKP_EXT_ATTACH),
          offer<P, PortForwardProvider, PortForwardEntries>(wanted, VKP_EXT_PORT_FORWARD),
          offer<P, StatsProvider, StatsEntries>(wanted, VKP_EXT_STATS),
          offer<P, ReserveProvider, ReserveEntries>(wanted, VKP_EXT_RESERVE),
          offer<P, ExplainProvider, ExplainEntries>(wanted, VKP_EXT_EXPLAIN),
          offer<P, ReconfigureProvider, ReconfigureEntries>(wanted, VKP_EXT_RECONFIGURE),
          offer<P, RetireProvider, RetireEntries>(wanted, VKP_EXT_RETIRE),
          offer<P, ContainersProvider, ContainersEntries>(wanted, VKP_EXT_CONTAINERS)}) {
      if (found != nullptr) {
        return found;
      }
    }
    return P::other_extension(wanted);
  }

  static constexpr vkp_plugin_table table() noexcept {
    return {VKP_MAGIC,     VKP_ABI_MAJOR, VKP_ABI_MINOR, sizeof(vkp_plugin_table),
            &describe,     &init,         &check_config, &create,
            &capabilities, &node,         &ping,         &recover_pods,
            &start,        &create_pod,   &update_pod,   &delete_pod,
            &list_pods,    &stop,         &destroy,      &shutdown,
            &get_extension};
  }
};

}  // namespace vkhost::sdk::detail
