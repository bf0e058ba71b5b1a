/* Generated from ffi/src/broadcast.rs: change that, not this. */

#ifndef SOCKETIO_BROADCAST_H
#define SOCKETIO_BROADCAST_H

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
 * A broadcast in the making. Without any room it goes to the whole namespace; with several, to whoever is in one of them,
 * once. It may be used again.
 *
 * Functions that add to it return it, so that calls can be chained. What they find wrong is what the last call of the
 * chain answers.
 *
 * Methods: sio_namespace_broadcast, sio_socket_broadcast give one; sio_broadcast_to, sio_broadcast_except,
 * sio_broadcast_volatile, sio_broadcast_local add to it; sio_broadcast_emit, sio_broadcast_sockets_join,
 * sio_broadcast_sockets_leave, sio_broadcast_disconnect_sockets use it; sio_broadcast_free.
 */
typedef struct sio_broadcast sio_broadcast;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A broadcast to every socket of a namespace.
 *
 * Ownership: borrows `nsp`; returns an owned broadcast.
 * Thread: any.
 */
sio_broadcast *sio_namespace_broadcast(sio_namespace *nsp);

/**
 * A broadcast to every other socket of the socket's namespace.
 *
 * Ownership: borrows `socket`; returns an owned broadcast.
 * Thread: any.
 */
sio_broadcast *sio_socket_broadcast(sio_socket *socket);

/**
 * To the sockets in `room`, besides those in rooms named before.
 *
 * Ownership: borrows `broadcast`, copies `room`; returns `broadcast`.
 * Thread: any, one at a time.
 */
sio_broadcast *sio_broadcast_to(sio_broadcast *broadcast, sio_str room);

/**
 * Not to the sockets in `room`.
 *
 * Ownership: borrows `broadcast`, copies `room`; returns `broadcast`.
 * Thread: any, one at a time.
 */
sio_broadcast *sio_broadcast_except(sio_broadcast *broadcast, sio_str room);

/**
 * Drops the event for clients that it cannot be sent to at once.
 *
 * Ownership: borrows `broadcast`; returns it.
 * Thread: any, one at a time.
 */
sio_broadcast *sio_broadcast_volatile(sio_broadcast *broadcast);

/**
 * Only to sockets of this process, not to those of others in a cluster.
 *
 * Ownership: borrows `broadcast`; returns it.
 * Thread: any, one at a time.
 */
sio_broadcast *sio_broadcast_local(sio_broadcast *broadcast);

/**
 * Sends an event. It is encoded once for all; a client with too much waiting to be sent to it is disconnected.
 *
 * Ownership: borrows `broadcast`, `event` and `payload`, which may be NULL.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_broadcast_emit(const sio_broadcast *broadcast, sio_str event, const sio_payload *payload);

/**
 * Puts the sockets into a room.
 *
 * Ownership: borrows `broadcast`, copies `room`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_broadcast_sockets_join(const sio_broadcast *broadcast, sio_str room);

/**
 * Takes the sockets out of a room.
 *
 * Ownership: borrows `broadcast` and `room`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_broadcast_sockets_leave(const sio_broadcast *broadcast, sio_str room);

/**
 * Disconnects the sockets from the namespace; with `close` from all of them, and closes their connections.
 *
 * Ownership: borrows `broadcast`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_broadcast_disconnect_sockets(const sio_broadcast *broadcast, bool close);

/**
 * Frees the broadcast.
 *
 * Ownership: consumes `broadcast`, which may be NULL.
 * Thread: any.
 */
void sio_broadcast_free(sio_broadcast *broadcast);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_BROADCAST_H */
