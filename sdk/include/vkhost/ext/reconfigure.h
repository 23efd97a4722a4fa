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
  /* `config_json` is the whole new configuration, checked as for create: that of the instance with
   * the changes of settings that the schema marks as x-reloadable. The host names the others to the
   * operator, as taking a restart, and does not pass them on. It calls this when the configuration
   * was read again (SIGHUP) and when the content of a file has changed that an x-file or x-secret
   * setting comes from; at any time between create and stop, so also before start. All of it is
   * taken, or nothing. OK ends a hold of the account, and what had failed is tried again. With
   * another code than those below the host asks again, after a while or as the error says.
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
