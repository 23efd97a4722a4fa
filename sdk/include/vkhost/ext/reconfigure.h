/* vkp.reconfigure/1 (draft): takes a changed configuration without a restart. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_RECONFIGURE_H
#define VKHOST_EXT_RECONFIGURE_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_RECONFIGURE "vkp.reconfigure/1"

typedef struct vkp_reconfigure {
  uint64_t size;
  /* `config_json` is the whole new configuration, checked as for create. All of it is taken, or
   * nothing.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; FAILED_PRECONDITION (needs a restart: say which setting); INVALID_ARGUMENT */
  vkp_code (*reconfigure)(const vkp_call* call,
                          vkp_instance* instance,
                          const char* config_json,
                          size_t config_size);
} vkp_reconfigure;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_RECONFIGURE_H */
