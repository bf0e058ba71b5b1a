/* A program that links the library and never calls it: nothing starts, nothing is opened, and it ends. */
#include "check.h"
#include "process.h"

/* Named, so that the linker keeps the library; never called. */
const char *(*volatile version)(void) = sio_version;

int main(void)
{
  if (!version || !is_mapped("libsocketio.so")) {
    return 1;
  }
  if (threads_named("sio-") != 0) {
    return 2;
  }
  return open_sockets_and_polls() == 0 ? 0 : 3;
}
