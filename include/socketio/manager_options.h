/* Generated from ffi/src/manager_options.rs: change that, not this. */

#ifndef SOCKETIO_MANAGER_OPTIONS_H
#define SOCKETIO_MANAGER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "queue.h"
#include "status.h"
#include "text.h"

/**
 * What one client of a manager has for itself.
 *
 * Methods: sio_client_options_new, sio_client_options_set_auth_json, sio_client_options_free.
 */
typedef struct sio_client_options sio_client_options;

/**
 * How a manager connects, and connects again: every option has the official default until it is set.
 *
 * Methods: sio_manager_options_new, sio_manager_options_set_json, .._path, .._transports, .._upgrade, .._reconnection,
 * .._reconnection_attempts, .._reconnection_delay, .._timeout, .._query, .._extra_header, .._auth_json,
 * .._auto_connect, .._max_buffered_bytes, .._delivery, .._queue, sio_manager_options_free.
 */
typedef struct sio_manager_options sio_manager_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Options with their defaults.
 *
 * Ownership: returns owned options.
 * Thread: any.
 */
sio_manager_options *sio_manager_options_new(void);

/**
 * Sets the options that a JSON object names, by their official names: `{"reconnection":false,"path":"/chat"}`. Unknown
 * ones are ignored and logged.
 *
 * Ownership: borrows `options` and `json`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when a value does not fit; SIO_ERR_UNSUPPORTED, whose message
 * names it, for an option that is not built yet. Nothing is set then.
 */
sio_status sio_manager_options_set_json(sio_manager_options *options, sio_str json);

/**
 * The path under which the server answers: "/socket.io" by default, which is the empty text too.
 *
 * Ownership: borrows `options`, copies `path`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when it does not begin with a slash, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_manager_options_set_path(sio_manager_options *options, sio_str path);

/**
 * Which transports may be used: a mask of sio_transport. With both, which is the default, a connection begins with
 * polling and is upgraded.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when there is another bit in it.
 */
sio_status sio_manager_options_set_transports(sio_manager_options *options, uint32_t mask);

/**
 * Whether a connection goes from polling to WebSocket when the server offers it: it does by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_upgrade(sio_manager_options *options, bool upgrade);

/**
 * Whether a lost or failed connection is opened again: it is by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_reconnection(sio_manager_options *options, bool reconnection);

/**
 * How often that is tried before it is given up: for ever by default, which 0 and SIO_FOREVER stand for.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_reconnection_attempts(sio_manager_options *options, uint32_t attempts);

/**
 * How long to wait before an attempt: `min_ms` (1,000 by default) before the first, twice as long before each that
 * follows, at most `max_ms` (5,000 by default). Each wait is changed at random by at most `randomization_factor` of
 * itself (the official default is 0.5; 0 is no randomness).
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when `randomization_factor` is not from 0 to 1.
 */
sio_status sio_manager_options_set_reconnection_delay(sio_manager_options *options,
                                                      uint32_t min_ms,
                                                      uint32_t max_ms,
                                                      double randomization_factor);

/**
 * Milliseconds that opening a connection may take: 20,000 by default, SIO_FOREVER is no limit.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_timeout(sio_manager_options *options, uint32_t ms);

/**
 * Adds a key to the query of every request, or changes it.
 *
 * Ownership: borrows `options`, copies `key` and `value`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_UTF8.
 */
sio_status sio_manager_options_set_query(sio_manager_options *options, sio_str key, sio_str value);

/**
 * Adds a header to every request and to the WebSocket handshake, or changes it.
 *
 * Ownership: borrows `options`, copies `name` and `value`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_UTF8; what cannot be a header makes sio_manager_new fail.
 */
sio_status sio_manager_options_set_extra_header(sio_manager_options *options, sio_str name, sio_str value);

/**
 * What clients without a credential of their own send to be let in: the text of a JSON object; nothing when it is empty.
 *
 * Ownership: borrows `options`, copies `json`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_manager_options_set_auth_json(sio_manager_options *options,
                                             sio_str json);

/**
 * Whether a client connects when it is made: it does by default. A program that must not miss the first connection turns
 * it off, adds its listeners, and calls sio_client_connect.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_auto_connect(sio_manager_options *options,
                                                bool auto_connect);

/**
 * Bytes that may wait to be sent: 16 MiB by default, SIO_FOREVER is no limit. Past it, emitting answers
 * SIO_ERR_BACKPRESSURE.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_max_buffered_bytes(sio_manager_options *options, uint64_t bytes);

/**
 * Where callbacks run: a sio_delivery_mode, SIO_DELIVERY_THREADS by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when there is no such mode; SIO_ERR_INVALID_STATE for SIO_DELIVERY_QUEUE before a queue was
 * given by sio_manager_options_set_queue, which chooses that mode itself.
 */
sio_status sio_manager_options_set_delivery(sio_manager_options *options,
                                            int32_t mode);

/**
 * Has callbacks run where the host dispatches `queue` (SIO_DELIVERY_QUEUE). Without a runtime of its own, the manager uses
 * that of the queue.
 *
 * Ownership: borrows `options` and `queue`; the options, and the managers made with them, keep the queue's insides, yet the host's last
 * sio_queue_release closes it.
 * Thread: any, one at a time.
 */
sio_status sio_manager_options_set_queue(sio_manager_options *options,
                                         sio_queue *queue);

/**
 * Frees the options.
 *
 * Ownership: consumes `options`, which may be NULL.
 * Thread: any.
 */
void sio_manager_options_free(sio_manager_options *options);

/**
 * Options with their defaults.
 *
 * Ownership: returns owned options.
 * Thread: any.
 */
sio_client_options *sio_client_options_new(void);

/**
 * What the client sends to be let in: the text of a JSON object; what its manager has for it when it is empty.
 *
 * Ownership: borrows `options`, copies `json`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_client_options_set_auth_json(sio_client_options *options, sio_str json);

/**
 * Frees the options.
 *
 * Ownership: consumes `options`, which may be NULL.
 * Thread: any.
 */
void sio_client_options_free(sio_client_options *options);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_MANAGER_OPTIONS_H */
