/* vkp.host.events/1 (draft): Kubernetes Events about a pod or the node. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_HOST_EVENTS_H
#define VKHOST_EXT_HOST_EVENTS_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_HOST_EVENTS "vkp.host.events/1"

enum { VKP_EVENT_NORMAL = 0, VKP_EVENT_WARNING = 1 };

typedef struct vkp_event {
  uint64_t size;
  vkp_str pod_uid; /* empty: about the node */
  vkp_str reason;  /* one CamelCase word */
  vkp_str message;
  vkp_str key;              /* names the occurrence: the same key again is no new event; or empty */
  int64_t occurred_unix_ns; /* 0: now */
  int32_t type;             /* VKP_EVENT_...; unknown value: warning */
  int32_t reserved;
} vkp_event;

typedef struct vkp_host_events {
  uint64_t size;
  /* Rate-limited for each pod by the host, repeats counted.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  copies `event`
   * Returns: OK; NOT_FOUND (no such pod); INVALID_ARGUMENT; CANCELLED (stopping) */
  vkp_code (*emit)(const vkp_host* host, const vkp_event* event);
} vkp_host_events;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_HOST_EVENTS_H */
