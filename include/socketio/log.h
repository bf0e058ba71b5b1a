/* Generated from ffi/src/log.rs: change that, not this. */

#ifndef SOCKETIO_LOG_H
#define SOCKETIO_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "queue.h"
#include "status.h"
#include "text.h"

/**
 * How important a line of the log is.
 */
enum sio_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Something failed that should not.
   */
  SIO_LOG_ERROR = 1,
  /**
   * Something is odd, and may explain a failure.
   */
  SIO_LOG_WARN = 2,
  /**
   * What an operator wants to know.
   */
  SIO_LOG_INFO = 3,
  /**
   * What a developer of a program wants to know.
   */
  SIO_LOG_DEBUG = 4,
  /**
   * Everything.
   */
  SIO_LOG_TRACE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_log_level sio_log_level;
#else
typedef int32_t sio_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Receives one line: a sio_log_level, the part of the library that wrote it (a target of sio_log_set_filter), and the line,
 * which has at most 2 KiB and no control characters. No line holds the id of an Engine.IO session, which is a secret, nor
 * anything of a handshake's auth, cookies or query. Of more than 4096 lines that wait the rest is dropped; another line says
 * how many.
 *
 * Ownership: all are borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_log_fn)(int32_t level, sio_str target, sio_str message, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Has `function` called with every line up to `max_level`; it replaces the one set before. NULL turns the log off.
 *
 * Ownership: takes `user_data` over with `destroy`.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT when `max_level` is no sio_log_level.
 */
sio_status sio_log_set(int32_t max_level, sio_log_fn function, void *user_data, sio_destroy_fn destroy);

/**
 * Lets through what `directives` say, of what sio_log_set lets through: directives of the form "target=level", and a level
 * alone for all other targets, separated by commas: "warn,engine=debug,socket=info". A target that no directive is for is
 * off; no directive at all takes the filter away. It may be set before sio_log_set and stays when another function is set.
 *
 * Levels are off, error, warn, info, debug and trace. Targets are runtime (threads, and bugs of the library), dispatch
 * (callbacks and queues), http (HTTP connections of a server), engine (Engine.IO connections of a server), socket (sockets
 * of a server), server (servers as a whole) and manager (clients).
 *
 * Ownership: borrows `directives`.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT, whose message names what is no target or no level; the filter stays as it was.
 */
sio_status sio_log_set_filter(sio_str directives);

/**
 * Has lines wait in `queue` from now on, where the host dispatches them; NULL: on a thread of the library again, which is
 * how it begins. It may be said before sio_log_set or after.
 *
 * Ownership: borrows `queue`. Lines for a queue that was closed are lost.
 * Thread: any.
 */
sio_status sio_log_set_queue(sio_queue *queue);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_LOG_H */
