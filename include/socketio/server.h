/* Generated from ffi/src/server.rs: change that, not this. */

#ifndef SOCKETIO_SERVER_H
#define SOCKETIO_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "error.h"
#include "runtime.h"
#include "server_options.h"
#include "status.h"
#include "text.h"

/**
 * A server: its listeners, its namespaces and their sockets. It closes when its last reference is released, if it was
 * not closed before.
 *
 * Methods: sio_server_new, sio_server_listen, sio_server_get_address, sio_server_of, sio_server_on_request,
 * sio_server_clients_count, sio_server_close, sio_server_close_wait, sio_server_retain, sio_server_release.
 */
typedef struct sio_server sio_server;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A server that does not listen yet.
 *
 * Ownership: borrows `runtime` and `options`, both of which may be NULL; `out` receives an owned reference.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT when options do not fit together.
 */
sio_status sio_server_new(sio_runtime *runtime, const sio_server_options *options, sio_server **out);

/**
 * Listens on one more address: "127.0.0.1:3000", "[::1]:3000", "localhost:3000", "unix:/path". Port 0 is any that is
 * free; sio_server_get_address tells which.
 *
 * Ownership: borrows `server` and `address`; takes `user_data` over with `destroy`. `function`, which may be NULL, is
 * called when the server listens; not when this call fails.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT when it is no address, SIO_ERR_ADDRESS_IN_USE, SIO_ERR_RESOLVE, SIO_ERR_IO,
 * SIO_ERR_CLOSED.
 */
sio_status sio_server_listen(sio_server *server,
                             sio_str address,
                             sio_done_fn function,
                             void *user_data,
                             sio_destroy_fn destroy);

/**
 * Address number `i` of those that the server listens on, its port filled in.
 *
 * Ownership: borrows `server`; `out` receives an owned text, to be freed with sio_string_free.
 * Thread: any.
 * Errors: SIO_ERR_NOT_FOUND when there are not so many.
 */
sio_status sio_server_get_address(sio_server *server, size_t i, sio_string **out);

/**
 * Number of connections.
 *
 * Ownership: borrows `server`.
 * Thread: any.
 */
uint64_t sio_server_clients_count(sio_server *server);

/**
 * Closes the server: it listens no more, and its sockets are disconnected for "server shutting down". It may be called
 * again.
 *
 * Ownership: borrows `server`; takes `user_data` over with `destroy`. `function`, which may be NULL, is called when the
 * last socket is gone and its callbacks have run.
 * Thread: any.
 */
sio_status sio_server_close(sio_server *server, sio_done_fn function, void *user_data, sio_destroy_fn destroy);

/**
 * Closes the server and waits until it is closed.
 * With a queue, its callbacks run on this thread meanwhile, unless another thread dispatches it.
 *
 * Ownership: borrows `server`.
 * Thread: any that delivers no callbacks.
 * Errors: SIO_ERR_TIMEOUT when that takes longer than `timeout_ms`, SIO_ERR_WOULD_DEADLOCK.
 */
sio_status sio_server_close_wait(sio_server *server, uint32_t timeout_ms);

/**
 * One more reference.
 *
 * Ownership: borrows `server`; returns an owned reference to it.
 * Thread: any.
 */
sio_server *sio_server_retain(sio_server *server);

/**
 * Gives a reference back. With the last one the server closes, and tells nobody when it is closed.
 *
 * Ownership: consumes `server`, which may be NULL.
 * Thread: any.
 */
void sio_server_release(sio_server *server);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_SERVER_H */
