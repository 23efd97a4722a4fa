/* vkp.reserve/1 (draft): gets a pod's addresses, or the machine under it, before it is created.
 *
 * For pods whose environment names an address, or for all of them (capability `reserve`). Whatever
 * begins a pod (first, lost, VKP_RECOVER_CREATE) then begins with reserve_pod. podIPs pushed after
 * that call began trigger create_pod. The host resolves the material before it reserves, so that a
 * missing Secret costs nothing, and again, fresh, for create_pod. */
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
  int32_t why; /* VKP_CREATE_... */
  int32_t reserved;
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
