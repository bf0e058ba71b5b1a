/* A thread that is corked sends with the last sio_uncork: in order, on every connection, as a server and as a client. */
#include "loopback.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 100 };

static int connected, received, answered, closed;
static sio_socket *sockets[2];

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  sockets[connected] = sio_socket_retain(socket);
  count(&connected);
}

/* Events carry the numbers from 0 on. */
static void check_next(sio_event *event, int *next)
{
  check(sio_value_as_int(sio_payload_get_value(sio_event_get_payload(event), 0)) == *next);
  count(next);
}

static void on_server_event(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  check_next(event, user_data);
}

static void on_client_event(sio_client *client, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)client;
  check_next(event, user_data);
  if (ack) {
    check_ok(sio_ack_send(ack, NULL));
  }
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_ok(status);
  count(&answered);
}

static void on_manager(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)attempt;
  (void)reason;
  (void)error;
  (void)user_data;
  count(&closed);
}

static sio_payload *number(int value)
{
  sio_payload *payload = sio_payload_new();
  check_ok(sio_payload_push_int(payload, value));
  return payload;
}

static void servers_and_clients_write_when_they_are_uncorked(sio_namespace *nsp, sio_client *client, int *server_next)
{
  int i;
  size_t waiting = 0;
  sio_broadcast *broadcast = sio_namespace_broadcast(nsp);
  sio_cork();
  for (i = 0; i < EVENTS; i++) {
    sio_payload *payload = number(i);
    sio_cork();
    if (i % 3 == 0) {
      check_ok(sio_namespace_emit(nsp, SIO_STR("n"), payload));
    } else if (i % 3 == 1) {
      check_ok(sio_broadcast_emit(broadcast, SIO_STR("n"), payload));
    } else {
      check_ok(sio_socket_emit_with_ack(sockets[0], SIO_STR("n"), payload, 0, on_answer, NULL, NULL));
      check_ok(sio_socket_emit(sockets[1], SIO_STR("n"), payload));
    }
    check_ok(sio_client_emit(client, SIO_STR("n"), payload));
    sio_uncork();
    sio_payload_release(payload);
    check(sio_socket_buffered_bytes(sockets[0]) > waiting);
    waiting = sio_socket_buffered_bytes(sockets[0]);
  }
  check(sio_client_buffered_bytes(client) > EVENTS);
  check(counted(&received) == 0 && counted(server_next) == 0);
  sio_uncork();
  check_reaches(server_next, EVENTS);
  check_reaches(&answered, EVENTS / 3);
  sio_broadcast_free(broadcast);
}

/* The child has a copy of what waits, and leaves it alone. */
static void what_is_corked_in_a_fork_is_sent_once(int *client_next, int *other_next)
{
  sio_payload *payload = number(EVENTS);
  int status;
  pid_t child;
  sio_cork();
  check_ok(sio_socket_emit(sockets[0], SIO_STR("n"), payload));
  check_ok(sio_socket_emit(sockets[1], SIO_STR("n"), payload));
  child = fork();
  check(child >= 0);
  if (child == 0) {
    sio_uncork();
    sio_uncork();
    _exit(sio_socket_emit(sockets[0], SIO_STR("n"), payload) == SIO_ERR_FORKED ? 0 : 1);
  }
  check(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  sio_uncork();
  check_reaches(client_next, EVENTS + 1);
  check_reaches(other_next, EVENTS + 1);
  sio_payload_release(payload);
}

/* What it waits for may depend on what it has sent. */
static void a_function_that_waits_writes_before(sio_server *server, sio_manager *manager, int *server_next)
{
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  sio_payload *payload = number(EVENTS);
  sio_cork();
  check_ok(sio_client_emit(client, SIO_STR("n"), payload));
  check_ok(sio_manager_close_wait(manager, PATIENCE_S * 1000));
  check_reaches(server_next, EVENTS + 1);
  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  sio_uncork();
  sio_client_release(client);
  sio_payload_release(payload);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *managers[2];
  sio_client *clients[2];
  int client_next[2] = {0, 0}, server_next = 0, i;
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("n"), on_server_event, &server_next, NULL, NULL));
  for (i = 0; i < 2; i++) {
    /* Without an upgrade, and without a request that waits: either would be answered with what waits. */
    sio_manager_options *options = sio_manager_options_new();
    check_ok(sio_manager_options_set_transports(options, SIO_TRANSPORT_WEBSOCKET));
    managers[i] = manager_for(server, options);
    check_ok(sio_manager_on(managers[i], SIO_MANAGER_CLOSE, on_manager, NULL, NULL, NULL));
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on(clients[i], SIO_STR("n"), on_client_event, &client_next[i], NULL, NULL));
    check_ok(sio_client_connect(clients[i]));
    check_reaches(&connected, i + 1);
  }

  sio_uncork(); /* of nothing */
  servers_and_clients_write_when_they_are_uncorked(nsp, clients[0], &server_next);
  check_reaches(&client_next[0], EVENTS);
  check_reaches(&client_next[1], EVENTS);
  what_is_corked_in_a_fork_is_sent_once(&client_next[0], &client_next[1]);
  a_function_that_waits_writes_before(server, managers[0], &server_next);
  check_reaches(&closed, 2);

  for (i = 0; i < 2; i++) {
    sio_socket_release(sockets[i]);
    sio_client_release(clients[i]);
    end_manager(managers[i]);
  }
  sio_namespace_release(nsp);
  sio_server_release(server);
  return 0;
}
