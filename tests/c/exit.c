/* A program may end while everything is still running. */
#include "loopback.h"

static int connected;
static sio_server *server;
static sio_manager *manager;
static sio_client *client;

static void on_connect(sio_client *connecting, void *user_data)
{
  (void)user_data;
  count(&connected);
  for (;;) {
    sio_client_emit(connecting, SIO_STR("noise"), NULL);
  }
}

int main(void)
{
  server = start_server(NULL);
  manager = manager_for(server, NULL);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_server_close(server, NULL, NULL, NULL));
  return 0;
}
