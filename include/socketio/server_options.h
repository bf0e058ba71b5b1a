/* Generated from ffi/src/server_options.rs: change that, not this. */

#ifndef SOCKETIO_SERVER_OPTIONS_H
#define SOCKETIO_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "queue.h"
#include "status.h"
#include "text.h"

/**
 * How Engine.IO travels. Values are added to a mask where several are meant.
 */
enum sio_transport
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * HTTP long-polling.
   */
  SIO_TRANSPORT_POLLING = 1,
  /**
   * WebSocket.
   */
  SIO_TRANSPORT_WEBSOCKET = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_transport sio_transport;
#else
typedef int32_t sio_transport;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where callbacks run.
 */
enum sio_delivery_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * On threads of the library that do nothing else.
   */
  SIO_DELIVERY_THREADS = 0,
  /**
   * On a thread of the host, when it dispatches a sio_queue.
   */
  SIO_DELIVERY_QUEUE = 1,
  /**
   * Where the event was read, on an I/O thread: the quickest way, for callbacks that never block. While one runs, all
   * connections of its thread wait; callbacks of different connections run at once, on as many threads as the runtime
   * has workers. With the log at SIO_LOG_DEBUG, one that takes over a millisecond is reported.
   */
  SIO_DELIVERY_INLINE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_delivery_mode sio_delivery_mode;
#else
typedef int32_t sio_delivery_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a server behaves: every option has the official default until it is set. In all of them 0 is that default.
 *
 * Methods: sio_server_options_new, sio_server_options_set_json, .._path, .._ping_interval, .._ping_timeout,
 * .._upgrade_timeout, .._connect_timeout, .._max_http_buffer_size, .._transports, .._allow_upgrades, .._cors,
 * .._max_buffered_bytes, .._delivery, .._queue, sio_server_options_free.
 */
typedef struct sio_server_options sio_server_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Options with their defaults.
 *
 * Ownership: returns owned options.
 * Thread: any.
 */
sio_server_options *sio_server_options_new(void);

/**
 * Sets the options that a JSON object names, by their official names: `{"pingInterval":25000,"cors":{"origin":"*"}}`.
 * Unknown ones are ignored and logged.
 *
 * Ownership: borrows `options` and `json`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when a value does not fit; SIO_ERR_UNSUPPORTED, whose message
 * names it, for an option that is not built yet. Nothing is set then.
 */
sio_status sio_server_options_set_json(sio_server_options *options, sio_str json);

/**
 * The path under which the server answers: "/socket.io" by default, which is the empty text too.
 *
 * Ownership: borrows `options`, copies `path`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when it does not begin with a slash, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_server_options_set_path(sio_server_options *options, sio_str path);

/**
 * Milliseconds between two pings of a connection: 25,000 by default, at most 12 days, which SIO_FOREVER stands for:
 * JavaScript clients have no longer timers.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_ping_interval(sio_server_options *options, uint32_t ms);

/**
 * Milliseconds after a ping within which the pong has to come: 20,000 by default, at most 12 days as well.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_ping_timeout(sio_server_options *options, uint32_t ms);

/**
 * Milliseconds that an upgrade from polling to WebSocket may take: 10,000 by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_upgrade_timeout(sio_server_options *options, uint32_t ms);

/**
 * Milliseconds within which a connection has to join a namespace: 45,000 by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_connect_timeout(sio_server_options *options, uint32_t ms);

/**
 * Bytes that one message may have: 1,000,000 by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_max_http_buffer_size(sio_server_options *options, uint64_t bytes);

/**
 * Which transports clients may use: a mask of sio_transport, both by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when there is another bit in it.
 */
sio_status sio_server_options_set_transports(sio_server_options *options, uint32_t mask);

/**
 * Whether a connection may go from polling to WebSocket: it may by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_allow_upgrades(sio_server_options *options, bool allow);

/**
 * Which pages of other origins may connect: the official `cors` object, `{"origin":"*"}` for instance. By default none
 * may; the empty text is that default.
 *
 * Ownership: borrows `options` and `json`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_server_options_set_cors(sio_server_options *options, sio_str json);

/**
 * Bytes that may wait to be sent to one connection: 16 MiB by default, SIO_FOREVER is no limit. Past it, emitting
 * answers SIO_ERR_BACKPRESSURE, and volatile events are dropped.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_max_buffered_bytes(sio_server_options *options, uint64_t bytes);

/**
 * Where callbacks run: a sio_delivery_mode, SIO_DELIVERY_THREADS by default.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT when there is no such mode; SIO_ERR_INVALID_STATE for SIO_DELIVERY_QUEUE before a queue was
 * given by sio_server_options_set_queue, which chooses that mode itself.
 */
sio_status sio_server_options_set_delivery(sio_server_options *options,
                                           int32_t mode);

/**
 * Has callbacks run where the host dispatches `queue` (SIO_DELIVERY_QUEUE). Without a runtime of its own, the server uses
 * that of the queue.
 *
 * Ownership: borrows `options` and `queue`; the options, and the servers made with them, keep the queue's insides, yet the host's last
 * sio_queue_release closes it.
 * Thread: any, one at a time.
 */
sio_status sio_server_options_set_queue(sio_server_options *options,
                                        sio_queue *queue);

/**
 * Frees the options.
 *
 * Ownership: consumes `options`, which may be NULL.
 * Thread: any.
 */
void sio_server_options_free(sio_server_options *options);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_SERVER_OPTIONS_H */
