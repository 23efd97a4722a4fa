/* vkp.stats/1 (draft): resource usage of all pods of the node, from what the provider has. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_STATS_H
#define VKHOST_EXT_STATS_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_STATS "vkp.stats/1"

typedef struct vkp_stats_sink {
  uint64_t size;
  /* One PodStats document of stats/v1alpha1 (bytes, nano-cores, core-nanoseconds), each sample with
   * its own time, unknown values left out.
   * Thread:  [any-thread], during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; NOT_FOUND (no such pod here); INVALID_ARGUMENT (that item was not taken) */
  vkp_code (*put)(const struct vkp_stats_sink* sink,
                  const char* uid,
                  size_t uid_size,
                  const char* pod_stats_json,
                  size_t json_size);
} vkp_stats_sink;

typedef struct vkp_stats {
  uint64_t size;
  /* From what the provider has: never one back-end call for each pod. May be empty at first.
   * Thread:  [node-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK */
  vkp_code (*stats)(const vkp_call* call, vkp_instance* instance, const vkp_stats_sink* out);
} vkp_stats;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_STATS_H */
