/* Generated from ffi/src/request.rs: change that, not this. */

#ifndef SOCKETIO_REQUEST_H
#define SOCKETIO_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "server.h"
#include "status.h"
#include "text.h"

/**
 * The right to answer a request, once, from any thread and at any time.
 *
 * Methods: sio_reply_send, sio_reply_drop use it up.
 */
typedef struct sio_reply sio_reply;

/**
 * An HTTP request that a callback receives: borrowed until it returns.
 *
 * Methods: sio_request_method, sio_request_target, sio_request_path, sio_request_header, sio_request_body,
 * sio_request_address.
 */
typedef struct sio_request sio_request;

/**
 * Receives a request outside the server's path.
 *
 * Ownership: `request` is borrowed until it returns; `reply` is owned, to be used up by sio_reply_send or
 * sio_reply_drop, then or later.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_request_fn)(const sio_request *request, sio_reply *reply, void *user_data);

/**
 * A header of an answer.
 */
typedef struct {
  /**
   * Its name.
   */
  sio_str name;
  /**
   * Its value.
   */
  sio_str value;
} sio_header;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Has `function` called with requests outside the server's path, instead of the one set before; without any they get
 * 404.
 *
 * Ownership: borrows `server`; takes `user_data` over with `destroy`.
 * Thread: any.
 */
sio_status sio_server_on_request(sio_server *server, sio_request_fn function, void *user_data, sio_destroy_fn destroy);

/**
 * The method: "GET" for instance.
 *
 * Ownership: borrows `request`; the text lives as long as it.
 * Thread: any, until the callback returns.
 */
sio_str sio_request_method(const sio_request *request);

/**
 * The target: path and query.
 *
 * Ownership: borrows `request`; the text lives as long as it.
 * Thread: any, until the callback returns.
 */
sio_str sio_request_target(const sio_request *request);

/**
 * The path: the target without its query.
 *
 * Ownership: borrows `request`; the text lives as long as it.
 * Thread: any, until the callback returns.
 */
sio_str sio_request_path(const sio_request *request);

/**
 * The first value of a header; `name` in any case.
 *
 * Ownership: borrows `request` and `name`; the text lives as long as `request`.
 * Thread: any, until the callback returns.
 * Errors: no text when there is no such header.
 */
sio_str sio_request_header(const sio_request *request, sio_str name);

/**
 * The body.
 *
 * Ownership: borrows `request`; the bytes live as long as it.
 * Thread: any, until the callback returns.
 */
sio_bytes sio_request_body(const sio_request *request);

/**
 * The IP address of the client, or "unix".
 *
 * Ownership: borrows `request`; the text lives as long as it.
 * Thread: any, until the callback returns.
 */
sio_str sio_request_address(const sio_request *request);

/**
 * Answers. The length of the body is added by itself.
 *
 * Ownership: consumes `reply`, also when it fails; copies `headers` and `body`.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_ARGUMENT when `status` or a header cannot be sent, and the client gets 500 then;
 * SIO_ERR_CLOSED when it is gone.
 */
sio_status sio_reply_send(sio_reply *reply, uint32_t status, const sio_header *headers, size_t n, sio_bytes body);

/**
 * Does not answer: the client gets 500.
 *
 * Ownership: consumes `reply`, which may be NULL.
 * Thread: any.
 */
void sio_reply_drop(sio_reply *reply);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_REQUEST_H */
