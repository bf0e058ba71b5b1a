/* Generated from ffi/src/status.rs: change that, not this. */

#ifndef SOCKETIO_STATUS_H
#define SOCKETIO_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "text.h"

/**
 * What a call came to. The numbers never change or move; new ones may be added.
 */
enum sio_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It worked.
   */
  SIO_OK = 0,
  /**
   * An argument is NULL, a handle of another type or one already released, or out of its range.
   */
  SIO_ERR_INVALID_ARGUMENT = 1,
  /**
   * A text is not UTF-8.
   */
  SIO_ERR_INVALID_UTF8 = 2,
  /**
   * A text is not JSON, or not of the shape that is wanted.
   */
  SIO_ERR_INVALID_JSON = 3,
  /**
   * The call does not fit the object's state.
   */
  SIO_ERR_INVALID_STATE = 4,
  /**
   * The object was closed.
   */
  SIO_ERR_CLOSED = 5,
  /**
   * There is no connection.
   */
  SIO_ERR_NOT_CONNECTED = 6,
  /**
   * It took too long.
   */
  SIO_ERR_TIMEOUT = 7,
  /**
   * It was called off.
   */
  SIO_ERR_CANCELLED = 8,
  /**
   * A call that waits, on a thread that delivers callbacks.
   */
  SIO_ERR_WOULD_DEADLOCK = 9,
  /**
   * Too much waits to be sent.
   */
  SIO_ERR_BACKPRESSURE = 10,
  /**
   * A bound of size or number was passed.
   */
  SIO_ERR_TOO_LARGE = 11,
  /**
   * There is no such thing.
   */
  SIO_ERR_NOT_FOUND = 12,
  /**
   * It can be used once only.
   */
  SIO_ERR_ALREADY_USED = 13,
  /**
   * Known, but not built yet; the message names it.
   */
  SIO_ERR_UNSUPPORTED = 14,
  /**
   * The operating system refused.
   */
  SIO_ERR_IO = 100,
  /**
   * A host name could not be resolved.
   */
  SIO_ERR_RESOLVE = 101,
  /**
   * TLS failed.
   */
  SIO_ERR_TLS = 102,
  /**
   * The address to listen on is taken.
   */
  SIO_ERR_ADDRESS_IN_USE = 103,
  /**
   * An unexpected HTTP answer.
   */
  SIO_ERR_HTTP = 104,
  /**
   * The WebSocket failed.
   */
  SIO_ERR_WEBSOCKET = 105,
  /**
   * The peer broke the protocol.
   */
  SIO_ERR_PROTOCOL = 200,
  /**
   * The handshake failed.
   */
  SIO_ERR_HANDSHAKE = 201,
  /**
   * The server refused the connection to a namespace.
   */
  SIO_ERR_REJECTED = 202,
  /**
   * The adapter failed.
   */
  SIO_ERR_ADAPTER = 203,
  /**
   * The object belongs to the parent of this forked process.
   */
  SIO_ERR_FORKED = 900,
  /**
   * Header and library do not fit.
   */
  SIO_ERR_ABI = 901,
  /**
   * A bug in the library was caught.
   */
  SIO_ERR_PANIC = 902,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_status sio_status;
#else
typedef int32_t sio_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status, "SIO_ERR_TIMEOUT" for instance; "unknown status" for a number that is none.
 *
 * Ownership: returns a constant.
 * Thread: any.
 */
const char *sio_status_name(int32_t status);

/**
 * What the last call that failed on this thread has to say. A call that works leaves it as it is.
 *
 * Ownership: borrowed; it lives until the next call that fails on this thread.
 * Thread: any; each has its own.
 */
sio_str sio_last_error_message(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_STATUS_H */
