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
 *  2. Every table and every struct begins with its own `size`, written by whoever fills it. A
 *     reader neither reads nor writes beyond it; what is missing counts as zero: not supported, or
 *     the default that the member's comment names. vkp_str alone has no size: it will never change.
 *  3. Structs cross by pointer. An array is a count and an array of pointers (of vkp_str: itself).
 *  4. Nobody frees what the other side allocated. Results go into a sink, which copies. Pointers
 *     are valid during the call, unless a comment says otherwise.
 *  5. Calls return a vkp_code. Details go through vkp_call.fail. "Returns" names the codes
 *     that have a meaning of their own; any call may also return UNAVAILABLE, RESOURCE_EXHAUSTED
 *     (throttled, or over a quota), UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION,
 *     CANCELLED, DEADLINE_EXCEEDED (the back end did not answer in time) and INTERNAL. Out of
 *     memory is not reported.
 *  6. Durations are ..._ms, instants ..._unix_ns (UTC). No monotonic instant crosses.
 *  7. No exception, longjmp or exit crosses the boundary in either direction.
 *  8. The process belongs to all: a plugin does not change the environment, working directory,
 *     umask, locale, limits or signal dispositions, does not fork without exec, and waits only for
 *     its own children.
 *  9. Host functions may be called from any thread with 64 KiB of stack to spare. The host holds no
 *     lock while plugin code runs.
 *
 * Thread contract, named for each function. None is tied to a thread: what one thread got, another
 * may use or release.
 *   [library]      the only call into this library at that time
 *   [instance]     the only call for this instance at that time; other instances in parallel
 *   [pod-serial]   one at a time for one pod, over all functions so marked; other pods in parallel
 *   [node-serial]  one at a time for this function and instance, beside all others
 *   [any-thread]   concurrently from anywhere
 *   [no-block]     returns at once; also allowed inside a host call or a cancel callback
 *
 * This is a draft (major 0): host and plugin must agree on major and minor exactly. From 1.0 on a
 * minor version only appends members; the comment "since 0.x" marks them.
 */
#ifndef VKHOST_PROVIDER_H
#define VKHOST_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#error "vkhost plugins are ELF shared objects"
#endif
#if UINTPTR_MAX != UINT64_MAX
#error "the layout of this ABI is defined for 64-bit pointers only"
#endif

#define VKP_ABI_MAJOR 0
#define VKP_ABI_MINOR 1

/* The bytes "vkplugin", read as a little-endian number. */
#define VKP_MAGIC UINT64_C(0x6e6967756c706b76)

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Limits: what exceeds them is refused with VKP_INVALID_ARGUMENT, or cut where noted ---- */

#define VKP_MAX_DESCRIBE_BYTES (1024 * 1024)
#define VKP_MAX_HANDLE_BYTES 4096
#define VKP_MAX_STATUS_BYTES (256 * 1024)
#define VKP_MAX_NODE_BYTES (1024 * 1024)
#define VKP_MAX_POD_BYTES (2 * 1024 * 1024)
#define VKP_MAX_MATERIAL_BYTES (32 * 1024 * 1024)
#define VKP_MAX_LOG_RECORD_BYTES (64 * 1024)
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
  VKP_RETRY_NEVER = 2  /* not until the pod or the configuration changes, or a restart */
};

/* Whether a failed operation took place. Unknown value: unknown. */
enum { VKP_EFFECT_UNKNOWN = 0, VKP_EFFECT_NONE = 1, VKP_EFFECT_HAPPENED = 2 };

