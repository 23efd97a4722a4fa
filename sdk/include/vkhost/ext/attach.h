/* vkp.attach/1 (draft): joins the streams of a container's own process. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_ATTACH_H
#define VKHOST_EXT_ATTACH_H

#include <vkhost/ext/exec.h>
#include <vkhost/ext/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_ATTACH "vkp.attach/1"

typedef struct vkp_attach_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str container;
  vkp_str container_id;              /* or empty */
  const vkp_terminal_size* terminal; /* with tty: first size; null when not known yet, then
                                        VKP_READY_RESIZED brings it */
  bool tty;
  bool stdin_open;
  bool stdout_open;
  bool stderr_open;
  uint8_t reserved[4];
} vkp_attach_request;

typedef struct vkp_attach {
  uint64_t size;
  /* Channels: those that are open. A cancel only detaches: the process goes on.
   * Thread:  [any-thread]
   * Blocks:  yes, until the session is over
   * Memory:  pointers are the host's, during the call; `outcome` is the host's, with its size set
   * Returns: OK (outcome says how the container ended, unknown when it goes on); NOT_FOUND;
   *          FAILED_PRECONDITION (not running); UNIMPLEMENTED */
  vkp_code (*attach)(const vkp_call* call,
                     vkp_instance* instance,
                     const vkp_attach_request* request,
                     const vkp_stream* stream,
                     vkp_exit* outcome);
} vkp_attach;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_ATTACH_H */
