/* vkhost provider ABI: what a provider plugin exports and what the host offers to it.
 *
 * A plugin is a shared library with one exported symbol, `vkp_plugin`: a constant table of type
 * vkp_plugin_table. The host reads the head of that table from the file before it loads any code,
 * loads the library once per process, and makes one instance of the provider for each virtual node.
 *
 *   load -> describe -> init                            once per library
 *     -> check_config -> create -> capabilities         once per node
 *     -> node -> recover_pods -> start -> (work) -> stop -> destroy
 *   -> shutdown                                         once per library; it is never unloaded
 *
 * Conventions, said once:
 *  1. Strings are UTF-8, pointer and length, not terminated. JSON documents are strings. A pointer
 *     with length 0 may be null.
 *  2. Every table and every struct begins with its own `size`, written by whoever fills it. A reader
 *     neither reads nor writes beyond it; what is missing counts as zero: not supported, or the
 *     default that the member's comment names. vkp_str alone has no size: it will never change.
 *  3. Structs cross by pointer. An array is a count and an array of pointers (of vkp_str: an array).
 *  4. Nobody frees what the other side allocated. Results go into a sink, which copies. Pointers are
 *     valid during the call, unless a comment says otherwise.
 *  5. Calls return a vkp_code. Details go through vkp_call.fail. Out of memory is not reported.
 *  6. Durations are ..._ms, instants ..._unix_ns (UTC). No monotonic instant crosses.
 *  7. No exception, longjmp or exit crosses the boundary in either direction.
 *  8. The process belongs to all: a plugin does not change the environment, working directory, umask,
 *     locale, limits or signal dispositions, does not fork without exec, and waits only for its own
 *     children.
 *  9. Host functions may be called from any thread with 64 KiB of stack to spare. The host holds no
 *     lock while plugin code runs.
 *
 * Thread contract, named for each function:
 *   [startup]        before any other call to this library or instance, or after all others
 *   [pod-serial]     one at a time for one pod; different pods in parallel
 *   [node-serial]    at most one at a time for this function and instance, beside all others
 *   [any-thread]     concurrently from anywhere
 *   [no-block]       returns at once; also allowed inside a host call or a cancel callback
 *
 * This is a draft (major 0): host and plugin must agree on major and minor exactly. From 1.0 on a
 * minor version only appends members; the comment "since 0.x" marks them.
 */
#ifndef VKHOST_PROVIDER_H
#define VKHOST_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VKP_ABI_MAJOR 0
#define VKP_ABI_MINOR 1

/* The bytes "vkplugin", read as a little-endian number. */
#define VKP_MAGIC UINT64_C(0x6e6967756c706b76)

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Limits. What exceeds them is refused with VKP_INVALID_ARGUMENT, unless said otherwise. ---- */

#define VKP_MAX_HANDLE_BYTES 4096
#define VKP_MAX_STATUS_BYTES (256 * 1024)
#define VKP_MAX_NODE_BYTES (1024 * 1024)
#define VKP_MAX_POD_BYTES (2 * 1024 * 1024)
#define VKP_MAX_MATERIAL_BYTES (32 * 1024 * 1024)
#define VKP_MAX_REASON_BYTES 128   /* cut */
#define VKP_MAX_MESSAGE_BYTES 4096 /* cut */
#define VKP_MAX_JSON_DEPTH 64
#define VKP_MAX_RECOVER_BATCH 500

/* ---- Strings, codes, errors ---- */

typedef struct vkp_str {
  const char* data;
  size_t size;
} vkp_str;

/* Outcome of a call: the canonical codes of google.rpc.Code. A reader takes an unknown number as
 * VKP_UNKNOWN. Only VKP_NOT_FOUND means that something is absent; VKP_UNAVAILABLE means "could not
 * say" and changes nothing. */
