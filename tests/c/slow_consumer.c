/* A handler that does not return blocks its own peers and nothing else, and nothing grows without bound behind it: the
 * connection stops being read, the sender's buffer fills, and the sender is told. When the handler goes on, everything that
 * was accepted arrives in order. The other way round: a peer that does not read fills the buffer of its socket. */
#include "loopback.h"

enum { MIB = 1024 * 1024, EVENT_BYTES = 64 * 1024, BUFFER_BYTES = 2 * MIB };

/* What the operating system may hold between the two ends, and what the reader may have before it stops. */
enum { BETWEEN_BYTES = 24 * MIB };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opened = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static int connected, blocked, received, quick;
static sio_socket *sockets[2];

static void open_gate(bool open)
{
  pthread_mutex_lock(&gate);
  gate_is_open = open;
  pthread_cond_broadcast(&gate_opened);
  pthread_mutex_unlock(&gate);
}

static void wait_at_gate(void)
{
  pthread_mutex_lock(&gate);
  while (!gate_is_open) {
    pthread_cond_wait(&gate_opened, &gate);
  }
  pthread_mutex_unlock(&gate);
}

static void check_in_order(const sio_payload *payload)
{
  check(sio_value_as_int(sio_payload_get_value(payload, 0)) == counted(&received));
}

static void on_slow(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)user_data;
  if (counted(&received) == 0) {
    count(&blocked);
    wait_at_gate();
  }
  check_in_order(sio_event_get_payload(event));
  count(&received);
}

static void on_slow_client(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)user_data;
  if (counted(&received) == 0) {
    count(&blocked);
    wait_at_gate();
  }
  check_in_order(sio_event_get_payload(event));
  count(&received);
}

static void on_quick(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)socket;
  (void)user_data;
  check_ok(sio_ack_send(ack, NULL));
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_ok(status);
  count(&quick);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  sockets[counted(&connected)] = sio_socket_retain(socket);
  count(&connected);
}

static sio_payload *numbered(int number)
{
  static uint8_t bytes[EVENT_BYTES];
  sio_payload *payload = sio_payload_new();
  check_ok(sio_payload_push_int(payload, number));
  check_ok(sio_payload_push_bytes(payload, bytes_of(bytes, sizeof bytes)));
  return payload;
}

/* Emits until the sender is told that too much waits; how many events were accepted. */
static int fill(sio_client *client, sio_socket *socket)
{
  int accepted;
  for (accepted = 0;; accepted++) {
    sio_payload *payload = numbered(accepted);
    int32_t status = client ? sio_client_emit(client, SIO_STR("slow"), payload)
                            : sio_socket_emit(socket, SIO_STR("slow"), payload);
    uint64_t buffered = client ? sio_client_buffered_bytes(client) : sio_socket_buffered_bytes(socket);
    sio_payload_release(payload);
    check(buffered <= BUFFER_BYTES + 2 * EVENT_BYTES);
    if (status == SIO_ERR_BACKPRESSURE) {
      return accepted;
    }
    check_ok(status);
    check((uint64_t)accepted * EVENT_BYTES < BUFFER_BYTES + BETWEEN_BYTES);
  }
}

static sio_runtime *runtime_of_two_dispatchers(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_options_set_dispatch_threads(options, 2));
  check_ok(sio_runtime_new(options, &runtime));
  sio_runtime_options_free(options);
  return runtime;
}

static sio_manager *manager_of(sio_runtime *runtime, sio_server *server)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  check_ok(sio_manager_options_set_transports(options, SIO_TRANSPORT_WEBSOCKET));
  check_ok(sio_manager_options_set_max_buffered_bytes(options, BUFFER_BYTES));
  check_ok(sio_manager_new(runtime, sio_cstr(url_of(server, "")), options, &manager));
  sio_manager_options_free(options);
  return manager;
}

int main(void)
{
  /* The clients have a runtime of their own: whether a side is blocked is then up to that side alone. */
  sio_runtime *serving = runtime_of_two_dispatchers(), *asking = runtime_of_two_dispatchers();
  sio_server_options *options = sio_server_options_new();
  sio_server *server = NULL;
  sio_manager *managers[2];
  sio_client *clients[2];
  sio_namespace *nsp;
  int accepted, i;
  check_ok(sio_server_options_set_max_buffered_bytes(options, BUFFER_BYTES));
  check_ok(sio_server_new(serving, options, &server));
  sio_server_options_free(options);
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("slow"), on_slow, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("quick"), on_quick, NULL, NULL, NULL));
  for (i = 0; i < 2; i++) {
    managers[i] = manager_of(asking, server);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on(clients[i], SIO_STR("slow"), on_slow_client, NULL, NULL, NULL));
    check_reaches(&connected, i + 1);
  }

  /* A slow handler of the server: its client is told, the other one is served all the while. */
  accepted = fill(clients[0], NULL);
  check_reaches(&blocked, 1);
  for (i = 0; i < 10; i++) {
    check_ok(sio_client_emit_with_ack(clients[1], SIO_STR("quick"), NULL, 0, on_answer, NULL, NULL));
    check_reaches(&quick, i + 1);
  }
  check(counted(&received) == 0);
  open_gate(true);
  check_reaches(&received, accepted);

  /* A slow handler of a client. */
  open_gate(false);
  received = blocked = 0;
  accepted = fill(NULL, sockets[0]);
  check_reaches(&blocked, 1);
  check(counted(&received) == 0);
  open_gate(true);
  check_reaches(&received, accepted);

  for (i = 0; i < 2; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
    sio_socket_release(sockets[i]);
  }
  sio_namespace_release(nsp);
  end_server(server);
  sio_runtime_release(serving);
  sio_runtime_release(asking);
  return 0;
}
