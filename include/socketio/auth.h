/* Generated from ffi/src/auth.rs: change that, not this. */

#ifndef SOCKETIO_AUTH_H
#define SOCKETIO_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "client.h"
#include "status.h"
#include "text.h"

/**
 * The right to say what a CONNECT carries, once, from any thread and at any time. It is sent when that is said.
 *
 * Methods: sio_auth_send, sio_auth_drop use it up.
 */
typedef struct sio_auth sio_auth;

/**
 * Is asked what a client says to be let in, before each CONNECT: with the first connection, and again with each one after a
 * loss. What the client emits meanwhile waits until it is connected.
 *
 * Ownership: `client` is borrowed until it returns; `auth` is owned, to be used up by sio_auth_send or sio_auth_drop, then or
 * later.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_auth_fn)(sio_client *client, sio_auth *auth, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Sets what the client says to be let in from the next CONNECT on: the text of a JSON object; nothing when it is empty. It
 * takes the place of what its options said and of a function of sio_client_on_auth.
 *
 * Ownership: borrows `client`, copies `json`.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_client_set_auth_json(sio_client *client,
                                    sio_str json);

/**
 * Has `function` asked before each CONNECT what that is to carry, instead of the function or the text that was set before.
 *
 * Ownership: borrows `client`; takes `user_data` over with `destroy`.
 * Thread: any.
 */
sio_status sio_client_on_auth(sio_client *client,
                              sio_auth_fn function,
                              void *user_data,
                              sio_destroy_fn destroy);

/**
 * Sends the CONNECT with the text of a JSON object, or with nothing when it is empty.
 *
 * Ownership: consumes `auth`, also when it fails; copies `json`.
 * Thread: any.
 * Errors: SIO_ERR_CLOSED when the client was disconnected meanwhile or has lost its connection: nothing is sent, and it is
 * asked again when it connects; SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8:
 * the CONNECT goes without it, as by sio_auth_drop.
 */
sio_status sio_auth_send(sio_auth *auth,
                         sio_str json);

/**
 * Has nothing to say: the CONNECT is sent without data.
 *
 * Ownership: consumes `auth`, which may be NULL.
 * Thread: any.
 */
void sio_auth_drop(sio_auth *auth);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_AUTH_H */