typedef int32_t vkp_code;
enum {
  VKP_OK = 0,
  VKP_CANCELLED = 1,
  VKP_UNKNOWN = 2,
  VKP_INVALID_ARGUMENT = 3,
  VKP_DEADLINE_EXCEEDED = 4,
  VKP_NOT_FOUND = 5,
  VKP_ALREADY_EXISTS = 6,
  VKP_PERMISSION_DENIED = 7,
  VKP_RESOURCE_EXHAUSTED = 8,
  VKP_FAILED_PRECONDITION = 9,
  VKP_ABORTED = 10,
  VKP_OUT_OF_RANGE = 11,
  VKP_UNIMPLEMENTED = 12,
  VKP_INTERNAL = 13,
  VKP_UNAVAILABLE = 14,
  VKP_DATA_LOSS = 15,
  VKP_UNAUTHENTICATED = 16
};

/* When the host tries again. Unknown value: back-off. */
enum {
  VKP_RETRY_BACKOFF = 0,
  VKP_RETRY_AFTER = 1, /* not before retry_after_ms */
  VKP_RETRY_NEVER = 2  /* not until the pod or the configuration changes */
};

/* Whether a failed operation took place. Unknown value: unknown. */
enum { VKP_EFFECT_UNKNOWN = 0, VKP_EFFECT_NONE = 1, VKP_EFFECT_HAPPENED = 2 };

/* Whom the fault concerns. With VKP_SCOPE_PROVIDER (expired key, throttled account) the host holds
 * creates and updates of the whole instance, tries with one, and shows the fault once, on the node.
 * Unknown value: pod. */
enum { VKP_SCOPE_POD = 0, VKP_SCOPE_PROVIDER = 1 };

typedef struct vkp_error {
  uint64_t size;
  vkp_str reason;  /* one CamelCase word, shown in conditions and events */
  vkp_str message; /* what was tried, on what, why it failed, what to do; never a secret */
  int64_t retry_after_ms;
  int32_t retry;  /* VKP_RETRY_... */
  int32_t effect; /* VKP_EFFECT_... */
  int32_t scope;  /* VKP_SCOPE_... */
  vkp_code code;  /* read in vkp_pod_change only; a call's code is what it returns */
} vkp_error;

/* ---- What comes with a call ---- */

/* Takes a text result. A sink takes one text; a second write replaces the first. */
typedef struct vkp_text_sink {
  uint64_t size;
  /* Thread:  any thread, during the call that got the sink
   * Blocks:  no
   * Memory:  copies `text`
   * Returns: OK; INVALID_ARGUMENT (not UTF-8, or over the limit) */
  vkp_code (*put)(const struct vkp_text_sink* sink, const char* text, size_t text_size);
} vkp_text_sink;

/* Context of one call, valid until the call returns. */
typedef struct vkp_call {
  uint64_t size;
  int64_t timeout_ms;  /* what remains when the call begins; -1: no deadline (streams) */
  vkp_str traceparent; /* W3C trace context, or empty */

  /* Details of the error that this call is about to return. The last one counts. Without it a
   * failure means: back-off, effect unknown, scope pod.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  copies `error`
   * Returns: nothing */
  void (*fail)(const struct vkp_call* call, const vkp_error* error);

  /* Whether the host has cancelled this call; a passed deadline is a cancel. A cancelled call
   * returns within 5 s and tells the truth: OK if it happened, else VKP_CANCELLED with its effect.
   * One that does not is abandoned: its pointers stay valid until it returns, its pod is reported
   * as stuck.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  none
   * Returns: true once cancelled */
  bool (*cancelled)(const struct vkp_call* call);

  /* Calls `fn(user)` once when the call is cancelled, from any thread, or at once when it already
   * is. `fn` must not block. It is not running any more when off_cancel or the call has returned.
   * Thread:  [any-thread]
   * Blocks:  no
   * Memory:  `user` is the plugin's and must live until off_cancel or the end of the call
   * Returns: a registration for off_cancel, never 0 */
  uint64_t (*on_cancel)(const struct vkp_call* call, void (*fn)(void* user), void* user);

  /* Ends a registration; an unknown one is ignored.
   * Thread:  [any-thread], not from within the callback itself
   * Blocks:  while the callback runs
   * Memory:  none
   * Returns: nothing */
  void (*off_cancel)(const struct vkp_call* call, uint64_t registration);
} vkp_call;