/* Whom the fault concerns, returned from whichever call or pushed. With VKP_SCOPE_PROVIDER (expired
 * key, throttled account) the host shows the fault once, on the node, and holds reserve_pod,
 * create_pod and update_pod of the whole instance; with VKP_RETRY_AFTER it also begins no
 * delete_pod or list_pods before that time. It tries with one: the hold ends when that succeeds. A
 * successful reconfigure ends it too, VKP_RETRY_NEVER included. Unknown value: pod. */
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
  /* Thread:  [any-thread], during the call that got the sink
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
  /* Orders statuses and `gone`; annotations and errors always count. From 1, growing per pod over
   * the life of the instance (one counter for the instance will do). Taken when the back-end read
   * behind this news began; for a message of a stream, when it arrived. The host drops what is
   * older than what it has and takes equals as they come; list items carry it too. */
  uint64_t seq;
  /* v1.PodStatus. Required: phase, and for each container its name and state. The host adds what is
   * absent (conditions, qosClass, startTime, hostIP, Ready); what is present wins, conditions merge
   * by type. A condition that is no longer reported goes; after a restart of the host only if its
   * type is under the prefixes named in describe. Container names are those of the spec. */
  vkp_str status_json;
  /* Object of string or null (remove), only under the prefixes named in describe. */
  vkp_str annotations_json;
  /* Work accepted earlier has failed: the host repeats, as the error advises, the call that was
   * accepted last, be it reserve_pod, create_pod or delete_pod. With `gone`: why it is lost. */
  const vkp_error* error;
  /* Nothing of this pod is left in the back end, by a read that began after its create_pod had
   * returned. After delete_pod (of an orphan too) it is the end of it. Without one it says what
   * VKP_LISTED_ABSENT says: the workload is lost, and the host applies its policy (Failed, with the
   * status_json and error of this change; or create_pod with VKP_CREATE_LOST). A provider pushes no
   * Failed of its own for what it no longer finds. */
  bool gone;
  uint8_t reserved[7];
} vkp_pod_change;

/* Identity of one instance in every host call, given to `create`; valid until the process ends.
 * `init` gets one for the library, with which only log, get_extension and the functions of
 * vkp.host.metrics/1 may be used. */
