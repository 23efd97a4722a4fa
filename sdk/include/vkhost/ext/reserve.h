/* vkp.reserve/1 (draft): gets the addresses of a pod before it is created, for pods whose
 * environment names them. The addresses arrive as podIPs in a push; that triggers create_pod. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_RESERVE_H
#define VKHOST_EXT_RESERVE_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_RESERVE "vkp.reserve/1"

typedef struct vkp_reserve_pod_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str pod_json;
} vkp_reserve_pod_request;

typedef struct vkp_reserve {
  uint64_t size;
  /* Under the rules of create_pod: quick, idempotent, handle saved; undone by delete_pod.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: as create_pod; UNIMPLEMENTED (this pod cannot have its addresses first) */
  vkp_code (*reserve_pod)(const vkp_call* call,
                          vkp_instance* instance,
                          const vkp_reserve_pod_request* request,
                          const vkp_text_sink* handle);
} vkp_reserve;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_RESERVE_H */
