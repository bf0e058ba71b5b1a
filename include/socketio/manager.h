/* Generated from ffi/src/manager.rs: change that, not this. */

#ifndef SOCKETIO_MANAGER_H
#define SOCKETIO_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "error.h"
#include "event.h"
#include "manager_options.h"
#include "runtime.h"
#include "status.h"
#include "text.h"

/**
 * What can happen to a manager.
 */
enum sio_manager_event
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A connection was opened.
   */
  SIO_MANAGER_OPEN = 1,
  /**
   * A connection could not be opened; there is an error.
   */
  SIO_MANAGER_ERROR = 2,
  /**
   * The connection is gone; there is the official reason.
   */
  SIO_MANAGER_CLOSE = 3,
  /**
   * A heartbeat of the server arrived.
   */
  SIO_MANAGER_PING = 4,
  /**
   * It tries to connect again; there is the number of the attempt, from 1.
   */
  SIO_MANAGER_RECONNECT_ATTEMPT = 5,
  /**
   * It is connected again; there is the number of attempts.
   */
  SIO_MANAGER_RECONNECT = 6,
  /**
   * An attempt to connect again failed; there is an error.
   */
  SIO_MANAGER_RECONNECT_ERROR = 7,
  /**
   * All attempts failed; it gives up.
   */
  SIO_MANAGER_RECONNECT_FAILED = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_manager_event sio_manager_event;
#else
typedef int32_t sio_manager_event;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A connection to a server, which is opened again when it is lost. While it has one, or tries to get one, it lives on
 * without references of the program: close it.
 *
 * Methods: sio_manager_new, sio_manager_socket, sio_manager_open, sio_manager_on, sio_manager_off, sio_manager_close,
 * sio_manager_close_wait, sio_manager_retain, sio_manager_release.
 */
typedef struct sio_manager sio_manager;

/**
 * Learns what happens to a manager: a sio_manager_event, and what belongs to it. `attempt` is 0, `reason` without text
 * and `error` NULL where they do not.
 *
 * Ownership: `reason` and `error` are borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_manager_fn)(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A manager for the server at `url`: "http://host:port", with the namespace that clients join by default as its path. It
 * connects with its first client, or by sio_manager_open.
 *
 * Ownership: borrows `runtime` and `options`, both of which may be NULL, and `url`; `out` receives an owned reference.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a URL or an option that cannot work, SIO_ERR_UNSUPPORTED for https and wss,
 * SIO_ERR_INVALID_UTF8.
 */
sio_status sio_manager_new(sio_runtime *runtime,
                           sio_str url,
                           const sio_manager_options *options,
                           sio_manager **out);

/**
 * Opens a connection, if there is none and none is tried for.
 *
 * Ownership: borrows `manager`.
 * Thread: any.
 */
sio_status sio_manager_open(sio_manager *manager);

/**
 * Has `function` called with every event of a kind, a sio_manager_event.
 *
 * Ownership: borrows `manager`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT when there is no such event.
 */
sio_status sio_manager_on(sio_manager *manager,
                          int32_t event,
                          sio_manager_fn function,
                          void *user_data,
                          sio_destroy_fn destroy,
                          sio_listener *listener);

/**
 * Takes a listener out. A call that has begun may still be running; the `user_data` is destroyed after it.
 *
 * Ownership: borrows `manager`.
 * Thread: any.
 * Errors: SIO_ERR_NOT_FOUND.
 */
sio_status sio_manager_off(sio_manager *manager, sio_listener listener);

/**
 * Disconnects all clients, closes the connection behind what was sent before, and tries no more to get one. The manager
 * can be opened again.
 *
 * Ownership: borrows `manager`; takes `user_data` over with `destroy`. `function`, which may be NULL, is called when
 * nothing is left of the connection.
 * Thread: any.
 */
sio_status sio_manager_close(sio_manager *manager, sio_done_fn function, void *user_data, sio_destroy_fn destroy);

/**
 * Closes the manager and waits until nothing is left of the connection.
 * With a queue, its callbacks run on this thread meanwhile, unless another thread dispatches it.
 *
 * Ownership: borrows `manager`.
 * Thread: any that delivers no callbacks.
 * Errors: SIO_ERR_TIMEOUT when that takes longer than `timeout_ms`, SIO_ERR_WOULD_DEADLOCK.
 */
sio_status sio_manager_close_wait(sio_manager *manager, uint32_t timeout_ms);

/**
 * One more reference.
 *
 * Ownership: borrows `manager`; returns an owned reference to it.
 * Thread: any.
 */
sio_manager *sio_manager_retain(sio_manager *manager);

/**
 * Gives a reference back. The connection goes on: close it first.
 *
 * Ownership: consumes `manager`, which may be NULL.
 * Thread: any.
 */
void sio_manager_release(sio_manager *manager);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_MANAGER_H */
