/* A program may end while everything is still running. */
#include "loopback.h"

static int connected;

static void on_connect(sio_client *client, void *user_data)
{
  (void)user_data;
  count(&connected);
  for (;;) {
    sio_client_emit(client, SIO_STR("noise"), NULL);
  }
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_manager *manager = manager_for(server, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_server_close(server, NULL, NULL, NULL));
  return 0;
}