/* Names one pod. Identity is the UID: the same name with another UID is another pod. */
typedef struct vkp_pod_ref {
  uint64_t size;
  vkp_str pod_namespace;
  vkp_str name;
  vkp_str uid;
  vkp_str handle; /* what the provider saved for this UID, or empty. A hint that users can forge:
                     verify owner key and UID in the back end before changing anything by it. */
} vkp_pod_ref;

/* ---- The host, as an instance sees it ---- */

enum {
  VKP_LOG_TRACE = 0,
  VKP_LOG_DEBUG = 1,
  VKP_LOG_INFO = 2,
  VKP_LOG_WARN = 3,
  VKP_LOG_ERROR = 4
};

typedef struct vkp_log_entry {
  uint64_t size;
  vkp_str message;     /* plain text, never a secret; cut at VKP_MAX_MESSAGE_BYTES */
  vkp_str pod_uid;     /* or empty */
  vkp_str fields_json; /* an object of strings, numbers and booleans, or empty */
  int32_t level;       /* VKP_LOG_...; unknown value: info */
  int32_t reserved;
} vkp_log_entry;

/* News of one pod. Members that are empty, null or false say nothing. */
typedef struct vkp_pod_change {
  uint64_t size;
  vkp_str uid;
  /* Grows per pod over the life of the instance and is taken when the back-end read behind this
   * news began. The host drops what is older than what it has; list items carry it too. */
  uint64_t seq;
  /* v1.PodStatus. Required: phase, and for each container its name and state. The host adds what is
   * absent (conditions, qosClass, startTime, hostIP, Ready); what is present wins, conditions merge
   * by type. Container names are those of the spec. */
  vkp_str status_json;
  /* Object of string or null (remove), only under the prefixes named in describe. */
  vkp_str annotations_json;
  /* The work accepted earlier has failed; the host calls create_pod again as the error advises. */
  const vkp_error* error;
  bool gone; /* nothing of this pod is left in the back end: the last news of it */
  uint8_t reserved[7];
} vkp_pod_change;

/* Identity of one instance in every host call, given to `create`; valid until the process ends.
 * `init` gets one for the library, with which only log and get_extension may be used. */
typedef struct vkp_host {
  uint64_t size;

  /* Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  copies `entry`
   * Returns: nothing; allowed from init until the process ends */
  void (*log)(const struct vkp_host* host, const vkp_log_entry* entry);

  /* Thread:  [any-thread] [no-block], from the return of start (or of create_pod, for that pod)
   * Blocks:  no
   * Memory:  copies `change`
   * Returns: OK; NOT_FOUND (no pod of that UID here); INVALID_ARGUMENT (nothing was taken);
   *          CANCELLED (stopping) */
  vkp_code (*pod_changed)(const struct vkp_host* host, const vkp_pod_change* change);

  /* The node looks different now: the host calls `node` again soon. The one way to change capacity.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  none
   * Returns: OK; CANCELLED (stopping) */
  vkp_code (*node_changed)(const struct vkp_host* host);

  /* Keeps the handle of a pod, at any time from the beginning of its reserve_pod or create_pod on.
   * OK means durable. A provider whose back end cannot be searched by UID saves its intent (name,
   * token, attempt) this way before the creating request, and does not send it when saving fails.
   * An empty handle removes it.
   * Thread:  [any-thread]
   * Blocks:  for one write to the API server
   * Memory:  copies
   * Returns: OK; NOT_FOUND (no such pod); INVALID_ARGUMENT (over VKP_MAX_HANDLE_BYTES, not UTF-8);
   *          UNAVAILABLE (not saved: try again); CANCELLED (stopping) */
  vkp_code (*save_handle)(const struct vkp_host* host,
                          const char* uid,
                          size_t uid_size,
                          const char* handle,
                          size_t handle_size);

  /* Table of a host extension, or null. The answer for an id never changes; the table stays valid
   * until the process ends. A plugin that cannot do without one fails `create`, naming it.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  the table is the host's
   * Returns: the table, or null */
  const void* (*get_extension)(const struct vkp_host* host, const char* id, size_t id_size);
} vkp_host;

