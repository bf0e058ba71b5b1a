/* Generated from ffi/src/client.rs: change that, not this. */

#ifndef SOCKETIO_CLIENT_H
#define SOCKETIO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "ack.h"
#include "error.h"
#include "event.h"
#include "manager.h"
#include "manager_options.h"
#include "payload.h"
#include "status.h"
#include "text.h"

/**
 * The client's end of a namespace. What is emitted while it is not connected waits until it is. While it is active it
 * lives on without references of the program.
 *
 * Methods: sio_manager_socket gives one; sio_client_get_manager, sio_client_namespace, sio_client_id,
 * sio_client_connected, sio_client_active, sio_client_connect, sio_client_disconnect, sio_client_set_auth_json,
 * sio_client_on_auth, sio_client_on, sio_client_once, sio_client_on_any, sio_client_on_connect,
 * sio_client_on_connect_error, sio_client_on_disconnect, sio_client_off, sio_client_emit, sio_client_emit_flags, sio_client_emit_with_ack,
 * sio_client_transport, sio_client_buffered_bytes, sio_client_retain,
 * sio_client_release.
 */
typedef struct sio_client sio_client;

/**
 * Receives an event of a client.
 *
 * Ownership: `client` and `event` are borrowed until it returns.
 * Thread: one that delivers callbacks; events of one client come one after the other, in order.
 */
typedef void (*sio_client_event_fn)(sio_client *client, sio_event *event, void *user_data);

/**
 * Learns that a client is connected.
 *
 * Ownership: `client` is borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_client_connect_fn)(sio_client *client, void *user_data);

/**
 * Learns that a client could not be connected: the server refused it (SIO_ERR_REJECTED, with its message and data), or
 * there was no connection.
 *
 * Ownership: `client` and `error` are borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_client_error_fn)(sio_client *client, const sio_error *error, void *user_data);

/**
 * Learns that a client is not connected any more, and the official reason: "transport close" for instance.
 *
 * Ownership: `client` and `reason` are borrowed until it returns, as is `error`, which is NULL when there is no more to
 * say.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_client_disconnect_fn)(sio_client *client, sio_str reason, const sio_error *error, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The client of a namespace: always the same while it lives. The empty name is the namespace of the manager's URL; a
 * missing slash is added. It connects at once, unless the option `autoConnect` is off.
 *
 * Ownership: borrows `manager`, `nsp` and `options`, which may be NULL; returns an owned reference.
 * Thread: any.
 * Errors: NULL when the name is too long or not UTF-8, or there are too many namespaces.
 */
sio_client *sio_manager_socket(sio_manager *manager, sio_str nsp, const sio_client_options *options);

/**
 * Its manager.
 *
 * Ownership: borrows `client`; the manager is borrowed from it.
 * Thread: any.
 */
sio_manager *sio_client_get_manager(const sio_client *client);

/**
 * The name of its namespace, with the slash.
 *
 * Ownership: borrows `client`; the text lives as long as it.
 * Thread: any.
 */
sio_str sio_client_namespace(const sio_client *client);

/**
 * The id that the server has given it for as long as it is connected.
 *
 * Ownership: borrows `client`; `out` receives an owned text, to be freed with sio_string_free.
 * Thread: any.
 * Errors: SIO_ERR_NOT_CONNECTED.
 */
sio_status sio_client_id(const sio_client *client, sio_string **out);

/**
 * Whether the server has let it in and the connection stands, as far as known.
 *
 * Ownership: borrows `client`.
 * Thread: any.
 */
bool sio_client_connected(const sio_client *client);

/**
 * Whether it is connected, or will be as soon as that is possible. It is not after a refusal, nor after either side has
 * disconnected it.
 *
 * Ownership: borrows `client`.
 * Thread: any.
 */
bool sio_client_active(const sio_client *client);

/**
 * Has it connected, now and after each loss of the connection. Nothing happens when it is active already.
 *
 * Ownership: borrows `client`.
 * Thread: any.
 */
sio_status sio_client_connect(sio_client *client);

/**
 * Disconnects it. What was sent before still goes out; the connection is closed with the manager's last active client.
 *
 * Ownership: borrows `client`.
 * Thread: any.
 */
sio_status sio_client_disconnect(sio_client *client);

