/* vkp.containers/1 (draft): single containers, for a provider that leaves the pod to the host.
 *
 * The host's own state machine drives init order, restarts, back-off and probes. create_pod then
 * makes what the containers share and starts none; delete_pod removes all. What becomes of a run is
 * told by pod_changed: its entry in containerStatuses, with containerID, restartCount = attempt. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_CONTAINERS_H
#define VKHOST_EXT_CONTAINERS_H

#include <vkhost/ext/exec.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_CONTAINERS "vkp.containers/1"

typedef struct vkp_container_run {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str container; /* name; unique over init, regular and ephemeral containers */
  uint32_t attempt;  /* 0 for the first run */
  uint32_t reserved;
} vkp_container_run;

typedef struct vkp_start_container_request {
  uint64_t size;
  const vkp_container_run* run;
  vkp_str pod_json;
  vkp_str material_json;
} vkp_start_container_request;

typedef struct vkp_containers {
  uint64_t size;

  /* Idempotent for one run; another attempt is started only after the one before has ended.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; NOT_FOUND (no such pod); INVALID_ARGUMENT; FAILED_PRECONDITION (the run before
   *          goes on) */
  vkp_code (*start_container)(const vkp_call* call,
                              vkp_instance* instance,
                              const vkp_start_container_request* request);

  /* Accepts the stop and returns; the end is pushed. Stopping what does not run is OK.
   * Thread:  [pod-serial]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call
   * Returns: OK; NOT_FOUND (counts as OK) */
  vkp_code (*stop_container)(const vkp_call* call,
                             vkp_instance* instance,
                             const vkp_container_run* run,
                             int64_t grace_ms);

  /* Waits until that run has ended; for callers that need no push.
   * Thread:  [any-thread]
   * Blocks:  yes, until the deadline
   * Memory:  pointers are the host's, during the call; `outcome` is the host's, with its size set
   * Returns: OK (see outcome); NOT_FOUND; DEADLINE_EXCEEDED (still running) */
  vkp_code (*wait_container)(const vkp_call* call,
                             vkp_instance* instance,
                             const vkp_container_run* run,
                             vkp_exit* outcome);
} vkp_containers;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_CONTAINERS_H */
