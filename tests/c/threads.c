/* Everything from many threads at once: listeners come and go while events flow, and each is destroyed exactly once. */
#include "loopback.h"

enum { THREADS = 4, CLIENTS = 3 };

static int rounds, destroyed, connected, answered, received;
static sio_server *server;
static sio_namespace *nsp;
static sio_client *clients[CLIENTS];

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  check(user_data == &destroyed);
  check(sio_socket_id(socket).len == 20);
  if (ack) {
    check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
  }
}

static void echo(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)socket;
  (void)user_data;
  check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
}

static void on_client_event(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)event;
  check(user_data == &destroyed);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  check_status(status, SIO_OK);
  check(is(sio_payload_json(response), "[\"x\"]"));
  check(user_data == &destroyed);
  count(&answered);
}

static void on_any(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)user_data;
  check(is(sio_event_name(event), "to all"));
  count(&received);
}

/* Three registrations and one event with an ack per round. */
static void *work(void *argument)
{
  sio_client *client = clients[*(int *)argument % CLIENTS];
  sio_payload *payload = text_payload("x");
  int i;
  for (i = 0; i < rounds; i++) {
    sio_listener on_server = 0, on_client = 0;
    check_ok(sio_namespace_on(nsp, SIO_STR("noise"), on_event, &destroyed, destroy, &on_server));
    check_ok(sio_client_on(client, SIO_STR("noise"), on_client_event, &destroyed, destroy, &on_client));
    check_ok(sio_client_emit(client, SIO_STR("noise"), payload));
    check_ok(sio_client_emit_with_ack(client, SIO_STR("echo"), payload, 0, on_answer, &destroyed, destroy));
    check_ok(sio_namespace_emit(nsp, SIO_STR("to all"), payload));
    check_ok(sio_namespace_off(nsp, on_server));
    check_ok(sio_client_off(client, on_client));
    sio_client_release(sio_client_retain(client));
  }
  sio_payload_release(payload);
  return NULL;
}

int main(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_manager *managers[CLIENTS];
  sio_runtime *runtime = NULL;
  pthread_t threads[THREADS];
  int numbers[THREADS], i;
  rounds = scaled(200);
  check_ok(sio_runtime_options_set_dispatch_threads(options, 3));
  check_ok(sio_runtime_new(options, &runtime));
  sio_runtime_options_free(options);
  check_ok(sio_server_new(runtime, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on(nsp, SIO_STR("echo"), echo, NULL, NULL, NULL));
  for (i = 0; i < CLIENTS; i++) {
    managers[i] = manager_for(server, NULL);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, NULL, NULL));
    check_ok(sio_client_on_any(clients[i], on_any, NULL, NULL, NULL));
    check_ok(sio_client_connect(clients[i]));
  }
  check_reaches(&connected, CLIENTS);

  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    check(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
  }
  for (i = 0; i < THREADS; i++) {
    check(pthread_join(threads[i], NULL) == 0);
  }
  check_reaches(&answered, THREADS * rounds);
  check_reaches(&received, THREADS * rounds * CLIENTS);
  check_reaches(&destroyed, 3 * THREADS * rounds);

  for (i = 0; i < CLIENTS; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
  }
  sio_namespace_release(nsp);
  end_server(server);
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));
  sio_runtime_release(runtime);
  check(counted(&destroyed) == 3 * THREADS * rounds);
  return 0;
}
