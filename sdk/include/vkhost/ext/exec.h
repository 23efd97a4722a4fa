/* vkp.exec/1 (draft): runs a command in a container. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_EXEC_H
#define VKHOST_EXT_EXEC_H

#include <vkhost/ext/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_EXEC "vkp.exec/1"

/* How a command ended. Unknown value: unknown, which is shown as an error, never as exit code 0. */
enum { VKP_EXIT_UNKNOWN = 0, VKP_EXIT_EXITED = 1, VKP_EXIT_SIGNALLED = 2 };

typedef struct vkp_exit {
  uint64_t size;
  int32_t kind;  /* VKP_EXIT_... */
  int32_t value; /* exit code 0 to 255, or signal number */
} vkp_exit;

typedef struct vkp_exec_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  vkp_str container;
  vkp_str container_id; /* or empty */
  size_t argument_count;
  const vkp_str* arguments;          /* argv; empty ones are legal */
  const vkp_terminal_size* terminal; /* with tty: first size; null when not known yet, then
                                        VKP_READY_RESIZED brings it */
  bool tty;
  bool stdin_open;
  bool stdout_open;
  bool stderr_open;
  uint8_t reserved[4];
} vkp_exec_request;

typedef struct vkp_exec {
  uint64_t size;
  /* Channels: those that are open. A cancel ends the process where that is possible.
   * Thread:  [any-thread]
   * Blocks:  yes, until the session is over
   * Memory:  pointers are the host's, during the call; `outcome` is the host's, with its size set
   * Returns: OK (see outcome); NOT_FOUND; FAILED_PRECONDITION (not running); UNIMPLEMENTED */
  vkp_code (*exec)(const vkp_call* call,
                   vkp_instance* instance,
                   const vkp_exec_request* request,
                   const vkp_stream* stream,
                   vkp_exit* outcome);
} vkp_exec;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_EXEC_H */
