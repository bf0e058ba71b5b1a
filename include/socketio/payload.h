/* Generated from ffi/src/payload.rs: change that, not this. */

#ifndef SOCKETIO_PAYLOAD_H
#define SOCKETIO_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "status.h"
#include "text.h"
#include "value.h"

/**
 * The arguments of an event or an ack, as they are on the wire: the JSON text of an array, and binary attachments.
 * `{"_placeholder":true,"num":0}` in the JSON stands for attachment 0. Where a function takes a payload, NULL is one
 * without arguments.
 *
 * While arguments are added it is for one thread at a time; after that any thread may read it.
 *
 * Methods: sio_payload_new, sio_payload_from_json make one; sio_payload_push_json, .._text, .._int, .._double, .._bool,
 * .._null, .._bytes, .._value add an argument; sio_payload_count, sio_payload_json, sio_payload_arg_json,
 * sio_payload_get_value, sio_payload_attachment_count, sio_payload_attachment read it; sio_payload_retain,
 * sio_payload_release.
 */
typedef struct sio_payload sio_payload;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A payload without arguments, to add some.
 *
 * Ownership: returns an owned payload.
 * Thread: any.
 */
sio_payload *sio_payload_new(void);

/**
 * The payload of a JSON array and `n` attachments, which its placeholders name.
 *
 * Ownership: copies `array` and the bytes of `attachments`; `out` receives an owned payload.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_JSON when `array` is not the text of an array or a placeholder names no attachment,
 * SIO_ERR_INVALID_UTF8, SIO_ERR_TOO_LARGE.
 */
sio_status sio_payload_from_json(sio_str array, const sio_bytes *attachments, size_t n, sio_payload **out);

/**
 * Adds an argument that is JSON already. Placeholders in it may name attachments added before.
 *
 * Ownership: borrows `payload`, copies `json`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_UTF8, SIO_ERR_TOO_LARGE; nothing is added then.
 */
sio_status sio_payload_push_json(sio_payload *payload, sio_str json);

/**
 * Adds a text.
 *
 * Ownership: borrows `payload`, copies `text`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_UTF8, SIO_ERR_TOO_LARGE; nothing is added then.
 */
sio_status sio_payload_push_text(sio_payload *payload, sio_str text);

/**
 * Adds an integer. JavaScript peers round it past 2^53.
 *
 * Ownership: borrows `payload`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
 */
sio_status sio_payload_push_int(sio_payload *payload, int64_t value);

/**
 * Adds a number; `null` for an infinite one or NaN, as JavaScript does.
 *
 * Ownership: borrows `payload`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
 */
sio_status sio_payload_push_double(sio_payload *payload, double value);

/**
 * Adds `true` or `false`.
 *
 * Ownership: borrows `payload`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
 */
sio_status sio_payload_push_bool(sio_payload *payload, bool value);

/**
 * Adds `null`.
 *
 * Ownership: borrows `payload`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
 */
sio_status sio_payload_push_null(sio_payload *payload);

/**
 * Adds binary data: an attachment, and a placeholder for it.
 *
 * Ownership: borrows `payload`, copies `bytes`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
 */
sio_status sio_payload_push_bytes(sio_payload *payload, sio_bytes bytes);

/**
 * Adds a tree; bytes in it become attachments.
 *
 * Ownership: borrows `payload`; consumes `value`, also when it fails.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_TOO_LARGE when the tree has 128 levels, or past 65,536 arguments.
 */
sio_status sio_payload_push_value(sio_payload *payload, sio_value *value);

/**
 * Number of arguments.
 *
 * Ownership: borrows `payload`.
 * Thread: any.
 */
size_t sio_payload_count(const sio_payload *payload);

/**
 * The arguments as the text of a JSON array.
 *
 * Ownership: borrows `payload`; the text lives as long as it, unchanged.
 * Thread: any.
 * Errors: no text when `payload` is NULL.
 */
sio_str sio_payload_json(const sio_payload *payload);

/**
 * Argument `i` as JSON.
 *
 * Ownership: borrows `payload`; the text lives as long as it, unchanged.
 * Thread: any.
 * Errors: no text when there is no such argument.
 */
sio_str sio_payload_arg_json(const sio_payload *payload, size_t i);

/**
 * Argument `i` as a tree, in which attachments are in their places. The first call builds the trees of all arguments.
 *
 * Ownership: borrows `payload`; the value is borrowed from it, as long as it lives unchanged.
 * Thread: any.
 * Errors: NULL when there is no such argument.
 */
const sio_value *sio_payload_get_value(const sio_payload *payload, size_t i);

/**
 * Number of attachments.
 *
 * Ownership: borrows `payload`.
 * Thread: any.
 */
size_t sio_payload_attachment_count(const sio_payload *payload);

/**
 * Attachment `i`.
 *
 * Ownership: borrows `payload`; the bytes live as long as it, unchanged.
 * Thread: any.
 * Errors: no bytes when there is no such attachment.
 */
sio_bytes sio_payload_attachment(const sio_payload *payload, size_t i);

/**
 * Keeps a payload, a borrowed one too. The bytes are shared, not copied.
 *
 * Ownership: borrows `payload`; returns an owned payload, which may be another pointer: keep that one.
 * Thread: any.
 * Errors: NULL when `payload` is NULL.
 */
sio_payload *sio_payload_retain(const sio_payload *payload);

/**
 * Gives a payload back.
 *
 * Ownership: consumes `payload`, which may be NULL.
 * Thread: any.
 */
void sio_payload_release(sio_payload *payload);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_PAYLOAD_H */
