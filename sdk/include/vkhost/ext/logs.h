/* vkp.logs/1 (draft): what a container has written.
 * The host formats, adds timestamps, cuts at byte limits and applies what the provider did not. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_LOGS_H
#define VKHOST_EXT_LOGS_H

#include <vkhost/ext/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_LOGS "vkp.logs/1"

typedef struct vkp_logs_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str container;
  vkp_str container_id;  /* from the status: which run; empty: the current one */
  int64_t tail;          /* last lines wanted; -1: all */
  int64_t since_unix_ns; /* 0: from the beginning */
  bool follow;
  bool previous; /* the run before, when container_id is empty */
  uint8_t reserved[6];
} vkp_logs_request;

typedef struct vkp_logs {
  uint64_t size;
  /* Channel: VKP_CHANNEL_LOG. Calls stream->opened even while there is nothing to read. With follow
   * the provider applies tail itself, and returns when the container has ended and all was written.
   * Thread:  [any-thread]
   * Blocks:  yes, until the session is over
   * Memory:  pointers are the host's, during the call
   * Returns: OK; NOT_FOUND (pod, container or run); FAILED_PRECONDITION (has not started);
   *          UNIMPLEMENTED */
  vkp_code (*logs)(const vkp_call* call,
                   vkp_instance* instance,
                   const vkp_logs_request* request,
                   const vkp_stream* stream);
} vkp_logs;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_LOGS_H */