typedef struct vkp_host {
  uint64_t size;

  /* Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  copies `entry`
   * Returns: nothing; allowed from init until the process ends */
  void (*log)(const struct vkp_host* host, const vkp_log_entry* entry);

  /* News that overtake the return of reserve_pod or create_pod wait for it.
   * Thread:  [any-thread] [no-block], from the beginning of start on; of a new pod from the
   *          beginning of its reserve_pod or create_pod on
   * Blocks:  no
   * Memory:  copies `change`
   * Returns: OK; NOT_FOUND (no pod of that UID here, nor one that is being deleted);
   *          INVALID_ARGUMENT (nothing was taken); CANCELLED (stopping) */
  vkp_code (*pod_changed)(const struct vkp_host* host, const vkp_pod_change* change);

  /* The node looks different now: the host calls `node` again soon. The one way to change capacity.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  none
   * Returns: OK; CANCELLED (stopping) */
  vkp_code (*node_changed)(const struct vkp_host* host);

  /* Keeps the handle of a pod, at any time from the beginning of its reserve_pod or create_pod, or
   * from the recover_pods that named it, on. OK means durable. A provider whose back end cannot be
   * searched by UID saves its intent (name, token, attempt) this way before the creating request,
   * and does not send it when saving fails. An empty handle removes it.
   * Thread:  [any-thread]
   * Blocks:  for one write to the API server, at most 10 s; ends at once when the host stops or the
   *          call for that pod is cancelled
   * Memory:  copies
   * Returns: OK; NOT_FOUND (no such pod); INVALID_ARGUMENT (over VKP_MAX_HANDLE_BYTES, not UTF-8);
   *          UNAVAILABLE (not saved: try again); CANCELLED */
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

typedef struct vkp_problem {
  uint64_t size;
  vkp_str pointer;  /* RFC 6901, into the configuration: "/region", "" for the whole */
  vkp_str text;     /* what is wrong and what to do */
  int32_t severity; /* VKP_PROBLEM_... */
  int32_t reserved;
} vkp_problem;

/* Takes problems of a configuration, one at a time. */
typedef struct vkp_problem_sink {
  uint64_t size;
  /* Thread:  [any-thread], during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (not UTF-8 or not a pointer) */
  vkp_code (*put)(const struct vkp_problem_sink* sink, const vkp_problem* problem);
} vkp_problem_sink;

typedef struct vkp_instance_request {
  uint64_t size;
  vkp_str config_json; /* the settings, validated by the schema of describe, defaults filled in */
  /* Object: node_name (as configured; left out when the configuration has none), address and
   * kubelet_port of this daemon, cluster_domain, mode ("cluster" or "standalone"), host_version. */
  vkp_str info_json;
} vkp_instance_request;

typedef struct vkp_node_request {
  uint64_t size;
  vkp_str node_name; /* as configured, or empty; after the first answer the final one */
} vkp_node_request;

typedef struct vkp_start_request {
  uint64_t size;
  vkp_str node_name; /* final: as the API server knows it */
  /* The ownership mark, made of cluster and node_name, stable over restarts: at most 63 characters
   * of a-z, 0-9 and inner hyphens, so that it fits labels, tags and names. */
  vkp_str owner_key;
} vkp_start_request;

/* What recover_pods says of one pod. Unknown value: unknown. */
enum {
  VKP_RECOVER_UNKNOWN = 0,  /* cannot tell now: the host asks again by list_pods */
  VKP_RECOVER_ATTACHED = 1, /* taken as there; what turns out otherwise is pushed */
  VKP_RECOVER_CREATE = 2,   /* call create_pod (reserve_pod first, where used): that continues or
                             starts it. Only when no container was ever started, else unknown */
  VKP_RECOVER_ABSENT = 3    /* no trace of it and no result */
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
  bool first; /* a round begins: forget the one before */
  bool last;  /* after this batch the provider knows every pod of the node */
  uint8_t reserved[6];
} vkp_recover_request;

typedef struct vkp_recovered_pod {
  uint64_t size;
  vkp_str uid;
  int32_t verdict; /* VKP_RECOVER_... */
  int32_t reserved;
} vkp_recovered_pod;

typedef struct vkp_recover_sink {
  uint64_t size;
  /* A pod that gets no answer counts as VKP_RECOVER_UNKNOWN.
   * Thread:  [any-thread], during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; NOT_FOUND (not a pod of this batch) */
  vkp_code (*put)(const struct vkp_recover_sink* sink, const vkp_recovered_pod* pod);
} vkp_recover_sink;

/* Why create_pod is called. Unknown value: retry. */
enum {
  VKP_CREATE_FIRST = 0,
  VKP_CREATE_RETRY = 1, /* an earlier call or the work after it failed, or the host restarted */
  VKP_CREATE_LOST = 2   /* the workload is known to be lost and wanted again; ref->handle is the old
                           one, from which the provider derives its next attempt. Said again, with
                           the old handle, until a handle was written or saved */
};

/* The material document: all that the pod document only refers to, resolved. For create_pod it is
 * complete, or there is no call; what Kubernetes lets be missing is left out. update_pod gets what
 * the changed bits need: env, command, args, sub_paths and storage only with VKP_CHANGED_IMAGE or
 * VKP_CHANGED_EPHEMERAL_CONTAINERS, with which a container may be started anew; volumes with these
 * and with VKP_CHANGED_FILES or VKP_CHANGED_TOKENS; pull_credentials with these and with
 * VKP_CHANGED_PULL_CREDENTIALS. In an update files and credentials of an object that was deleted are
 * as they were. What is left out of it stays as the provider has it. Only the kinds of the capability
 * `material` are filled and renewed. Readers ignore members that they do not know; a boolean that is
 * left out is false. Never logged.
 *
 *   { "containers": { NAME: {                 init, regular and ephemeral ones
 *       "env":       [ { "name", "value", "secret", "service" }  or  { "name", "field_ref" } ],
 *       "command":   [ { "value", "secret" } ],                  left out when the pod has none
 *       "args":      [ { "value", "secret" } ],
 *       "sub_paths": { MOUNT_PATH: { "value", "secret" } } } },  subPathExpr, expanded
 *     "volumes": { NAME: {
 *       "files": [ { "path", "data", "mode", "uid", "gid", "secret", "audience", "expires" } ] } },
 *     "storage": { NAME: {                    of volumes
 *       "empty_dir": { "medium", "size_limit_bytes" },
 *       "claim":     { "name", "volume_name", "volume_mode", "access_modes", "mount_options",
 *                      "capacity_bytes", "gid", "source" },
 *       "secrets":   { MEMBER: { KEY: { "data", "secret" } } } } },
 *     "pull_credentials": [ { "server", "username", "password", "email", "identity_token",
 *                             "registry_token", "secret_name" } ],
 *     "secrets": { ANNOTATION_KEY: { ITEM: { "data" } } } }
 *
 * env is in order and without repeats: valueFrom, envFrom, service variables and $(NAME) are
 * resolved. `service` marks a service variable. `field_ref` ("status.podIP") stands only with the
 * capability late_env; what refers to such a variable keeps its $(NAME). `secret` marks what came
 * from a Secret, a token or a credential, or was expanded from one. secrets follow
 * secret_annotations.
 *
 * pull_credentials are those of the pod's image pull secrets, then those of its service account's,
 * each in their order, decoded; empty members are left out, and the array may be empty. `server` is
 * the key as written: a registry or the beginning of an image's name, perhaps with a scheme and a
 * path of an API ("https://index.docker.io/v1/"), perhaps with "*" in a part of the host; which of
 * them fit an image is the provider's to find out. A kubelet tries all that do, the closer servers
 * first, those of one server in this order. identity_token and registry_token are what Docker calls
 * identitytoken (exchanged for a token where user and password would be) and registrytoken (shown
 * to the registry as it is). secret_name is the Secret that it stood in.
 *
 * volumes holds each volume of the kinds configMap, secret, downwardAPI and projected that a
 * container mounts; its files may be none. Files are all that the volume is to hold: one that is
 * listed no more is to go. Every other kind of volume stands in the pod document, and
 * so does the subPath of a mount. `path` is relative to the
 * volume, without empty parts, "." and "..", and never begins with ".."; each is there once, and none
 * is the folder of another. `data` is base64. `mode` is the number that chmod takes, of permission
 * bits alone. uid and gid are left out when the pod names none; gid is its fsGroup, for whom mode
 * has the bits 0440 set. audience and expires (RFC 3339) stand with service-account tokens, as the API
 * server issued them for this pod; VKP_CHANGED_TOKENS brings new ones long before the old expire, and
 * where tokens are all that changed, only volumes with one. Without the kind tokens a projected volume
 * lacks its token; without the kind files volumes holds those with a token, and of these the token
 * alone.
 *
 * storage says of each volume that a container mounts, or has as a device, what else it refers to: of
 * emptyDir medium ("" is the back end's own) and limit (left out: none); of persistentVolumeClaim and
 * of ephemeral the claim, which is bound, and its PersistentVolume, whose `source` is an object of one
 * member, as Kubernetes has it: { "csi": { "driver", "volumeHandle", "volumeAttributes", … } }, or
 * { "nfs": … }. volume_mode is "Filesystem" or "Block", gid a group that is to reach the volume, by
 * its annotation pv.beta.kubernetes.io/gid; what is unknown or empty is left out. That the pod has it
 * read-only stands in the pod document. `secrets` has the data (base64) of each Secret that a member
 * of the source names ("nodePublishSecretRef", "secretRef", "secretName"), be it the source of the
 * claim's volume or one in the pod. Volumes for which there is nothing of this are not listed: their
 * sources (nfs, hostPath, image, …) stand in the pod document alone. */

typedef struct vkp_create_pod_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  /* v1.Pod as the API server gave it. Holds nothing resolved, but users' annotations may hold
   * secrets: log members of it, not the document. */
  vkp_str pod_json;
  vkp_str material_json;
  int32_t why; /* VKP_CREATE_... */
  int32_t reserved;
} vkp_create_pod_request;