/* ---- The plugin: core table ---- */

/* One instance of the provider, for one node. Opaque to the host: any value is allowed. */
typedef struct vkp_instance vkp_instance;

/* How bad a problem of the configuration is. Unknown value: error. */
enum { VKP_PROBLEM_ERROR = 0, VKP_PROBLEM_WARNING = 1 };

/* Takes problems of a configuration, one at a time. */
typedef struct vkp_problem_sink {
  uint64_t size;
  /* `pointer` is an RFC 6901 JSON pointer into the configuration ("/region", "" for the whole).
   * Thread:  any thread, during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (not UTF-8 or not a pointer) */
  vkp_code (*put)(const struct vkp_problem_sink* sink,
                  int32_t severity,
                  const char* pointer,
                  size_t pointer_size,
                  const char* text,
                  size_t text_size);
} vkp_problem_sink;

typedef struct vkp_instance_request {
  uint64_t size;
  vkp_str config_json; /* the settings, validated by the schema of describe, defaults filled in */
  /* Object: clusterUID, ownerKey (stable over restarts: the ownership mark), nodeName, address and
   * kubeletPort of this daemon, clusterDomain, mode ("cluster" or "standalone"), hostVersion. */
  vkp_str info_json;
} vkp_instance_request;

/* What recover_pods says of one pod. Unknown value: unknown. */
enum {
  VKP_RECOVER_UNKNOWN = 0, /* cannot tell now: the host asks again by list_pods */
  VKP_RECOVER_ATTACHED = 1,
  VKP_RECOVER_CREATE = 2, /* call create_pod with material: that continues it, or starts it */
  VKP_RECOVER_ABSENT = 3  /* no trace of it and no result */
};

typedef struct vkp_recover_pod {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str pod_json; /* v1.Pod with the last status known; empty when only the handle is left */
} vkp_recover_pod;

typedef struct vkp_recover_request {
  uint64_t size;
  size_t pod_count; /* at most VKP_MAX_RECOVER_BATCH */
  const vkp_recover_pod* const* pods;
  bool last; /* after this batch the provider knows every pod of the node */
  uint8_t reserved[7];
} vkp_recover_request;

typedef struct vkp_recover_sink {
  uint64_t size;
  /* A pod that gets no answer counts as VKP_RECOVER_UNKNOWN.
   * Thread:  any thread, during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; NOT_FOUND (not a pod of this batch) */
  vkp_code (*put)(const struct vkp_recover_sink* sink,
                  const char* uid,
                  size_t uid_size,
                  int32_t verdict);
} vkp_recover_sink;

/* Why create_pod is called. Unknown value: retry. */
enum {
  VKP_CREATE_FIRST = 0,
  VKP_CREATE_RETRY = 1, /* an earlier call or the work after it failed, or the host restarted */
  VKP_CREATE_LOST = 2   /* the workload is known to be lost and wanted again; ref->handle is the old
                           one, from which the provider derives its next attempt */
};

typedef struct vkp_create_pod_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str pod_json;      /* v1.Pod as the API server gave it, unresolved; may be logged */
  vkp_str material_json; /* everything resolved, by container name; never logged */
  int32_t why;           /* VKP_CREATE_... */
  int32_t reserved;
} vkp_create_pod_request;

/* What of the pod changed. A reader ignores unknown bits. */
enum {
  VKP_CHANGED_METADATA = 1 << 0,
  VKP_CHANGED_IMAGE = 1 << 1,
  VKP_CHANGED_RESOURCES = 1 << 2,
  VKP_CHANGED_EPHEMERAL_CONTAINERS = 1 << 3,
  VKP_CHANGED_DEADLINE = 1 << 4,
  VKP_CHANGED_FILES = 1 << 5,
  VKP_CHANGED_TOKENS = 1 << 6,
  VKP_CHANGED_PULL_CREDENTIALS = 1 << 7
};

