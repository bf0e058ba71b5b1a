/* Generated from ffi/src/namespace.rs: change that, not this. */

#ifndef SOCKETIO_NAMESPACE_H
#define SOCKETIO_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "event.h"
#include "payload.h"
#include "server.h"
#include "socket.h"
#include "status.h"
#include "text.h"

/**
 * A namespace of a server: its sockets, its rooms, and the listeners that serve all of its sockets.
 *
 * Methods: sio_server_of, sio_socket_get_namespace give one; sio_namespace_name, sio_namespace_socket_count,
 * sio_namespace_find, sio_namespace_use, sio_namespace_on_connection, sio_namespace_on, sio_namespace_on_any,
 * sio_namespace_on_disconnecting, sio_namespace_on_disconnect, sio_namespace_off, sio_namespace_emit,
 * sio_namespace_broadcast, sio_namespace_retain, sio_namespace_release.
 */
typedef struct sio_namespace sio_namespace;

/**
 * Receives a socket that has joined, before any of its events.
 *
 * Ownership: `socket` is borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_connection_fn)(sio_socket *socket, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The namespace of this name, which clients can join from then on. "/" always exists; a missing slash is added.
 *
 * Ownership: borrows `server` and `name`; returns an owned reference.
 * Thread: any.
 * Errors: NULL when the name is longer than 256 bytes, has a comma, or is not UTF-8.
 */
sio_namespace *sio_server_of(sio_server *server, sio_str name);

/**
 * The namespace that the socket is in.
 *
 * Ownership: borrows `socket`; the namespace is borrowed from it.
 * Thread: any.
 */
sio_namespace *sio_socket_get_namespace(const sio_socket *socket);

/**
 * Its name, with the slash.
 *
 * Ownership: borrows `nsp`; the text lives as long as it.
 * Thread: any.
 */
sio_str sio_namespace_name(const sio_namespace *nsp);

/**
 * How many sockets it has.
 *
 * Ownership: borrows `nsp`.
 * Thread: any.
 */
size_t sio_namespace_socket_count(const sio_namespace *nsp);

/**
 * The socket with this id.
 *
 * Ownership: borrows `nsp` and `sid`; returns an owned reference.
 * Thread: any.
 * Errors: NULL when there is none.
 */
sio_socket *sio_namespace_find(const sio_namespace *nsp, sio_str sid);

/**
 * Has `function` called with each new socket.
 *
 * Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_namespace_on_connection(sio_namespace *nsp,
                                       sio_connection_fn function,
                                       void *user_data,
                                       sio_destroy_fn destroy,
                                       sio_listener *listener);

/**
 * Has `function` called with every event `event` of every socket.
 *
 * Ownership: borrows `nsp` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives
 * its name.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_namespace_on(sio_namespace *nsp,
                            sio_str event,
                            sio_event_fn function,
                            void *user_data,
                            sio_destroy_fn destroy,
                            sio_listener *listener);

/**
 * Has `function` called with every event of every socket, before the listeners of single events.
 *
 * Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_namespace_on_any(sio_namespace *nsp,
                                sio_event_fn function,
                                void *user_data,
                                sio_destroy_fn destroy,
                                sio_listener *listener);

/**
 * Has `function` called when a socket is about to leave, and is still in its rooms.
 *
 * Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_namespace_on_disconnecting(sio_namespace *nsp,
                                          sio_disconnect_fn function,
                                          void *user_data,
                                          sio_destroy_fn destroy,
                                          sio_listener *listener);

/**
 * Has `function` called when a socket has left.
 *
 * Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_namespace_on_disconnect(sio_namespace *nsp,
                                       sio_disconnect_fn function,
                                       void *user_data,
                                       sio_destroy_fn destroy,
                                       sio_listener *listener);

/**
 * Takes a listener of this namespace out. A call that has begun may still be running; the `user_data` is destroyed after
 * it.
 *
 * Ownership: borrows `nsp`.
 * Thread: any.
 * Errors: SIO_ERR_NOT_FOUND.
 */
sio_status sio_namespace_off(sio_namespace *nsp,
                             sio_listener listener);

/**
 * Sends an event to every socket. It is encoded once.
 *
 * Ownership: borrows `nsp`, `event` and `payload`, which may be NULL.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_namespace_emit(sio_namespace *nsp, sio_str event, const sio_payload *payload);

/**
 * One more reference.
 *
 * Ownership: borrows `nsp`; returns an owned reference to it.
 * Thread: any.
 */
sio_namespace *sio_namespace_retain(sio_namespace *nsp);

/**
 * Gives a reference back. The namespace goes on as long as its server.
 *
 * Ownership: consumes `nsp`, which may be NULL.
 * Thread: any.
 */
void sio_namespace_release(sio_namespace *nsp);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_NAMESPACE_H */
