/* A program may return from main in full traffic, with everything open, from every side and in every thread. */
#include "loopback.h"

#include <sched.h>

enum { THREADS = 2 };

static int connected, received;
static sio_server *server;
static sio_namespace *nsp;
static sio_manager *manager;
static sio_client *client;

static void on_connect(sio_client *connecting, void *user_data)
{
  (void)user_data;
  sio_client_emit(connecting, SIO_STR("ball"), NULL);
  count(&connected);
}

/* Each side sends back what it gets. */
static void on_ball(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_emit(socket, SIO_STR("ball"), sio_event_get_payload(event));
}

static void on_ball_of_client(sio_client *receiver, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_client_emit(receiver, SIO_STR("ball"), sio_event_get_payload(event));
  count(&received);
}

static void *emit_for_ever(void *argument)
{
  (void)argument;
  for (;;) {
    sio_namespace_emit(nsp, SIO_STR("ball"), NULL);
    sio_client_emit(client, SIO_STR("ball"), NULL);
  }
  return NULL;
}

int main(void)
{
  pthread_t thread;
  int i;
  server = start_server(NULL);
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on(nsp, SIO_STR("ball"), on_ball, NULL, NULL, NULL));
  manager = manager_for(server, NULL);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on(client, SIO_STR("ball"), on_ball_of_client, NULL, NULL, NULL));
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  for (i = 0; i < THREADS; i++) {
    check(pthread_create(&thread, NULL, emit_for_ever, NULL) == 0);
  }
  while (counted(&received) < 100) {
    sched_yield();
  }
  return 0;
}