/* What became of one changed bit. Unknown value: deferred. */
enum {
  VKP_UPDATE_DEFERRED = 0, /* the host tries again */
  VKP_UPDATE_APPLIED = 1,
  VKP_UPDATE_APPLIED_BY_RESTART = 2,
  VKP_UPDATE_INFEASIBLE = 3, /* reported once */
  VKP_UPDATE_UNSUPPORTED = 4 /* reported once */
};

typedef struct vkp_update_pod_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str pod_json;
  vkp_str material_json;
  uint64_t changed; /* VKP_CHANGED_... bits */
} vkp_update_pod_request;

typedef struct vkp_update_sink {
  uint64_t size;
  /* Answers for one or more bits; a bit without an answer is deferred. `text` says why, for
   * infeasible and unsupported.
   * Thread:  any thread, during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (a bit that was not asked for) */
  vkp_code (*put)(const struct vkp_update_sink* sink,
                  uint64_t changed,
                  int32_t outcome,
                  const char* text,
                  size_t text_size);
} vkp_update_sink;

/* Why a pod is deleted. Unknown value: deleted. */
enum {
  VKP_DELETE_DELETED = 0,  /* its object was deleted in the API (or its manifest removed) */
  VKP_DELETE_EVICTED = 1,  /* the host or the provider evicted it */
  VKP_DELETE_FINISHED = 2, /* it ended and its record is not needed any more */
  VKP_DELETE_DEADLINE = 3, /* activeDeadlineSeconds passed */
  VKP_DELETE_ORPHAN = 4,   /* ours in the back end, gone from the API */
  VKP_DELETE_REJECTED = 5  /* it could not be run as specified */
};

typedef struct vkp_delete_pod_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str pod_json; /* empty for an orphan */
  int64_t grace_ms; /* 0: at once */
  int32_t reason;   /* VKP_DELETE_... */
  int32_t reserved;
} vkp_delete_pod_request;

/* By what a listed workload was recognised. Unknown value: legacy, which the host never deletes. */
enum {
  VKP_MARKS_LEGACY = 0, /* matched without a UID */
  VKP_MARKS_OURS = 1    /* bears this owner key and the UID */
};

/* What list_pods knows of one pod. Unknown value: unknown. */
enum {
  VKP_LISTED_UNKNOWN = 0, /* cannot tell, an expired record included */
  VKP_LISTED_PRESENT = 1,
  VKP_LISTED_PRESENT_STATUS_UNKNOWN = 2,
  VKP_LISTED_ABSENT = 3 /* no trace and no result */
};

typedef struct vkp_listed_pod {
  uint64_t size;
  const vkp_pod_ref* ref;
  uint64_t seq;        /* as in vkp_pod_change */
  vkp_str status_json; /* with VKP_LISTED_PRESENT */
  int32_t marks;       /* VKP_MARKS_... */
  int32_t verdict;     /* VKP_LISTED_... */
} vkp_listed_pod;

typedef struct vkp_list_pods_request {
  uint64_t size;
  size_t uid_count; /* 0: all under this owner key */
  const vkp_str* uids;
} vkp_list_pods_request;

typedef struct vkp_list_sink {
  uint64_t size;
  /* Thread:  any thread, during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (that item was not taken) */
  vkp_code (*put)(const struct vkp_list_sink* sink, const vkp_listed_pod* pod);

  /* The list holds everything asked for. Only then does a missing pod count as absent, and only one
   * whose create_pod had returned before list_pods began.
   * Thread:  any thread, during the call
   * Blocks:  no
   * Memory:  none
   * Returns: nothing */
  void (*complete)(const struct vkp_list_sink* sink);
} vkp_list_sink;

