/* vkp.port_forward/1 (draft): one connection to a port of the pod. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_PORT_FORWARD_H
#define VKHOST_EXT_PORT_FORWARD_H

#include <vkhost/ext/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_PORT_FORWARD "vkp.port_forward/1"

typedef struct vkp_port_forward_request {
  uint64_t size;
  const vkp_pod_ref* ref;
  uint32_t port; /* 1 to 65535 */
  uint32_t reserved;
} vkp_port_forward_request;

typedef struct vkp_port_forward {
  uint64_t size;
  /* Channel: VKP_CHANNEL_DATA, with half-close each way. Called once for each connection.
   * Thread:  [any-thread]
   * Blocks:  yes, until the connection is over
   * Memory:  pointers are the host's, during the call
   * Returns: OK; NOT_FOUND; UNAVAILABLE (refused: say so in the message); UNIMPLEMENTED */
  vkp_code (*port_forward)(const vkp_call* call,
                           vkp_instance* instance,
                           const vkp_port_forward_request* request,
                           const vkp_stream* stream);
} vkp_port_forward;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_PORT_FORWARD_H */
