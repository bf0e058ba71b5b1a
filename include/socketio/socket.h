/* Generated from ffi/src/socket.rs: change that, not this. */

#ifndef SOCKETIO_SOCKET_H
#define SOCKETIO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "ack.h"
#include "error.h"
#include "event.h"
#include "handshake.h"
#include "payload.h"
#include "status.h"
#include "text.h"

/**
 * How an event is sent. Values are added to a mask where several are meant.
 */
enum sio_emit
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The event is dropped when it cannot be sent at once.
   */
  SIO_EMIT_VOLATILE = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_emit sio_emit;
#else
typedef int32_t sio_emit;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A client in a namespace of a server. The same socket is always the same pointer.
 *
 * Methods: sio_socket_id, sio_socket_connected, sio_socket_get_handshake, sio_socket_transport,
 * sio_socket_get_namespace, sio_socket_on, sio_socket_once, sio_socket_on_any, sio_socket_on_disconnecting,
 * sio_socket_on_disconnect, sio_socket_off, sio_socket_emit, sio_socket_emit_flags, sio_socket_emit_with_ack,
 * sio_socket_broadcast, sio_socket_join, sio_socket_leave, sio_socket_in_room, sio_socket_rooms,
 * sio_socket_disconnect, sio_socket_buffered_bytes, sio_socket_set_data, sio_socket_data, sio_socket_retain,
 * sio_socket_release.
 */
typedef struct sio_socket sio_socket;

/**
 * Receives an event of a socket.
 *
 * Ownership: `socket` and `event` are borrowed until it returns.
 * Thread: one that delivers callbacks; events of one socket come one after the other, in order.
 */
typedef void (*sio_event_fn)(sio_socket *socket, sio_event *event, void *user_data);

/**
 * Learns that a socket is disconnected, and the official reason: "transport close" for instance.
 *
 * Ownership: `socket` and `reason` are borrowed until it returns, as is `error`, which is NULL when there is no more to
 * say.
 * Thread: one that delivers callbacks; it comes after all events of the socket.
 */
typedef void (*sio_disconnect_fn)(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data);

/**
 * Receives one room.
 *
 * Ownership: `room` is borrowed until it returns.
 * Thread: that of the call which it was given to.
 */