/* The one exported symbol. Every function is required, get_extension excepted. */
typedef struct vkp_plugin_table {
  uint64_t magic;     /* VKP_MAGIC */
  uint32_t abi_major; /* VKP_ABI_MAJOR */
  uint32_t abi_minor; /* VKP_ABI_MINOR */
  uint64_t size;      /* sizeof(vkp_plugin_table) */

  /* JSON object: name, version, vendor, license, settingsSchema, annotationPrefixes,
   * metricPrefixes. Name is the provider's word in configuration and logs.
   * Thread:  [startup]
   * Blocks:  no
   * Memory:  `out` is the host's, during the call
   * Returns: OK; INTERNAL */
  vkp_code (*describe)(const vkp_call* call, const vkp_text_sink* out);

  /* Once per library, before any instance. What instances share begins here.
   * Thread:  [startup]
   * Blocks:  yes, until the deadline; no network
   * Memory:  `library_host` stays valid until the process ends
   * Returns: OK; FAILED_PRECONDITION (the library cannot run here) */
  vkp_code (*init)(const vkp_call* call, const vkp_host* library_host);

  /* What a schema cannot say about the settings. Problems go to the sink; the return value says
   * only whether the check could be made.
   * Thread:  [any-thread], also before create and without one
   * Blocks:  no network
   * Memory:  pointers are the host's, during the call
   * Returns: OK; INTERNAL */
  vkp_code (*check_config)(const vkp_call* call,
                           const char* config_json,
                           size_t config_size,
                           const vkp_problem_sink* problems);

  /* A new instance for one node. On failure nothing is left behind and `*instance` is not read.
   * Thread:  [startup]
   * Blocks:  yes, until the deadline; no network
   * Memory:  `host` stays valid until the process ends; `request` during the call; the instance is
   *          the plugin's until destroy
   * Returns: OK; INVALID_ARGUMENT (configuration); FAILED_PRECONDITION (a host extension is missing:
   *          name it) */
  vkp_code (*create)(const vkp_call* call,
                     const vkp_host* host,
                     const vkp_instance_request* request,
                     vkp_instance** instance);

  /* JSON object, once after create: statusUpdates ("push" or "poll"), pollIntervalMs,
   * maxParallelCalls, updates (names of changed bits worth a call), material (names of the kinds
   * used: env, files, tokens, pullCredentials), namesNode, lateEnv, nativeProbes, nativeDeadline,
   * fields (support manifest).
   * Thread:  [startup]
   * Blocks:  no
   * Memory:  `out` is the host's, during the call
   * Returns: OK; INTERNAL */
  vkp_code (*capabilities)(const vkp_call* call, vkp_instance* instance, const vkp_text_sink* out);

  /* The node this instance stands for, as v1.Node JSON: capacity, allocatable, labels, annotations,
   * taints, conditions, nodeInfo, providerID. metadata.name counts in the first answer only, and
   * only with the capability namesNode. Addresses are where the API server dials this daemon:
   * normally left out. Configuration wins over this, this over the host's defaults.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline; may use the network, also before start
   * Memory:  pointers are the host's, during the call
   * Returns: OK; UNAVAILABLE (asked again) */
  vkp_code (*node)(const vkp_call* call,
                   vkp_instance* instance,
                   const char* node_name,
                   size_t node_name_size,
                   const vkp_text_sink* out);

  /* Can the back end be reached and used. Reason and message of a failure show in Ready.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline
   * Memory:  none
   * Returns: OK; UNAVAILABLE; UNAUTHENTICATED; PERMISSION_DENIED */
  vkp_code (*ping)(const vkp_call* call, vkp_instance* instance);

  /* Before start: every pod of the node, in batches, with handle and last status, without material.
   * No back-end call per pod. Only after the last batch may the provider push or tidy what it keeps
   * beside pods (warm pools).
   * Thread:  [startup]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; UNAVAILABLE (the host starts over with the first batch) */
  vkp_code (*recover_pods)(const vkp_call* call,
                           vkp_instance* instance,
                           const vkp_recover_request* request,
                           const vkp_recover_sink* out);

  /* Work begins: from here on the instance may use the network and push.
   * Thread:  [startup]
   * Blocks:  yes, until the deadline
   * Memory:  none
   * Returns: OK; UNAVAILABLE (tried again) */
  vkp_code (*start)(const vkp_call* call, vkp_instance* instance);

  /* Run this pod. Returns once the request is accepted or taken over (aim below 5 s), not when the
   * pod runs; the rest comes by push or list. Idempotent by UID: for work in hand it is OK and
   * changes nothing. What is written to `handle` counts even when the call fails.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; INVALID_ARGUMENT (this pod can never run here); RESOURCE_EXHAUSTED; UNAVAILABLE;
   *          CANCELLED; DEADLINE_EXCEEDED (outcome unknown); PERMISSION_DENIED; UNAUTHENTICATED */
  vkp_code (*create_pod)(const vkp_call* call,
                         vkp_instance* instance,
                         const vkp_create_pod_request* request,
                         const vkp_text_sink* handle);

  /* The desired pod changed. Each changed bit is answered through the sink.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK (see the sink); NOT_FOUND (no such workload); UNAVAILABLE; CANCELLED */
  vkp_code (*update_pod)(const vkp_call* call,
                         vkp_instance* instance,
                         const vkp_update_pod_request* request,
                         const vkp_update_sink* out);

  /* Stop this pod and remove it, for every pod ever passed to create_pod or reserve_pod; again with
   * a shorter grace when the user insists. Deleting what is not there is OK. The provider pushes the
   * final status with exit codes, then `gone`; it returns when the request is accepted.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; UNAVAILABLE; CANCELLED; PERMISSION_DENIED; UNAUTHENTICATED */
  vkp_code (*delete_pod)(const vkp_call* call,
                         vkp_instance* instance,
                         const vkp_delete_pod_request* request);

  /* What the back end holds under this owner key, or what it knows of the given UIDs.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; UNAVAILABLE (could not say: changes nothing); CANCELLED */
  vkp_code (*list_pods)(const vkp_call* call,
                        vkp_instance* instance,
                        const vkp_list_pods_request* request,
                        const vkp_list_sink* out);

  /* The end of work, never of pods. Calls and streams in flight were cancelled and awaited before.
   * After it returns the instance calls nothing but log.
   * Thread:  [startup]
   * Blocks:  yes, until the deadline
   * Memory:  none
   * Returns: OK; any error is logged */
  vkp_code (*stop)(const vkp_call* call, vkp_instance* instance);

  /* Frees the instance; also after a create that was not followed by start.
   * Thread:  [startup]
   * Blocks:  briefly
   * Memory:  the instance ends
   * Returns: nothing */
  void (*destroy)(vkp_instance* instance);

  /* Once, after the last destroy. The library stays mapped.
   * Thread:  [startup]
   * Blocks:  briefly
   * Memory:  none
   * Returns: nothing */
  void (*shutdown)(void);

  /* Table of a plugin extension, or null; per library, the same answer every time after init. That
   * one pod or setting lacks it is UNIMPLEMENTED at the call. May be null itself.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  the table is the plugin's and stays valid
   * Returns: the table, or null */
  const void* (*get_extension)(const char* id, size_t id_size);
} vkp_plugin_table;

#if defined(_WIN32)
#error "vkhost plugins are ELF shared objects"
#endif

/* Declared here, so that a definition in a C++ file has external linkage too. */
extern __attribute__((visibility("default"))) const vkp_plugin_table vkp_plugin;

#ifdef __cplusplus
}
#endif

/* ---- Extensions: optional, one header each, asked for by id in both directions. Ids that begin
 *      with "vkp." are ours; others use reversed domain names. A draft keeps its id when it becomes
 *      stable. ---- */

/* Of providers */
#include <vkhost/ext/attach.h>
#include <vkhost/ext/containers.h>
#include <vkhost/ext/exec.h>
#include <vkhost/ext/explain.h>
#include <vkhost/ext/logs.h>
#include <vkhost/ext/port_forward.h>
#include <vkhost/ext/reconfigure.h>
#include <vkhost/ext/reserve.h>
#include <vkhost/ext/retire.h>
#include <vkhost/ext/stats.h>

/* Of the host */
#include <vkhost/ext/host_events.h>
#include <vkhost/ext/host_evict.h>
#include <vkhost/ext/host_metrics.h>
#include <vkhost/ext/host_state.h>

#endif /* VKHOST_PROVIDER_H */
