/* Streams: the one form under logs, exec, attach and port-forward.
 *
 * A call with a stream blocks on a thread that the host gives it, without a deadline, and returns
 * when the session is over; what the host has accepted by then is delivered. The stream is the
 * host's. Its functions may be called from any thread, different channels from different threads,
 * one channel from one thread at a time. Neither side buffers without bound: a full channel says
 * so. A client that vanishes is a cancel of the call, within a second. */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_STREAM_H
#define VKHOST_EXT_STREAM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Channels. Which of them exist depends on the call. */
enum {
  VKP_CHANNEL_STDIN = 0,  /* the plugin reads */
  VKP_CHANNEL_STDOUT = 1, /* the plugin writes */
  VKP_CHANNEL_STDERR = 2, /* the plugin writes; absent with a terminal */
  VKP_CHANNEL_DATA = 3,   /* both ways: port-forward */
  VKP_CHANNEL_LOG = 4     /* the plugin writes records: logs */
};

/* What to wait for; several bits mean any of them. */
#define VKP_READY_STDIN (UINT64_C(1) << 0)      /* readable, or at its end */
#define VKP_READY_STDOUT (UINT64_C(1) << 1)     /* writable */
#define VKP_READY_STDERR (UINT64_C(1) << 2)     /* writable */
#define VKP_READY_DATA_READ (UINT64_C(1) << 3)  /* readable, or at its end */
#define VKP_READY_DATA_WRITE (UINT64_C(1) << 4) /* writable */
#define VKP_READY_LOG (UINT64_C(1) << 5)        /* writable */
#define VKP_READY_RESIZED (UINT64_C(1) << 6)    /* terminal_size has news */
#define VKP_READY_CANCELLED (UINT64_C(1) << 7)  /* the call was cancelled; always waited for */
#define VKP_READY_ENDED (UINT64_C(1) << 8)      /* end_waits was called; always waited for */

/* Which parts of a log request the provider has applied itself; the host applies the rest. */
#define VKP_OPENED_TAIL (UINT64_C(1) << 0)
#define VKP_OPENED_SINCE (UINT64_C(1) << 1)

/* Unknown value: unknown. */
enum { VKP_LOG_STREAM_UNKNOWN = 0, VKP_LOG_STREAM_STDOUT = 1, VKP_LOG_STREAM_STDERR = 2 };

typedef struct vkp_log_record {
  uint64_t size;
  /* One line without its newline, or a part of one, at most VKP_MAX_LOG_RECORD_BYTES; need not be
   * UTF-8. */
  vkp_str bytes;
  int64_t time_unix_ns; /* 0: not known */
  int32_t stream;       /* VKP_LOG_STREAM_... */
  bool partial;         /* the line goes on in the next record of this stream */
  uint8_t reserved[3];
} vkp_log_record;

typedef struct vkp_terminal_size {
  uint64_t size;
  uint16_t columns;
  uint16_t rows;
  uint32_t reserved;
} vkp_terminal_size;

typedef struct vkp_stream {
  uint64_t size;

  /* The session exists. Before it a failure of the call becomes an HTTP status; after it, a stream
   * that breaks off. Input and sizes arrive only after it. `applied`: VKP_OPENED_... bits (logs),
   * else 0.
   * Thread:  [any-thread], once, before any write
   * Blocks:  no
   * Memory:  none
   * Returns: OK; CANCELLED */
  vkp_code (*opened)(const struct vkp_stream* stream, uint64_t applied);

  /* Reads at most `capacity` bytes. OK with *read = 0 is the end of that channel.
   * Thread:  [any-thread], one reader for each channel
   * Blocks:  no
   * Memory:  `buffer` is the plugin's
   * Returns: OK; UNAVAILABLE (nothing now: wait); CANCELLED; INVALID_ARGUMENT (no such channel) */
  vkp_code (*try_read)(const struct vkp_stream* stream,
                       int32_t channel,
                       char* buffer,
                       size_t capacity,
                       size_t* read);

  /* Writes what fits; *written may be less than `size`.
   * Thread:  [any-thread], one writer for each channel
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; UNAVAILABLE (full now: wait); CANCELLED; FAILED_PRECONDITION (closed);
   *          INVALID_ARGUMENT (no such channel) */
  vkp_code (*try_write)(const struct vkp_stream* stream,
                        int32_t channel,
                        const char* data,
                        size_t data_size,
                        size_t* written);

  /* Writes one record to the log channel, whole or not at all. After a reconnect to the back end
   * records may repeat only with equal time and text.
   * Thread:  [any-thread], one writer
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; UNAVAILABLE (full now: wait); CANCELLED; INVALID_ARGUMENT (too large: split it);
   *          FAILED_PRECONDITION (closed, or the limit asked for is reached: return OK from the
   *          call) */
  vkp_code (*try_write_log)(const struct vkp_stream* stream, const vkp_log_record* record);

  /* The plugin will write no more to this channel (half-close).
   * Thread:  [any-thread]
   * Blocks:  no
   * Memory:  none
   * Returns: OK; INVALID_ARGUMENT (no such channel) */
  vkp_code (*close)(const struct vkp_stream* stream, int32_t channel);

  /* The newest size of the terminal; only the newest counts.
   * Thread:  [any-thread]
   * Blocks:  no
   * Memory:  `out` is the plugin's, with its size set
   * Returns: OK; UNAVAILABLE (no news since the last OK) */
  vkp_code (*terminal_size)(const struct vkp_stream* stream, vkp_terminal_size* out);

  /* Waits until one of the bits holds; *ready gets those that do. A mask of 0 is a pause, which
   * only a cancel or end_waits cuts short. Several threads may wait at once.
   * Thread:  [any-thread]
   * Blocks:  up to timeout_ms (-1: until something holds)
   * Memory:  `ready` is the plugin's
   * Returns: OK; DEADLINE_EXCEEDED (the time is over); CANCELLED */
  vkp_code (*wait)(const struct vkp_stream* stream,
                   uint64_t mask,
                   int64_t timeout_ms,
                   uint64_t* ready);

  /* The same for event loops: calls `fn(user, bits)` once when one of the bits holds, from any
   * thread or at once; `fn` must not block. A new call replaces the one before, one with `fn` null
   * ends it. It is not running any more when that or the session's call has returned.
   * Thread:  [any-thread], with `fn` null not from within the callback itself
   * Blocks:  with `fn` null while the callback runs, else no
   * Memory:  `user` is the plugin's
   * Returns: OK; CANCELLED (fn is not kept) */
  vkp_code (*on_ready)(const struct vkp_stream* stream,
                       uint64_t mask,
                       void (*fn)(void* user, uint64_t ready),
                       void* user);

  /* Wakes every wait of this session, now and later, with VKP_READY_ENDED: for the thread that saw
   * the end while another waits for input.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  none
   * Returns: nothing */
  void (*end_waits)(const struct vkp_stream* stream);
} vkp_stream;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_STREAM_H */
