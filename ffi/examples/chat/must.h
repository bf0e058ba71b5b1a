/* What the examples do about an error: they say what it is, and end. */
#ifndef CHAT_MUST_H
#define CHAT_MUST_H

#include <socketio.h>

#include <stdio.h>
#include <stdlib.h>

static inline void must(int32_t status, const char *what)
{
  if (status != SIO_OK) {
    sio_str message = sio_last_error_message();
    fprintf(stderr, "%s: %s: %.*s\n", what, sio_status_name(status), (int)message.len, message.len ? message.ptr : "");
    exit(1);
  }
}

static inline void *must_have(void *memory)
{
  if (!memory) {
    perror("memory");
    exit(1);
  }
  return memory;
}

#endif
