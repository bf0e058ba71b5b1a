/* Callbacks where the event was read: never on a thread of the program, never two of one socket at once, in order. */
#include "loopback.h"

enum { CLIENTS = 8 };

static int events;

static pthread_t program;
static int connected, answered, closed;
static sio_namespace *nsp;

typedef struct {
  int next;
  int busy;
} state;

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  check(!pthread_equal(pthread_self(), program));
  check_ok(sio_socket_set_data(socket, calloc(1, sizeof(state)), free));
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  state *own = sio_socket_data(socket);
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  check(!pthread_equal(pthread_self(), program));
  check(own->busy++ == 0);
  check(sio_value_as_int(sio_payload_get_value(sio_event_get_payload(event), 0)) == own->next++);
  /* Into the library from inside, to this socket and to all others. */
  check_ok(sio_socket_emit(socket, SIO_STR("back"), sio_event_get_payload(event)));
  check_ok(sio_socket_join(socket, SIO_STR("room")));
  check_ok(sio_namespace_emit(nsp, SIO_STR("all"), NULL));
  if (ack) {
    check_ok(sio_ack_send(ack, NULL));
  }
  check(--own->busy == 0);
}

static void on_bye(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_server *server = user_data;
  (void)event;
  check_status(sio_server_close_wait(server, 1000), SIO_ERR_WOULD_DEADLOCK);
  /* Its end is told after this callback has returned. */
  check_ok(sio_socket_disconnect(socket, true));
  check(!sio_socket_connected(socket));
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  state *own = sio_socket_data(socket);
  (void)reason;
  (void)error;
  (void)user_data;
  check(own->busy == 0);
  check(own->next == events);
  count(&closed);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  check(!pthread_equal(pthread_self(), program));
  count(&connected);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check(status == SIO_OK);
  count(&answered);
}

static int slow_reported;

static void on_log(int32_t level, sio_str target, sio_str message, void *user_data)
{
  (void)user_data;
  (void)message;
  if (level == SIO_LOG_WARN && is(target, "dispatch")) {
    count(&slow_reported);
  }
}

static void be_slow(sio_socket *socket, sio_event *event, void *user_data)
{
  struct timespec time = {0, 3000000};
  (void)socket;
  (void)event;
  (void)user_data;
  nanosleep(&time, NULL);
}

int main(void)
{
  sio_server_options *server_options = sio_server_options_new();
  sio_manager *managers[CLIENTS];
  sio_client *clients[CLIENTS];
  sio_server *server;
  int i, n;
  events = scaled(500);
  program = pthread_self();
  check_ok(sio_server_options_set_delivery(server_options, SIO_DELIVERY_INLINE));
  server = start_server(server_options);
  sio_server_options_free(server_options);
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("n"), on_event, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("slow"), be_slow, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("bye"), on_bye, server, NULL, NULL));
  for (i = 0; i < CLIENTS; i++) {
    sio_manager_options *options = sio_manager_options_new();
    check_ok(sio_manager_options_set_delivery(options, i % 2 ? SIO_DELIVERY_INLINE : SIO_DELIVERY_THREADS));
    if (i % 4 < 2) {
      check_ok(sio_manager_options_set_transports(options, SIO_TRANSPORT_WEBSOCKET));
    }
    managers[i] = manager_for(server, options);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, NULL, NULL));
    check_ok(sio_client_connect(clients[i]));
  }
  check_reaches(&connected, CLIENTS);
  for (n = 0; n < events; n++) {
    sio_payload *payload = sio_payload_new();
    check_ok(sio_payload_push_int(payload, n));
    for (i = 0; i < CLIENTS; i++) {
      if (n == events - 1) {
        check_ok(sio_client_emit_with_ack(clients[i], SIO_STR("n"), payload, 0, on_answer, NULL, NULL));
      } else {
        check_ok(sio_client_emit(clients[i], SIO_STR("n"), payload));
      }
    }
    sio_payload_release(payload);
  }
  check_reaches(&answered, CLIENTS);

  /* A slow handler is reported to a developer who wants to know. */
  check_ok(sio_log_set(SIO_LOG_DEBUG, on_log, NULL, NULL));
  check_ok(sio_client_emit(clients[0], SIO_STR("slow"), NULL));
  check(reaches(&slow_reported, 1) || counted(&slow_reported) > 1);
  check_ok(sio_log_set(SIO_LOG_ERROR, NULL, NULL, NULL));

  check_ok(sio_client_emit(clients[0], SIO_STR("bye"), NULL));
  check_reaches(&closed, 1);
  for (i = 0; i < CLIENTS; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
  }
  sio_namespace_release(nsp);
  end_server(server);
  check(closed == CLIENTS);
  return 0;
}
