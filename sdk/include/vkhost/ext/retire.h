/* vkp.retire/1 (draft): removes what belongs to the node and not to a pod. Only on an explicit
 * command of the operator, never from stop. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_RETIRE_H
#define VKHOST_EXT_RETIRE_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_RETIRE "vkp.retire/1"

typedef struct vkp_retire {
  uint64_t size;
  /* Idempotent. Refuses while pods are left. After OK only stop and destroy follow.
   * Thread:  [node-serial], between start and stop
   * Blocks:  yes, until the deadline
   * Memory:  none
   * Returns: OK; FAILED_PRECONDITION (pods are left) */
  vkp_code (*retire)(const vkp_call* call, vkp_instance* instance);
} vkp_retire;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_RETIRE_H */
