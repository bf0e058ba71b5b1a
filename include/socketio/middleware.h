/* Generated from ffi/src/middleware.rs: change that, not this. */

#ifndef SOCKETIO_MIDDLEWARE_H
#define SOCKETIO_MIDDLEWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "namespace.h"
#include "payload.h"
#include "socket.h"
#include "status.h"
#include "text.h"

/**
 * The right to decide about a client that wants to join, once, from any thread and at any time. Nobody but the program ends
 * the wait, apart from the client, which may go away, and the option `connectTimeout`, which closes a connection that has
 * not joined any namespace in time.
 *
 * Methods: sio_next_accept, sio_next_reject, sio_next_drop use it up.
 */
typedef struct sio_next sio_next;

/**
 * Is asked whether a client may join, before that is answered. Until then `socket` is not connected: its handshake, its data
 * and its listeners are there. It can join rooms, and events can be sent to it: they follow when it is let in, and are
 * dropped when it is turned away. Broadcasts do not reach it. A client that says anything else to the namespace meanwhile
 * breaks the protocol, and is disconnected; one that asks again has given up the attempt before.
 *
 * Ownership: `socket` is borrowed until it returns; `next` is owned, to be used up by sio_next_accept, sio_next_reject or
 * sio_next_drop, then or later.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_middleware_fn)(sio_socket *socket, sio_next *next, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Has `function` asked about each client that wants to join the namespace from now on, behind the functions that were added
 * before (`namespace.use` of the official server). It cannot be taken out.
 *
 * Ownership: borrows `nsp`; takes `user_data` over with `destroy`.
 * Thread: any.
 */
sio_status sio_namespace_use(sio_namespace *nsp,
                             sio_middleware_fn function,
                             void *user_data,
                             sio_destroy_fn destroy);

/**
 * The client may join as far as this function is concerned: the next one is asked. Behind the last one the socket is
 * connected, its client is told, and the listeners of sio_namespace_on_connection are called.
 *
 * Ownership: consumes `next`, also when it fails.
 * Thread: any.
 * Errors: SIO_ERR_CLOSED when the client does not wait for it any more: it is gone, or has asked again.
 */
sio_status sio_next_accept(sio_next *next);

/**
 * The client may not join. It gets an error with this message and this data; its connection stays, and it may ask again.
 *
 * Ownership: consumes `next`, also when it fails; borrows `message` and `data`, which is a payload of one argument without
 * attachments, or NULL when there is no more to say.
 * Thread: any.
 * Errors: SIO_ERR_CLOSED as sio_next_accept; SIO_ERR_INVALID_ARGUMENT when `data` is something else, and
 * SIO_ERR_INVALID_UTF8: the client is turned away all the same, as by sio_next_drop.
 */
sio_status sio_next_reject(sio_next *next,
                           sio_str message,
                           const sio_payload *data);

/**
 * Decides nothing: the client is turned away with the message "internal error".
 *
 * Ownership: consumes `next`, which may be NULL.
 * Thread: any.
 */
void sio_next_drop(sio_next *next);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_MIDDLEWARE_H */
