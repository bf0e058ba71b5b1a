/* A callback and the main thread write the same variable, and nothing orders them.
 *
 * tsan: ThreadSanitizer: data race
 * tsan: #0 on_done
 * tsan: #0 main
 */
#include "loopback.h"

static int shared, called;

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  (void)user_data;
  count(&called);
  shared = 1;
}

int main(void)
{
  sio_server *server = NULL;
  check_ok(sio_server_new(NULL, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), on_done, NULL, NULL));
  check_reaches(&called, 1);
  shared = 2;
  end_server(server);
  return 0;
}
