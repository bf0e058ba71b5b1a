/* Generated from ffi/src/handshake.rs: change that, not this. */

#ifndef SOCKETIO_HANDSHAKE_H
#define SOCKETIO_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "status.h"
#include "text.h"

/**
 * How a socket came to be: the request that opened its connection, and what its client sent to be let in. It lives as
 * long as its socket.
 *
 * Methods: sio_handshake_header, sio_handshake_headers, sio_handshake_query, sio_handshake_url, sio_handshake_address,
 * sio_handshake_auth_json, sio_handshake_secure, sio_handshake_issued.
 */
typedef struct sio_handshake sio_handshake;

/**
 * Receives one header of a request.
 *
 * Ownership: `name` and `value` are borrowed until it returns.
 * Thread: that of the call which it was given to.
 */
typedef void (*sio_header_fn)(sio_str name, sio_str value, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The first value of a header of the request; `name` in any case.
 *
 * Ownership: borrows `handshake` and `name`; the text lives as long as the socket.
 * Thread: any.
 * Errors: no text when there is no such header.
 */
sio_str sio_handshake_header(const sio_handshake *handshake, sio_str name);

/**
 * Calls `function` with each header of the request, in their order: names in lower case, one that came several times as
 * often. Without a function they are only counted.
 *
 * Ownership: borrows `handshake`; `user_data` is used during the call only.
 * Thread: any; `function` runs before this returns.
 */
size_t sio_handshake_headers(const sio_handshake *handshake, sio_header_fn function, void *user_data);

/**
 * The last value of a key of the request's query, decoded.
 *
 * Ownership: borrows `handshake` and `key`; `out` receives an owned text, to be freed with sio_string_free.
 * Thread: any.
 * Errors: SIO_ERR_NOT_FOUND.
 */
sio_status sio_handshake_query(const sio_handshake *handshake, sio_str key, sio_string **out);

/**
 * The target of the request: path and query.
 *
 * Ownership: borrows `handshake`; the text lives as long as the socket.
 * Thread: any.
 */
sio_str sio_handshake_url(const sio_handshake *handshake);

/**
 * The IP address of the client, or "unix".
 *
 * Ownership: borrows `handshake`; the text lives as long as the socket.
 * Thread: any.
 */
sio_str sio_handshake_address(const sio_handshake *handshake);

/**
 * The object that the client sent to be let in, as JSON; "{}" when it sent none.
 *
 * Ownership: borrows `handshake`; the text lives as long as the socket.
 * Thread: any.
 */
sio_str sio_handshake_auth_json(const sio_handshake *handshake);

/**
 * Whether the request came over TLS.
 *
 * Ownership: borrows `handshake`.
 * Thread: any.
 */
bool sio_handshake_secure(const sio_handshake *handshake);

/**
 * When the request came, in milliseconds since 1970.
 *
 * Ownership: borrows `handshake`.
 * Thread: any.
 */
int64_t sio_handshake_issued(const sio_handshake *handshake);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_HANDSHAKE_H */
