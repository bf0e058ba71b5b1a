/* Generated from ffi/src/value.rs: change that, not this. */

#ifndef SOCKETIO_VALUE_H
#define SOCKETIO_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "status.h"
#include "text.h"

/**
 * What a value is.
 */
enum sio_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * `null`, and what is no value at all.
   */
  SIO_NULL = 0,
  /**
   * `true` or `false`.
   */
  SIO_BOOL = 1,
  /**
   * A number without fraction or exponent that fits in 64 bits.
   */
  SIO_INT = 2,
  /**
   * Any other number.
   */
  SIO_DOUBLE = 3,
  /**
   * A string.
   */
  SIO_TEXT = 4,
  /**
   * Binary data.
   */
  SIO_BINARY = 5,
  /**
   * An array.
   */
  SIO_ARRAY = 6,
  /**
   * An object.
   */
  SIO_OBJECT = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sio_kind sio_kind;
#else
typedef int32_t sio_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A JSON value, or bytes. A tree is for one thread at a time until it is no longer changed.
 *
 * Methods: sio_value_new_null, .._bool, .._int, .._double, .._text, .._bytes, .._array, .._object, sio_value_parse,
 * sio_value_clone make one; sio_value_push, sio_value_set add to it; sio_value_kind, sio_value_as_bool, .._int,
 * .._double, .._text, .._bytes, sio_value_count, sio_value_at, sio_value_get, sio_value_key_at, sio_value_print read
 * it; sio_value_free.
 */
typedef struct sio_value sio_value;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * `null`.
 *
 * Ownership: returns an owned value.
 * Thread: any.
 */
sio_value *sio_value_new_null(void);

/**
 * `true` or `false`.
 *
 * Ownership: returns an owned value.
 * Thread: any.
 */
sio_value *sio_value_new_bool(bool value);

/**
 * An integer. JavaScript peers round it past 2^53.
 *
 * Ownership: returns an owned value.
 * Thread: any.
 */
sio_value *sio_value_new_int(int64_t value);

/**
 * A number. An infinite one and NaN are sent as `null`, as JavaScript does.
 *
 * Ownership: returns an owned value.
 * Thread: any.
 */
sio_value *sio_value_new_double(double value);

/**
 * A string.
 *
 * Ownership: copies `text`; returns an owned value.
 * Thread: any.
 * Errors: NULL when `text` is not UTF-8.
 */
sio_value *sio_value_new_text(sio_str text);

/**
 * Binary data.
 *
 * Ownership: copies `bytes`; returns an owned value.
 * Thread: any.
 * Errors: NULL when `bytes` is NULL with a length.
 */
sio_value *sio_value_new_bytes(sio_bytes bytes);

/**
 * An empty array.
 *
 * Ownership: returns an owned value.
 * Thread: any.
 */
sio_value *sio_value_new_array(void);

/**
 * An empty object.
 *
 * Ownership: returns an owned value.
 * Thread: any.
 */
sio_value *sio_value_new_object(void);

/**
 * Appends to an array.
 *
 * Ownership: borrows `array`; consumes `value`, also when it fails.
 * Thread: any, one at a time for `array`.
 * Errors: SIO_ERR_INVALID_STATE when `array` is none, SIO_ERR_TOO_LARGE past 128 levels.
 */
sio_status sio_value_push(sio_value *array, sio_value *value);

/**
 * Sets a member of an object; one of the same key is replaced.
 *
 * Ownership: borrows `object`, copies `key`; consumes `value`, also when it fails.
 * Thread: any, one at a time for `object`.
 * Errors: SIO_ERR_INVALID_STATE when `object` is none, SIO_ERR_TOO_LARGE past 128 levels, SIO_ERR_INVALID_UTF8.
 */
sio_status sio_value_set(sio_value *object, sio_str key, sio_value *value);

/**
 * What the value is: a sio_kind.
 *
 * Ownership: borrows `value`.
 * Thread: any.
 * Errors: SIO_NULL when `value` is NULL.
 */
int32_t sio_value_kind(const sio_value *value);

/**
 * The value of a `SIO_BOOL`; else false.
 *
 * Ownership: borrows `value`.
 * Thread: any.
 */
bool sio_value_as_bool(const sio_value *value);

/**
 * The value of a `SIO_INT`, or of a `SIO_DOUBLE` without its fraction, as near as 64 bits allow; else 0.
 *
 * Ownership: borrows `value`.
 * Thread: any.
 */
int64_t sio_value_as_int(const sio_value *value);

/**
 * The value of a `SIO_DOUBLE` or a `SIO_INT`; else 0.
 *
 * Ownership: borrows `value`.
 * Thread: any.
 */
double sio_value_as_double(const sio_value *value);

/**
 * The text of a `SIO_TEXT`; else no text.
 *
 * Ownership: borrows `value`; the text lives as long as it, unchanged.
 * Thread: any.
 */
sio_str sio_value_as_text(const sio_value *value);

/**
 * The bytes of a `SIO_BINARY`; else no bytes.
 *
 * Ownership: borrows `value`; the bytes live as long as it, unchanged.
 * Thread: any.
 */
sio_bytes sio_value_as_bytes(const sio_value *value);

/**
 * Number of elements of an array or members of an object; else 0.
 *
 * Ownership: borrows `value`.
 * Thread: any.
 */
size_t sio_value_count(const sio_value *value);

/**
 * Element `i` of an array, or the value of member `i` of an object.
 *
 * Ownership: borrows `value`; the result is borrowed from it until it is changed or freed.
 * Thread: any.
 * Errors: NULL when there is none.
 */
const sio_value *sio_value_at(const sio_value *value, size_t i);

/**
 * Member `key` of an object.
 *
 * Ownership: borrows `value` and `key`; the result is borrowed from `value` until it is changed or freed.
 * Thread: any.
 * Errors: NULL when there is none.
 */
const sio_value *sio_value_get(const sio_value *value, sio_str key);

/**
 * The key of member `i` of an object.
 *
 * Ownership: borrows `value`; the text is borrowed from it until it is changed or freed.
 * Thread: any.
 * Errors: no text when there is none.
 */
sio_str sio_value_key_at(const sio_value *value, size_t i);

/**
 * The value that a JSON text stands for.
 *
 * Ownership: borrows `json`; `out` receives an owned value.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_JSON, also past 128 levels; SIO_ERR_INVALID_UTF8.
 */
sio_status sio_value_parse(sio_str json, sio_value **out);

/**
 * The value as JSON. Bytes, which have no form in JSON, are refused: send them as arguments.
 *
 * Ownership: borrows `value`; `out` receives an owned text, to be freed with sio_string_free.
 * Thread: any.
 * Errors: SIO_ERR_INVALID_STATE when there are bytes in it.
 */
sio_status sio_value_print(const sio_value *value, sio_string **out);

/**
 * A copy of the whole tree.
 *
 * Ownership: borrows `value`; returns an owned value.
 * Thread: any.
 * Errors: NULL when `value` is NULL.
 */
sio_value *sio_value_clone(const sio_value *value);

/**
 * Frees a value and all that it holds.
 *
 * Ownership: consumes `value`, which may be NULL and must not be borrowed from another.
 * Thread: any.
 */
void sio_value_free(sio_value *value);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_VALUE_H */