typedef void (*sio_rooms_fn)(sio_str room, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Its id, 20 characters; also the name of a room that only it is in.
 *
 * Ownership: borrows `socket`; the text lives as long as it.
 * Thread: any.
 */
sio_str sio_socket_id(const sio_socket *socket);

/**
 * Whether it is in its namespace: not before all middlewares have let it in, nor after it has left.
 *
 * Ownership: borrows `socket`.
 * Thread: any.
 */
bool sio_socket_connected(const sio_socket *socket);

/**
 * How it came to be.
 *
 * Ownership: borrows `socket`; the handshake is borrowed from it.
 * Thread: any.
 */
const sio_handshake *sio_socket_get_handshake(const sio_socket *socket);

/**
 * The transport in use: "polling" or "websocket".
 *
 * Ownership: borrows `socket`; returns a constant.
 * Thread: any.
 */
sio_str sio_socket_transport(const sio_socket *socket);

/**
 * Has `function` called with every event `event` of this socket, after the listeners of its namespace.
 *
 * Ownership: borrows `socket` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
 * receives its name.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_socket_on(sio_socket *socket,
                         sio_str event,
                         sio_event_fn function,
                         void *user_data,
                         sio_destroy_fn destroy,
                         sio_listener *listener);

/**
 * Has `function` called with the next event `event` only.
 *
 * Ownership: borrows `socket` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
 * receives its name.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_socket_once(sio_socket *socket,
                           sio_str event,
                           sio_event_fn function,
                           void *user_data,
                           sio_destroy_fn destroy,
                           sio_listener *listener);

/**
 * Has `function` called with every event of this socket, before the listeners of single events.
 *
 * Ownership: borrows `socket`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_socket_on_any(sio_socket *socket,
                             sio_event_fn function,
                             void *user_data,
                             sio_destroy_fn destroy,
                             sio_listener *listener);

/**
 * Has `function` called when the socket is about to leave, and is still in its rooms.
 *
 * Ownership: borrows `socket`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_socket_on_disconnecting(sio_socket *socket,
                                       sio_disconnect_fn function,
                                       void *user_data,
                                       sio_destroy_fn destroy,
                                       sio_listener *listener);

/**
 * Has `function` called when the socket has left.
 *
 * Ownership: borrows `socket`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_socket_on_disconnect(sio_socket *socket,
                                    sio_disconnect_fn function,
                                    void *user_data,
                                    sio_destroy_fn destroy,
                                    sio_listener *listener);

/**
 * Takes a listener of this socket out. A call that has begun may still be running; the `user_data` is destroyed after it.
 *
 * Ownership: borrows `socket`.
 * Thread: any.
 * Errors: SIO_ERR_NOT_FOUND.
 */
sio_status sio_socket_off(sio_socket *socket,
                          sio_listener listener);

/**
 * Sends an event to the client.
 *
 * Ownership: borrows `socket`, `event` and `payload`, which may be NULL.
 * Thread: any.
 * Errors: SIO_ERR_CLOSED, SIO_ERR_BACKPRESSURE when too much waits to be sent, SIO_ERR_INVALID_ARGUMENT for a reserved
 * event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_socket_emit(sio_socket *socket, sio_str event, const sio_payload *payload);

/**
 * Sends an event to the client in the way that `flags`, a mask of sio_emit, say.
 *
 * Ownership: borrows `socket`, `event` and `payload`, which may be NULL.
 * Thread: any.
 * Errors: as of sio_socket_emit; SIO_ERR_INVALID_ARGUMENT when there is another bit in `flags`.
 */
sio_status sio_socket_emit_flags(sio_socket *socket, sio_str event, const sio_payload *payload, uint32_t flags);

/**
 * Sends an event that the client answers. `function` is called once: with the answer, or after `timeout_ms` with
 * SIO_ERR_TIMEOUT (0 and SIO_FOREVER wait as long as the socket lives), or with SIO_ERR_CLOSED.
 *
 * Ownership: borrows `socket`, `event` and `payload`, which may be NULL; takes `user_data` over with `destroy`.
 * Thread: any.
 * Errors: as of sio_socket_emit; `function` is not called then.
 */
sio_status sio_socket_emit_with_ack(sio_socket *socket,
                                    sio_str event,
                                    const sio_payload *payload,
                                    uint32_t timeout_ms,
                                    sio_ack_fn function,
                                    void *user_data,
                                    sio_destroy_fn destroy);

/**
 * Puts the socket into a room.
 *
 * Ownership: borrows `socket`, copies `room`.
 * Thread: any.
 * Errors: SIO_ERR_CLOSED, SIO_ERR_TOO_LARGE for a name of more than 1,024 bytes, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_socket_join(sio_socket *socket, sio_str room);

/**
 * Takes the socket out of a room, if it is in it.
 *
 * Ownership: borrows `socket` and `room`.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_UTF8.
 */
sio_status sio_socket_leave(sio_socket *socket, sio_str room);

/**
 * Whether the socket is in a room.
 *
 * Ownership: borrows `socket` and `room`.
 * Thread: any.
 */
bool sio_socket_in_room(const sio_socket *socket, sio_str room);

/**
 * Calls `function`, which may be NULL, with each room that the socket is in; the one of its own id is one of them.
 * Returns how many there are.
 *
 * Ownership: borrows `socket`; `user_data` stays with the caller.
 * Thread: any; `function` is called on it before this returns.
 */
size_t sio_socket_rooms(const sio_socket *socket, sio_rooms_fn function, void *user_data);

/**
 * Disconnects the client from this namespace; with `close` from all of them, and closes the connection. What was sent
 * before still goes out. A socket that is not connected, or not yet, is left as it is.
 *
 * Ownership: borrows `socket`.
 * Thread: any.
 */
sio_status sio_socket_disconnect(sio_socket *socket, bool close);

/**
 * Bytes that wait to be sent on its connection.
 *
 * Ownership: borrows `socket`.
 * Thread: any.
 */
uint64_t sio_socket_buffered_bytes(const sio_socket *socket);

/**
 * Keeps a pointer with the socket, instead of the one before, which is destroyed. NULL without `destroy` keeps none.
 *
 * Ownership: borrows `socket`; takes `data` over with `destroy`, which is called when the last reference to the socket is
 * gone, on whatever thread that happens.
 * Thread: any.
 */
sio_status sio_socket_set_data(sio_socket *socket,
                               void *data,
                               sio_destroy_fn destroy);

/**
 * The pointer that is kept with the socket; NULL when there is none.
 *
 * Ownership: borrows `socket`; the pointer stays with it.
 * Thread: any.
 */
void *sio_socket_data(const sio_socket *socket);

/**
 * One more reference.
 *
 * Ownership: borrows `socket`; returns an owned reference to it.
 * Thread: any.
 */
sio_socket *sio_socket_retain(sio_socket *socket);

/**
 * Gives a reference back.
 *
 * Ownership: consumes `socket`, which may be NULL.
 * Thread: any.
 */
void sio_socket_release(sio_socket *socket);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_SOCKET_H */
