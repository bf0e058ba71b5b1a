/* Generated from ffi/src/delivery.rs: change that, not this. */

#ifndef SOCKETIO_DELIVERY_H
#define SOCKETIO_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "auth.h"
#include "client.h"
#include "error.h"
#include "event.h"
#include "middleware.h"
#include "payload.h"
#include "queue.h"
#include "request.h"
#include "socket.h"
#include "status.h"
#include "text.h"

/**
 * Which callback a sio_delivery stands for. New ones may come: ignore those that you do not know.
 */
enum sio_delivery_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * An empty record.
   */
  SIO_DELIVERY_KIND_NONE = 0,
  /**
   * A sio_event_fn: `socket`, `event`.
   */
  SIO_DELIVERY_KIND_EVENT = 1,
  /**
   * A sio_connection_fn: `socket`.
   */
  SIO_DELIVERY_KIND_CONNECTION = 2,
  /**
   * A sio_disconnect_fn of sio_socket_on_disconnecting: `socket`, `text` is the reason, `message` the rooms that it was in
   * when the record was taken, as a JSON array of text. By now it may have left them.
   */
  SIO_DELIVERY_KIND_DISCONNECTING = 3,
  /**
   * A sio_disconnect_fn: `socket`, `text` is the reason.
   */
  SIO_DELIVERY_KIND_DISCONNECT = 4,
  /**
   * A sio_ack_fn: `status`, `payload`.
   */
  SIO_DELIVERY_KIND_ACK = 5,
  /**
   * A sio_done_fn: `status`, `error`.
   */
  SIO_DELIVERY_KIND_DONE = 6,
  /**
   * A sio_request_fn: `request`, `reply`, which is yours to use up.
   */
  SIO_DELIVERY_KIND_REQUEST = 7,
  /**
   * A sio_client_event_fn: `client`, `event`.
   */
  SIO_DELIVERY_KIND_CLIENT_EVENT = 8,
  /**
   * A sio_client_connect_fn: `client`.
   */
  SIO_DELIVERY_KIND_CLIENT_CONNECT = 9,
  /**
   * A sio_client_error_fn: `client`, `error`.
   */
  SIO_DELIVERY_KIND_CLIENT_CONNECT_ERROR = 10,
  /**
   * A sio_client_disconnect_fn: `client`, `text` is the reason.
   */
  SIO_DELIVERY_KIND_CLIENT_DISCONNECT = 11,
  /**
   * A sio_manager_fn: `status` is the sio_manager_event, `attempt`, `text` is the reason, `error`.
   */
  SIO_DELIVERY_KIND_MANAGER = 12,
  /**
   * A sio_log_fn: `status` is the sio_log_level, `text` the target, `message`.
   */
  SIO_DELIVERY_KIND_LOG = 13,
  /**
   * A sio_middleware_fn: `socket`, `next`, which is yours to use up.
   */
  SIO_DELIVERY_KIND_MIDDLEWARE = 14,
  /**
   * A sio_auth_fn: `client`, `auth`, which is yours to use up.
   */
  SIO_DELIVERY_KIND_CLIENT_AUTH = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_delivery_kind sio_delivery_kind;
#else
typedef int32_t sio_delivery_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * One call that was not made: what the callback would have received. Fields that its kind does not name are NULL, 0 or
 * empty. All pointers but `reply`, `next` and `auth` are borrowed from the record: they live until sio_delivery_clear, and `_retain` keeps
 * what they point to for longer.
 */
typedef struct {
  /**
   * A sio_delivery_kind.
   */
  int32_t kind;
  /**
   * What `kind` says.
   */
  int32_t status;
  /**
   * The `user_data` of the registration, which is not destroyed before sio_delivery_clear.
   */
  void *user_data;
  /**
   * What `kind` says.
   */
  sio_socket *socket;
  /**
   * What `kind` says.
   */
  sio_client *client;
  /**
   * What `kind` says.
   */
  sio_event *event;
  /**
   * What `kind` says.
   */
  const sio_payload *payload;
  /**
   * What `kind` says.
   */
  const sio_error *error;
  /**
   * What `kind` says.
   */
  const sio_request *request;
  /**
   * What `kind` says. Owned, as in the callback.
   */
  sio_reply *reply;
  /**
   * What `kind` says. Owned, as in the callback.
   */
  sio_next *next;
  /**
   * What `kind` says. Owned, as in the callback.
   */
  sio_auth *auth;
  /**
   * What `kind` says.
   */
  sio_str text;
  /**
   * What `kind` says.
   */
  sio_str message;
  /**
   * The number of the attempt to reconnect.
   */
  uint32_t attempt;
  /**
   * Nothing yet.
   */
  uint32_t reserved;
  /**
   * The library's own.
   */
  void *owner;
} sio_delivery;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Takes what sio_queue_dispatch would call callbacks for, as records: for bindings. What was taken counts as handled, and
 * more is read from its connection. Everything else is as with sio_queue_dispatch.
 *
 * Ownership: borrows `queue`; writes at most `capacity` records to `out`, which are the host's until it gives them to
 * sio_delivery_clear; `count` receives how many.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_STATE, SIO_ERR_CLOSED as sio_queue_dispatch; SIO_ERR_INVALID_ARGUMENT when `capacity` is 0.
 */
sio_status sio_queue_take(sio_queue *queue,
                          sio_delivery *out,
                          size_t capacity,
                          size_t *count);

/**
 * Gives records back, and what they hold. The records are empty afterwards.
 *
 * Ownership: borrows the `count` records at `deliveries`, which may be NULL when there are none.
 * Thread: any; `destroy` of a registration that is gone may run here.
 */
void sio_delivery_clear(sio_delivery *deliveries, size_t count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_DELIVERY_H */
