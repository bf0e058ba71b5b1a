/* What the test programs share: check(condition) ends the program when it does not hold. */
#ifndef CHECK_H
#define CHECK_H

#include "leaks.h"

#include <socketio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define check(condition) \
  do { \
    if (!(condition)) { \
      sio_str last_ = sio_last_error_message(); \
      fprintf(stderr, "%s:%d: %s; last error: %.*s\n", __FILE__, __LINE__, #condition, (int)last_.len, \
              last_.ptr ? last_.ptr : ""); \
      exit(1); \
    } \
  } while (0)

#define check_status(call, expected) \
  do { \
    int32_t status_ = (call); \
    if (status_ != (expected)) { \
      sio_str last_ = sio_last_error_message(); \
      fprintf(stderr, "%s:%d: %s: %s instead of %s; last error: %.*s\n", __FILE__, __LINE__, #call, \
              sio_status_name(status_), sio_status_name(expected), (int)last_.len, last_.ptr ? last_.ptr : ""); \
      exit(1); \
    } \
  } while (0)

#define check_ok(call) check_status(call, SIO_OK)

/* Whether a text is this C string. */
static inline int is(sio_str text, const char *expected)
{
  return text.len == strlen(expected) && (text.len == 0 || memcmp(text.ptr, expected, text.len) == 0);
}

/* Whether bytes are these. */
static inline int are(sio_bytes bytes, const void *expected, size_t len)
{
  return bytes.len == len && (len == 0 || memcmp(bytes.ptr, expected, len) == 0);
}

static inline sio_bytes bytes_of(const void *pointer, size_t len)
{
  sio_bytes bytes;
  bytes.ptr = (const uint8_t *)pointer;
  bytes.len = len;
  return bytes;
}

/* How often something is repeated: `rounds`, or the percentage of it that SIO_TEST_SCALE says, at least once. Checkers
 * that slow a program down run it with less, long tests with more. */
static inline int scaled(int rounds)
{
  const char *scale = getenv("SIO_TEST_SCALE");
  long wanted = scale && *scale ? (long)rounds * atol(scale) / 100 : rounds;
  return wanted < 1 ? 1 : (int)wanted;
}

#endif
