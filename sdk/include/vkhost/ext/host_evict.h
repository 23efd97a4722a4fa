/* vkp.host.evict/1 (draft): the provider asks that a pod be evicted (capacity withdrawn). */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_HOST_EVICT_H
#define VKHOST_EXT_HOST_EVICT_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_HOST_EVICT "vkp.host.evict/1"

typedef struct vkp_evict_request {
  uint64_t size;
  vkp_str uid;
  vkp_str reason; /* one CamelCase word for the status */
  vkp_str message;
  int64_t grace_ms; /* -1: the pod's own */
} vkp_evict_request;

typedef struct vkp_host_evict {
  uint64_t size;
  /* The host adds the condition DisruptionTarget and calls delete_pod with VKP_DELETE_EVICTED; the
   * pod becomes Failed with the reason when its containers have ended or the grace is over.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  copies
   * Returns: OK (also when repeated); NOT_FOUND; INVALID_ARGUMENT; CANCELLED (stopping) */
  vkp_code (*evict)(const vkp_host* host, const vkp_evict_request* request);
} vkp_host_evict;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_HOST_EVICT_H */
