/* Generated from ffi/src/text.rs: change that, not this. */

#ifndef SOCKETIO_TEXT_H
#define SOCKETIO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Text that the library hands over.
 *
 * Methods: sio_string_get, sio_string_free.
 */
typedef struct sio_string sio_string;

/**
 * Borrowed text: UTF-8, with a length, never in need of a NUL. `SIO_STR("x")` makes one of a literal,
 * `sio_cstr(p)` of a C string. `ptr` may be NULL when `len` is 0.
 */
typedef struct {
  /**
   * The first byte.
   */
  const char *ptr;
  /**
   * How many bytes.
   */
  size_t len;
} sio_str;

/**
 * Borrowed bytes. `ptr` may be NULL when `len` is 0.
 */
typedef struct {
  /**
   * The first byte.
   */
  const uint8_t *ptr;
  /**
   * How many bytes.
   */
  size_t len;
} sio_bytes;

/**
 * Frees what a callback's `user_data` points to. The library calls it exactly once, after the last call of
 * the callback has returned, also when the registration fails. It may be NULL.
 *
 * Thread: the thread that delivers the callback; the caller's when the registration fails.
 */
typedef void (*sio_destroy_fn)(void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The text.
 *
 * Ownership: borrows `string`; the text lives until sio_string_free.
 * Thread: any.
 * Errors: an empty text when `string` is NULL.
 */
sio_str sio_string_get(const sio_string *string);

/**
 * Frees the text.
 *
 * Ownership: consumes `string`, which may be NULL.
 * Thread: any.
 */
void sio_string_free(sio_string *string);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* The text of a literal: SIO_STR("x"). */
#ifdef __cplusplus
#define SIO_STR(literal) (sio_str{"" literal, sizeof(literal) - 1})
#else
#define SIO_STR(literal) ((sio_str){"" literal, sizeof(literal) - 1})
#endif

/* The text of a C string, which must outlive it; no text for NULL. */
static inline sio_str sio_cstr(const char *string)
{
  sio_str text;
  text.ptr = string;
  text.len = string ? strlen(string) : 0;
  return text;
}

#endif  /* SOCKETIO_TEXT_H */
