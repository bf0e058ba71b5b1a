/* A reference too many to a server: the library's threads, some of which live on, must not hide it.
 *
 * asan: LeakSanitizer: detected memory leaks
 * asan: in sio_server_new
 * valgrind: definitely lost
 * valgrind: by 0x.*: sio_server_new
 */
#include "loopback.h"

static void forget(void)
{
  sio_server *server = sio_server_retain(start_server(NULL));
  end_server(server);
}

int main(void)
{
  forget();
  return 0;
}
