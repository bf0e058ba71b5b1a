/* A handler that sleeps for ten seconds while 100 clients send a megabyte each: what is read meanwhile stays within the
 * budgets, nobody's heartbeat runs out, neither side's, and afterwards everything arrives, in order. */
#include "loopback.h"
#include "memory.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* A heartbeat that does not stand still runs out after five seconds on either side. Under a checker, which slows
 * everything else down but not the clock, the sleep is shorter than that: there it is the memory that is looked at. */
enum { EVENTS = 64, EVENT_BYTES = 16 * 1024, PING_INTERVAL_MS = 1000, PING_TIMEOUT_MS = 4000, UNHURRIED_MS = 60000 };

/* The documented budgets: 64 MiB of events for the one dispatch queue. A WebSocket that is not read any more has delivered
 * one event above that, and holds what reads of 64 KiB brought, in a buffer that may have doubled; a client that polls, the
 * body of one POST, which is a megabyte at most. A tenth for the allocator. Every fourth client polls. */
enum { QUEUE_KIB = 64 * 1024, PER_WEBSOCKET_KIB = 16 + 128, PER_POLLING_KIB = 1000000 / 1024 };

static int clients_count, connections, events, slept, disconnected;
static long before_kib, asleep_kib;

static int number_of(sio_event *event)
{
  return (int)sio_value_as_int(sio_payload_get_value(sio_event_get_payload(event), 0));
}

/* An event: its number, and a text or bytes. */
static sio_payload *numbered(int number)
{
  static char content[EVENT_BYTES];
  sio_payload *payload = sio_payload_new();
  memset(content, 'x', sizeof content);
  check_ok(sio_payload_push_int(payload, number));
  if (number % 4 == 3) {
    check_ok(sio_payload_push_bytes(payload, bytes_of(content, sizeof content)));
  } else {
    sio_str text;
    text.ptr = content;
    text.len = sizeof content;
    check_ok(sio_payload_push_text(payload, text));
  }
  return payload;
}

/* ---- the server ---------------------------------------------------------------------------------------------------- */

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  check_ok(sio_socket_set_data(socket, calloc(1, sizeof(int)), free));
  count(&connections);
}

static void on_data(sio_socket *socket, sio_event *event, void *user_data)
{
  int *next = sio_socket_data(socket);
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  if (!slept) {
    struct timespec time = {0, 0};
    slept = 1;
    time.tv_sec = scaled(10);
    nanosleep(&time, NULL);
    asleep_kib = resident_kib();
  }
  check(number_of(event) == *next);
  ++*next;
  count(&events);
  if (ack) {
    check(*next == EVENTS);
    check_ok(sio_ack_send(ack, NULL));
  }
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)error;
  (void)user_data;

  check(*(int *)sio_socket_data(socket) == EVENTS);
  check(!is(reason, "ping timeout"));
  count(&disconnected);
}

static void serve(int url_to)
{
  sio_server_options *options = sio_server_options_new();
  sio_server *server;
  sio_namespace *nsp;
  const char *url;
  int status = -1;
  check_ok(sio_server_options_set_ping_interval(options, PING_INTERVAL_MS));
  check_ok(sio_server_options_set_ping_timeout(options, is_checked() ? UNHURRIED_MS : PING_TIMEOUT_MS));
  server = start_server(options);
  sio_server_options_free(options);
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("data"), on_data, NULL, NULL, NULL));
  before_kib = resident_kib();
  url = url_of(server, "");
  check(write(url_to, url, strlen(url) + 1) == (ssize_t)strlen(url) + 1);

  check(wait(&status) > 0);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  check(connections == clients_count);
  check(events == clients_count * EVENTS);
  end_server(server);
  check(disconnected == clients_count);
  sio_namespace_release(nsp);
  if (!is_checked()) {
    long polling = clients_count / 4, websockets = clients_count - polling;
    long bound = (QUEUE_KIB + websockets * PER_WEBSOCKET_KIB + polling * PER_POLLING_KIB) * 11 / 10;
    printf("%ld KiB grew by %ld KiB while the handler slept; %ld KiB are allowed\n", before_kib, asleep_kib - before_kib,
           bound);
    check(asleep_kib - before_kib <= bound);
  }
}

/* ---- the clients ---------------------------------------------------------------------------------------------------- */

static int connected, answered;

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void never(sio_client *client, sio_str reason, const sio_error *error, void *user_data)
{
  (void)client;
  (void)error;
  (void)user_data;
  if (!is(reason, "io client disconnect")) {
    fprintf(stderr, "a client was disconnected: %.*s\n", (int)reason.len, reason.ptr);
    exit(1);
  }
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_status(status, SIO_OK);
  count(&answered);
}

static void send_everything(const char *url)
{
  sio_manager **managers = calloc(clients_count, sizeof *managers);
  sio_client **clients = calloc(clients_count, sizeof *clients);
  int i, n;
  for (i = 0; i < clients_count; i++) {
    sio_manager_options *options = sio_manager_options_new();
    check_ok(sio_manager_options_set_auto_connect(options, false));
    check_ok(sio_manager_options_set_transports(options, i % 4 ? SIO_TRANSPORT_WEBSOCKET : SIO_TRANSPORT_POLLING));
    check_ok(sio_manager_new(NULL, sio_cstr(url), options, &managers[i]));
    sio_manager_options_free(options);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, NULL, NULL));
    check_ok(sio_client_on_disconnect(clients[i], never, NULL, NULL, NULL));
    check_ok(sio_client_connect(clients[i]));
  }
  check_reaches(&connected, clients_count);
  for (n = 0; n < EVENTS; n++) {
    sio_payload *payload = numbered(n);
    for (i = 0; i < clients_count; i++) {
      if (n == EVENTS - 1) {
        check_ok(sio_client_emit_with_ack(clients[i], SIO_STR("data"), payload, 0, on_answer, NULL, NULL));
      } else {
        check_ok(sio_client_emit(clients[i], SIO_STR("data"), payload));
      }
    }
    sio_payload_release(payload);
  }
  check_reaches(&answered, clients_count);
  for (i = 0; i < clients_count; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
  }
  free(clients);
  free(managers);
}

int main(void)
{
  int ends[2];
  char url[128];
  pid_t child;
  clients_count = scaled(100);
  check(pipe(ends) == 0);
  /* Before the library is used: the child is a process like any other. */
  child = fork();
  check(child >= 0);
  if (child == 0) {
    close(ends[1]);
    check(read(ends[0], url, sizeof url) > 0);
    send_everything(url);
    return 0;
  }
  serve(ends[1]);
  return 0;
}