/**
 * Has `function` called with every event `event`.
 *
 * Ownership: borrows `client` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
 * receives its name.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_client_on(sio_client *client,
                         sio_str event,
                         sio_client_event_fn function,
                         void *user_data,
                         sio_destroy_fn destroy,
                         sio_listener *listener);

/**
 * Has `function` called with the next event `event` only.
 *
 * Ownership: borrows `client` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
 * receives its name.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_client_once(sio_client *client,
                           sio_str event,
                           sio_client_event_fn function,
                           void *user_data,
                           sio_destroy_fn destroy,
                           sio_listener *listener);

/**
 * Has `function` called with every event, before the listeners of single events.
 *
 * Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_client_on_any(sio_client *client,
                             sio_client_event_fn function,
                             void *user_data,
                             sio_destroy_fn destroy,
                             sio_listener *listener);

/**
 * Has `function` called when the client is connected, also after each loss of the connection.
 *
 * Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_client_on_connect(sio_client *client,
                                 sio_client_connect_fn function,
                                 void *user_data,
                                 sio_destroy_fn destroy,
                                 sio_listener *listener);

/**
 * Has `function` called when the client could not be connected.
 *
 * Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_client_on_connect_error(sio_client *client,
                                       sio_client_error_fn function,
                                       void *user_data,
                                       sio_destroy_fn destroy,
                                       sio_listener *listener);

/**
 * Has `function` called when the client is not connected any more.
 *
 * Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
 * Thread: any.
 */
sio_status sio_client_on_disconnect(sio_client *client,
                                    sio_client_disconnect_fn function,
                                    void *user_data,
                                    sio_destroy_fn destroy,
                                    sio_listener *listener);

/**
 * Takes a listener out. A call that has begun may still be running; the `user_data` is destroyed after it.
 *
 * Ownership: borrows `client`.
 * Thread: any.
 * Errors: SIO_ERR_NOT_FOUND.
 */
sio_status sio_client_off(sio_client *client, sio_listener listener);

/**
 * Sends an event, or keeps it until the client is connected.
 *
 * Ownership: borrows `client`, `event` and `payload`, which may be NULL.
 * Thread: any.
 * Errors: SIO_ERR_BACKPRESSURE when too much waits to be sent, SIO_ERR_INVALID_ARGUMENT for a reserved event,
 * SIO_ERR_INVALID_UTF8.
 */
sio_status sio_client_emit(sio_client *client, sio_str event, const sio_payload *payload);

/**
 * Sends an event in the way that `flags`, a mask of sio_emit, say.
 *
 * Ownership: borrows `client`, `event` and `payload`, which may be NULL.
 * Thread: any.
 * Errors: as of sio_client_emit; SIO_ERR_INVALID_ARGUMENT when there is another bit in `flags`.
 */
sio_status sio_client_emit_flags(sio_client *client, sio_str event, const sio_payload *payload, uint32_t flags);

/**
 * Sends an event that the server answers, or keeps it until the client is connected. `function` is called once: with the
 * answer, or after `timeout_ms` with SIO_ERR_TIMEOUT (0 and SIO_FOREVER wait as long as it takes), or with SIO_ERR_CLOSED.
 *
 * Ownership: borrows `client`, `event` and `payload`, which may be NULL; takes `user_data` over with `destroy`.
 * Thread: any.
 * Errors: as of sio_client_emit; `function` is not called then.
 */
sio_status sio_client_emit_with_ack(sio_client *client,
                                    sio_str event,
                                    const sio_payload *payload,
                                    uint32_t timeout_ms,
                                    sio_ack_fn function,
                                    void *user_data,
                                    sio_destroy_fn destroy);

/**
 * The transport that its manager's connection uses: "polling" or "websocket".
 *
 * Ownership: borrows `client`; returns a constant.
 * Thread: any.
 * Errors: no text when there is no connection.
 */
sio_str sio_client_transport(const sio_client *client);

/**
 * Bytes that wait to be sent on its manager's connection.
 *
 * Ownership: borrows `client`.
 * Thread: any.
 */
uint64_t sio_client_buffered_bytes(const sio_client *client);

/**
 * One more reference.
 *
 * Ownership: borrows `client`; returns an owned reference to it.
 * Thread: any.
 */
sio_client *sio_client_retain(sio_client *client);

/**
 * Gives a reference back. A client that is active goes on: disconnect it first.
 *
 * Ownership: consumes `client`, which may be NULL.
 * Thread: any.
 */
void sio_client_release(sio_client *client);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_CLIENT_H */
