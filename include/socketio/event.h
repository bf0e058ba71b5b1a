/* Generated from ffi/src/event.rs: change that, not this. */

#ifndef SOCKETIO_EVENT_H
#define SOCKETIO_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "ack.h"
#include "payload.h"
#include "text.h"

/**
 * An event that a callback receives: borrowed until it returns; sio_event_retain keeps it.
 *
 * Methods: sio_event_name, sio_event_get_payload, sio_event_take_ack, sio_event_retain, sio_event_release.
 */
typedef struct sio_event sio_event;

/**
 * Names a listener, uniquely in the process. 0 is none.
 */
typedef uint64_t sio_listener;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of the event.
 *
 * Ownership: borrows `event`; the text lives as long as it.
 * Thread: any, until the callback returns.
 * Errors: no text when `event` is NULL.
 */
sio_str sio_event_name(const sio_event *event);

/**
 * The arguments of the event. To send it on unchanged costs nothing but the sending.
 *
 * Ownership: borrows `event`; the payload is borrowed from it.
 * Thread: any, until the callback returns.
 * Errors: NULL when `event` is NULL.
 */
const sio_payload *sio_event_get_payload(const sio_event *event);

/**
 * The right to answer the event: at any time, from any thread, once.
 *
 * Ownership: borrows `event`; returns an owned ack, to be used up by sio_ack_send or sio_ack_drop.
 * Thread: that of the callback.
 * Errors: NULL when the sender wants no ack, or it was taken before.
 */
sio_ack *sio_event_take_ack(sio_event *event);

/**
 * Keeps an event beyond the callback. The right to answer does not come along: take it before.
 *
 * Ownership: borrows `event`; returns an owned event, which is another pointer: keep that one.
 * Thread: any.
 * Errors: NULL when `event` is NULL.
 */
sio_event *sio_event_retain(const sio_event *event);

/**
 * Gives back an event that sio_event_retain returned.
 *
 * Ownership: consumes `event`, which may be NULL.
 * Thread: any.
 */
void sio_event_release(sio_event *event);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_EVENT_H */
