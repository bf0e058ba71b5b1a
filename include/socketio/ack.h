/* Generated from ffi/src/ack.rs: change that, not this. */

#ifndef SOCKETIO_ACK_H
#define SOCKETIO_ACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "payload.h"
#include "status.h"

/**
 * The right to answer an event, once.
 *
 * Methods: sio_event_take_ack gives one; sio_ack_send, sio_ack_drop use it up.
 */
typedef struct sio_ack sio_ack;

/**
 * Receives what the other side answered: SIO_OK and the answer, or NULL with SIO_ERR_TIMEOUT, or with SIO_ERR_CLOSED
 * when the socket was closed before.
 *
 * Ownership: `response` is borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_ack_fn)(int32_t status, const sio_payload *response, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Answers.
 *
 * Ownership: consumes `ack`, also when it fails; borrows `payload`.
 * Thread: any.
 * Errors: SIO_ERR_CLOSED when the socket is gone, SIO_ERR_BACKPRESSURE when too much waits to be sent to it.
 */
sio_status sio_ack_send(sio_ack *ack, const sio_payload *payload);

/**
 * Does not answer. The other side waits until its timeout, if it has one.
 *
 * Ownership: consumes `ack`, which may be NULL.
 * Thread: any.
 */
void sio_ack_drop(sio_ack *ack);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_ACK_H */
