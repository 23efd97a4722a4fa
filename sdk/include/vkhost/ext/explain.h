/* vkp.explain/1 (draft): what the provider will make of a pod, before it is created. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_EXPLAIN_H
#define VKHOST_EXT_EXPLAIN_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_EXPLAIN "vkp.explain/1"

/* What becomes of one field. Unknown value: ignored. Host policy may only tighten a finding. */
enum { VKP_FINDING_IGNORED = 0, VKP_FINDING_CHANGED = 1, VKP_FINDING_REFUSED = 2 };

typedef struct vkp_finding {
  uint64_t size;
  vkp_str pointer; /* RFC 6901, into the pod */
  vkp_str text;    /* what becomes of the field, and why */
  int32_t kind;    /* VKP_FINDING_... */
  int32_t reserved;
} vkp_finding;

typedef struct vkp_finding_sink {
  uint64_t size;
  /* Thread:  [any-thread], during the call
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (not UTF-8 or not a pointer) */
  vkp_code (*put)(const struct vkp_finding_sink* sink, const vkp_finding* finding);
} vkp_finding_sink;

typedef struct vkp_explain {
  uint64_t size;
  /* Pure: no back-end call, the same answer for the same pod and settings.
   * Thread:  [any-thread], from capabilities on, also without start
   * Blocks:  no
   * Memory:  pointers are the host's, during the call
   * Returns: OK; INVALID_ARGUMENT (not a pod) */
  vkp_code (*explain)(const vkp_call* call,
                      vkp_instance* instance,
                      const char* pod_json,
                      size_t pod_size,
                      const vkp_finding_sink* out);
} vkp_explain;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_EXPLAIN_H */
