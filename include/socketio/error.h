/* Generated from ffi/src/error.rs: change that, not this. */

#ifndef SOCKETIO_ERROR_H
#define SOCKETIO_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "payload.h"
#include "text.h"

/**
 * An error that a callback receives: borrowed until it returns.
 *
 * Methods: sio_error_status, sio_error_message, sio_error_get_data.
 */
typedef struct sio_error sio_error;

/**
 * Reports the end of an asynchronous call: SIO_OK and NULL, or a status and its error.
 *
 * Ownership: `error` is borrowed until it returns.
 * Thread: one that delivers callbacks.
 */
typedef void (*sio_done_fn)(int32_t status, const sio_error *error, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The status that stands for the error.
 *
 * Ownership: borrows `error`.
 * Thread: any, until the callback returns.
 * Errors: SIO_OK when `error` is NULL.
 */
int32_t sio_error_status(const sio_error *error);

/**
 * What happened, for people. When a server refused a connection, it is the message that the server gave.
 *
 * Ownership: borrows `error`; the text lives as long as it.
 * Thread: any, until the callback returns.
 * Errors: no text when `error` is NULL.
 */
sio_str sio_error_message(const sio_error *error);

/**
 * What the peer sent along with the error: a payload of one argument.
 *
 * Ownership: borrows `error`; the payload is borrowed from it.
 * Thread: any, until the callback returns.
 * Errors: NULL when there is nothing.
 */
const sio_payload *sio_error_get_data(const sio_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_ERROR_H */
