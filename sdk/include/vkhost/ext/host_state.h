/* vkp.host.state/1 (draft): a few hints that outlive the process, kept on the Node (or in a file
 * when standalone): up to 16 keys of 1 KiB for each instance. Never secrets, never the truth. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_HOST_STATE_H
#define VKHOST_EXT_HOST_STATE_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_HOST_STATE "vkp.host.state/1"

typedef struct vkp_host_state {
  uint64_t size;

  /* OK means durable. An empty value removes the key.
   * Thread:  [any-thread]
   * Blocks:  for one write to the API server, at most 10 s; ends at once when the host stops
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (key or size); RESOURCE_EXHAUSTED (16 keys); UNAVAILABLE
   *          (not kept: try again); CANCELLED (stopping) */
  vkp_code (*put)(
      const vkp_host* host, const char* key, size_t key_size, const char* value, size_t value_size);

  /* Thread:  [any-thread]
   * Blocks:  no
   * Memory:  `out` is the caller's and gets a copy during the call
   * Returns: OK; NOT_FOUND; UNAVAILABLE (the Node is not known yet: before start) */
  vkp_code (*get)(const vkp_host* host, const char* key, size_t key_size, const vkp_text_sink* out);
} vkp_host_state;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_HOST_STATE_H */