/* What of the pod changed, out of the capability `updates`. After a restart the host may set bits
 * of which nothing changed. Metadata is labels and annotations, but not what the host or this
 * provider wrote. A reader ignores unknown bits. */
#define VKP_CHANGED_METADATA (UINT64_C(1) << 0)
#define VKP_CHANGED_IMAGE (UINT64_C(1) << 1)
#define VKP_CHANGED_RESOURCES (UINT64_C(1) << 2)
#define VKP_CHANGED_EPHEMERAL_CONTAINERS (UINT64_C(1) << 3)
#define VKP_CHANGED_DEADLINE (UINT64_C(1) << 4)
#define VKP_CHANGED_FILES (UINT64_C(1) << 5)
#define VKP_CHANGED_TOKENS (UINT64_C(1) << 6)
#define VKP_CHANGED_PULL_CREDENTIALS (UINT64_C(1) << 7)

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

typedef struct vkp_update_answer {
  uint64_t size;
  uint64_t changed; /* the bits answered for */
  vkp_str text;     /* why, for infeasible and unsupported; names the members concerned */
  int32_t outcome;  /* VKP_UPDATE_... */
  int32_t reserved;
} vkp_update_answer;

typedef struct vkp_update_sink {
  uint64_t size;
  /* A bit has one answer, the worst of what happened to it; a later one replaces it. A bit without
   * an answer is unsupported.
   * Thread:  [any-thread], during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (a bit that was not asked for) */
  vkp_code (*put)(const struct vkp_update_sink* sink, const vkp_update_answer* answer);
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
  VKP_MARKS_LEGACY = 0, /* recognised, but lacks this owner key or the UID */
  VKP_MARKS_OURS = 1    /* bears this owner key and the UID */
};

/* What list_pods knows of one pod. Unknown value: unknown. */
enum {
  VKP_LISTED_UNKNOWN = 0, /* cannot tell, an expired record included */
  VKP_LISTED_PRESENT = 1,
  VKP_LISTED_PRESENT_STATUS_UNKNOWN = 2,
  VKP_LISTED_ABSENT = 3 /* no trace and no result */
};

/* Speaks for accepted work, also when the back end shows nothing of it yet. One item for a UID. */
typedef struct vkp_listed_pod {
  uint64_t size;
  /* With the handle as save_handle would keep it: delete_pod of an orphan gets it back. The UID is
   * empty for a legacy workload that matches no pod known here: it is only reported, and deleted by
   * this ref when the operator commands it. */
  const vkp_pod_ref* ref;
  uint64_t seq;        /* as in vkp_pod_change */
  vkp_str status_json; /* with VKP_LISTED_PRESENT */
  int32_t marks;       /* VKP_MARKS_... */
  int32_t verdict;     /* VKP_LISTED_... */
} vkp_listed_pod;

typedef struct vkp_list_pods_request {
  uint64_t size;
  size_t uid_count;    /* 0: all under this owner key */
  const vkp_str* uids; /* of pods named by recover_pods, reserve_pod or create_pod */
} vkp_list_pods_request;

typedef struct vkp_list_sink {
  uint64_t size;
  /* Thread:  [any-thread], during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (that item was not taken) */
  vkp_code (*put)(const struct vkp_list_sink* sink, const vkp_listed_pod* pod);

  /* The list holds everything asked for. Only then does a missing pod count as absent, and only one
   * whose create_pod had returned before list_pods began.
   * Thread:  [any-thread], during the call
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

  /* JSON object: name (the provider's word in configuration and logs), version, vendor, license,
   * settings_schema, settings_aliases, settings_env, annotation_prefixes, metric_prefixes.
   *
   * The schema is a subset of JSON Schema 2020-12: type, properties, required, items, enum,
   * minimum, maximum, pattern (without look-around), default, description, additionalProperties;
   * and x-secret, x-file (the value may come from a file that the host watches), x-duration (the
   * host passes milliseconds), x-reloadable (a change of it, or of what is below it, is passed to
   * vkp.reconfigure/1 where the plugin has that). Any other keyword is refused. settings_aliases is
   * an object of former path or --flag to path ("HealthConfig.Count": "health.count"; [] for each
   * element, case ignored), settings_env one of environment variable to path; the host applies both
   * before the schema.
   * Thread:  [library]
   * Blocks:  no
   * Memory:  `out` is the host's, during the call
   * Returns: OK; INTERNAL */
  vkp_code (*describe)(const vkp_call* call, const vkp_text_sink* out);

  /* Once per library, before any instance. What instances share begins here.
   * Thread:  [library]
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
   * Thread:  [instance]
   * Blocks:  yes, until the deadline; no network
   * Memory:  `host` stays valid until the process ends; `request` during the call; the instance is
   *          the plugin's until destroy
   * Returns: OK; INVALID_ARGUMENT (configuration); FAILED_PRECONDITION (a host extension is
   *          missing: name it) */
  vkp_code (*create)(const vkp_call* call,
                     const vkp_host* host,
                     const vkp_instance_request* request,
                     vkp_instance** instance);

  /* JSON object, once after create; what is left out is empty or false:
   *   status_updates      "push" or "poll" (the default), the latter every poll_interval_ms
   *   max_parallel_calls  creates and updates; as many deletes beside them
   *   updates             changes worth a call: metadata, image, resources, ephemeral_containers,
   *                       deadline, files, tokens, pull_credentials
   *   material            kinds used: env, files, storage, tokens, pull_credentials
   *   secret_annotations  keys of annotations whose value names a Secret of the pod's namespace;
   *                       its data comes with the material
   *   names_node          metadata.name of the first `node` names the node
   *   late_env            fills in variables that name an address of the pod
   *   reserve             with vkp.reserve/1: "addresses" (the default: for pods whose environment
   *                       names one) or "always"
   *   native_probes       the back end probes containers itself
   *   native_deadline     and ends a pod at activeDeadlineSeconds
   *   fields              object: path in the pod ("spec.containers[].lifecycle") to "ignored" or
   *                       "refused"; what is not named is supported
   * Thread:  [instance]
   * Blocks:  no
   * Memory:  `out` is the host's, during the call
   * Returns: OK; INTERNAL */
  vkp_code (*capabilities)(const vkp_call* call, vkp_instance* instance, const vkp_text_sink* out);

  /* The node this instance stands for, as v1.Node JSON: capacity, allocatable, labels, annotations,
   * taints, conditions, nodeInfo, providerID. metadata.name counts in the first answer only, and
   * only with the capability names_node. Addresses are where the API server dials this daemon:
   * normally left out. Configuration wins over this, this over the host's defaults.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline; may use the network, also before start
   * Memory:  pointers are the host's, during the call
   * Returns: OK; any error is tried again, except that before start VKP_RETRY_NEVER ends the start
   *          of this node with its message */
  vkp_code (*node)(const vkp_call* call,
                   vkp_instance* instance,
                   const vkp_node_request* request,
                   const vkp_text_sink* out);

  /* Can the back end be reached and used. Reason and message of a failure show in Ready. May answer
   * from recent calls, and tells a fault that was found between calls. Also asked of an instance that
   * is never started, beside one that runs elsewhere (vkhost doctor).
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline
   * Memory:  none
   * Returns: OK; UNAVAILABLE (here it does say something: not reachable, NotReady once it lasts);
   *          RESOURCE_EXHAUSTED (counts as reachable); anything else is NotReady at once */
  vkp_code (*ping)(const vkp_call* call, vkp_instance* instance);

  /* Before start: every pod of the node, in batches, with handle and last status, without material.
   * Answered from these alone. A node without pods gets one empty batch, first and last.
   * Thread:  [instance]
   * Blocks:  yes, until the deadline; no network
   * Memory:  pointers are the host's, during the call
   * Returns: OK; any error (the host starts over with the first batch) */
  vkp_code (*recover_pods)(const vkp_call* call,
                           vkp_instance* instance,
                           const vkp_recover_request* request,
                           const vkp_recover_sink* out);

  /* Work begins: from here on the instance may use the network, push, and tidy what it keeps beside
   * pods (warm pools).
   * Thread:  [instance]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; any error is tried again, VKP_RETRY_NEVER ends the start of this node */
  vkp_code (*start)(const vkp_call* call, vkp_instance* instance, const vkp_start_request* request);

  /* Run this pod. Returns once the request is accepted or taken over (aim below 5 s), not when the
   * pod runs; the rest comes by push or list. Idempotent by UID: for work in hand it is OK and
   * changes nothing. What is written to `handle` counts even when the call fails.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; INVALID_ARGUMENT (this pod can never run here); ALREADY_EXISTS (the name is
   *          another's); ABORTED (in the way is something being deleted) */
  vkp_code (*create_pod)(const vkp_call* call,
                         vkp_instance* instance,
                         const vkp_create_pod_request* request,
                         const vkp_text_sink* handle);

  /* The desired pod changed. Each changed bit is answered through the sink.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK (see the sink); NOT_FOUND (no such workload) */
  vkp_code (*update_pod)(const vkp_call* call,
                         vkp_instance* instance,
                         const vkp_update_pod_request* request,
                         const vkp_update_sink* out);

  /* Stop this pod and remove it, for every pod ever passed to create_pod or reserve_pod and for
   * orphans; again with a shorter grace when the user insists. Deleting what is not there is no
   * error. The provider pushes the final status with exit codes, then `gone`; it returns when the
   * request is accepted. A cancelled create may have made what it did not name: look for all it
   * could have made.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK (accepted: `gone` follows by push, or VKP_LISTED_ABSENT by list); NOT_FOUND
   *          (nothing of it is left: counts as OK and as gone) */
  vkp_code (*delete_pod)(const vkp_call* call,
                         vkp_instance* instance,
                         const vkp_delete_pod_request* request);

  /* What the back end holds under this owner key, or what it knows of the given UIDs. What was put
   * counts even when the call fails.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; any error changes nothing */
  vkp_code (*list_pods)(const vkp_call* call,
                        vkp_instance* instance,
                        const vkp_list_pods_request* request,
                        const vkp_list_sink* out);

  /* The end of work, never of pods. Calls and streams in flight were cancelled and awaited before.
   * After it returns the instance calls nothing but log.
   * Thread:  [instance]
   * Blocks:  yes, until the deadline
   * Memory:  none
   * Returns: OK; any error is logged */
  vkp_code (*stop)(const vkp_call* call, vkp_instance* instance);

  /* Frees the instance; also after a create that was not followed by start.
   * Thread:  [instance]
   * Blocks:  briefly
   * Memory:  the instance ends
   * Returns: nothing */
  void (*destroy)(vkp_instance* instance);

  /* Once, after the last destroy. The library stays mapped.
   * Thread:  [library]
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
