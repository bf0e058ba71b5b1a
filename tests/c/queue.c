/* Callbacks on the host's thread: the descriptor, the wake function, dispatch, take, close. Nothing here sleeps: the host
 * polls the descriptor, as its loop would. */
#include "loopback.h"

#include <poll.h>

static pthread_t host;
static int wakes, woken_data_destroyed;

static void wake(void *user_data)
{
  check(user_data == &wakes);
  count(&wakes);
}

static void destroy(void *user_data)
{
  count(user_data);
}

static bool is_readable(sio_queue *queue, int timeout_ms)
{
  struct pollfd fd;
  fd.fd = sio_queue_fd(queue);
  fd.events = POLLIN;
  fd.revents = 0;
  check(fd.fd >= 0);
  check(poll(&fd, 1, timeout_ms) >= 0);
  return fd.revents & POLLIN;
}

/* Dispatches until a counter has this value. */
static void dispatch_until(sio_queue *queue, int *counter, int value)
{
  while (*counter < value) {
    check(is_readable(queue, PATIENCE_S * 1000));
    check_ok(sio_queue_dispatch(queue, 0, NULL));
  }
  check(*counter == value);
}

static sio_queue *new_queue(void)
{
  sio_queue *queue = NULL;
  check_ok(sio_queue_new(NULL, wake, &wakes, NULL, &queue));
  return queue;
}

static sio_server *server_on(sio_queue *queue)
{
  sio_server_options *options = sio_server_options_new();
  sio_server *server;
  check_status(sio_server_options_set_delivery(options, SIO_DELIVERY_QUEUE), SIO_ERR_INVALID_STATE);
  check_ok(sio_server_options_set_queue(options, queue));
  check_ok(sio_server_options_set_delivery(options, SIO_DELIVERY_QUEUE));
  server = start_server(options);
  sio_server_options_free(options);
  return server;
}

static sio_manager *manager_on(sio_queue *queue, sio_server *server)
{
  sio_manager_options *options = sio_manager_options_new();
  check_ok(sio_manager_options_set_queue(options, queue));
  return manager_for(server, options);
}

/* All of these run on the host's thread: their counters need no lock. */
static int connections, disconnections, events, connects, answers, next_number;

static void on_connection(sio_socket *socket, void *user_data)
{
  check(pthread_equal(pthread_self(), host));
  check(user_data == NULL && sio_socket_connected(socket));
  connections++;
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  (void)user_data;
  check(pthread_equal(pthread_self(), host));
  disconnections++;
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)socket;
  (void)user_data;
  check(pthread_equal(pthread_self(), host));
  check(sio_value_as_int(sio_payload_get_value(sio_event_get_payload(event), 0)) == next_number++);
  events++;
  if (ack) {
    check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
  }
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  check(pthread_equal(pthread_self(), host));
  connects++;
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check(status == SIO_OK);
  check(pthread_equal(pthread_self(), host));
  answers++;
}

static sio_payload *number(int n)
{
  sio_payload *payload = sio_payload_new();
  check_ok(sio_payload_push_int(payload, n));
  return payload;
}

static void everything_runs_on_the_host_and_in_order(void)
{
  sio_queue *queue = new_queue();
  sio_server *server = server_on(queue);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_on(queue, server);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  int i;
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("n"), on_event, NULL, NULL, NULL));
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  dispatch_until(queue, &connects, 1);
  dispatch_until(queue, &connections, 1);

  for (i = 0; i < 1000; i++) {
    sio_payload *payload = number(i);
    if (i % 100 == 99) {
      check_ok(sio_client_emit_with_ack(client, SIO_STR("n"), payload, 0, on_answer, NULL, NULL));
    } else {
      check_ok(sio_client_emit(client, SIO_STR("n"), payload));
    }
    sio_payload_release(payload);
  }
  dispatch_until(queue, &events, 1000);
  dispatch_until(queue, &answers, 10);

  /* The end of both needs callbacks, which run meanwhile, here. */
  sio_client_release(client);
  end_manager(manager);
  end_server(server);
  check(disconnections == 1);
  sio_namespace_release(nsp);
  sio_queue_release(queue);
}

static int tries;

static void nothing(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  (void)user_data;
}

static void from_inside(int32_t status, const sio_error *error, void *user_data)
{
  sio_queue *queue = user_data;
  check(status == SIO_OK && error == NULL);
  check_status(sio_queue_dispatch(queue, 0, NULL), SIO_ERR_INVALID_STATE);
  tries++;
}

static void *from_another_thread(void *queue)
{
  size_t n = 7;
  check_status(sio_queue_dispatch(queue, 0, &n), SIO_ERR_INVALID_STATE);
  check(n == 7);
  return NULL;
}

static void let_another_thread_try(int32_t status, const sio_error *error, void *user_data)
{
  pthread_t other;
  (void)status;
  (void)error;
  check(pthread_create(&other, NULL, from_another_thread, user_data) == 0);
  check(pthread_join(other, NULL) == 0);
  tries++;
}

static void one_edge_per_filling_and_one_consumer(void)
{
  sio_queue *queue = new_queue();
  sio_server *server = server_on(queue);
  size_t n = 99;
  int i;
  check_ok(sio_queue_dispatch(queue, 0, &n));
  check(!is_readable(queue, 0));
  check_ok(sio_queue_dispatch(queue, 0, &n));
  check(n == 0);

  wakes = 0;
  for (i = 0; i < 10; i++) {
    check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), nothing, NULL, NULL));
  }
  check(counted(&wakes) == 1 && is_readable(queue, 0));

  /* What is left behind is told again, and keeps the descriptor readable. */
  check_ok(sio_queue_dispatch(queue, 4, &n));
  check(n == 4 && counted(&wakes) == 2 && is_readable(queue, 0));
  check_ok(sio_queue_dispatch(queue, 0, &n));
  check(n == 6 && counted(&wakes) == 2 && !is_readable(queue, 0));

  tries = 0;
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), from_inside, queue, NULL));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), let_another_thread_try, queue, NULL));
  check(counted(&wakes) == 3);
  check_ok(sio_queue_dispatch(queue, 100, &n));
  check(n == 2 && tries == 2 && !is_readable(queue, 0));

  end_server(server);
  sio_queue_release(queue);
}

static int called;

static void count_call(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  count(user_data);
}

static void close_in_a_call(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  check_ok(sio_queue_close(user_data));
}

/* Nothing is called any more, and everything destroyed, on the closer's thread. */
static void a_closed_queue_calls_nobody(void)
{
  sio_queue *queue = NULL;
  sio_server *server;
  sio_runtime *runtime = sio_runtime_get_default();
  int destroyed = 0, i;
  check_ok(sio_queue_new(runtime, wake, &wakes, NULL, &queue));
  server = server_on(queue);
  called = 0;
  for (i = 0; i < 5; i++) {
    check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), count_call, &called, NULL));
    check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), nothing, &destroyed, destroy));
  }
  check_ok(sio_queue_dispatch(queue, 4, NULL));
  check(called == 2 && destroyed == 1);
  check_ok(sio_queue_close(queue));
  check(called == 2 && destroyed == 5);
  check_status(sio_queue_dispatch(queue, 0, NULL), SIO_ERR_CLOSED);
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), nothing, &destroyed, destroy));
  check(destroyed == 6);
  check_ok(sio_queue_close(queue));
  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  sio_server_release(server);
  sio_queue_release(queue);

  /* From inside: the rest of what was being dispatched is not called either. */
  check_ok(sio_queue_new(runtime, NULL, NULL, NULL, &queue));
  server = server_on(queue);
  called = 0;
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), close_in_a_call, queue, NULL));
  for (i = 0; i < 3; i++) {
    check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), count_call, &called, NULL));
  }
  check_ok(sio_queue_dispatch(queue, 0, NULL));
  check(called == 0);
  sio_server_release(server);
  sio_queue_release(queue);
}

static int lines;

static void on_line(int32_t level, sio_str target, sio_str message, void *user_data)
{
  (void)user_data;
  check(level == SIO_LOG_WARN && target.len > 0 && message.len > 0);
  check(pthread_equal(pthread_self(), host));
  lines++;
}

static void log_lines_come_through_the_queue(void)
{
  sio_queue *queue = new_queue();
  sio_server_options *options = sio_server_options_new();
  check_ok(sio_log_set_queue(queue));
  check_ok(sio_log_set(SIO_LOG_WARN, on_line, NULL, NULL));
  check_ok(sio_server_options_set_json(options, SIO_STR("{\"whatever\":1}")));
  check(lines == 0 && is_readable(queue, 0));
  check_ok(sio_queue_dispatch(queue, 0, NULL));
  check(lines == 1);
  check_ok(sio_log_set(SIO_LOG_WARN, NULL, NULL, NULL));
  check_ok(sio_log_set_queue(NULL));
  sio_server_options_free(options);
  sio_queue_release(queue);
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

enum { ROOM = 4 };

static sio_delivery records[ROOM];

/* The next record; what it points to lives until the one after it. */
static sio_delivery *next_record(sio_queue *queue)
{
  static size_t have, at;
  while (at == have) {
    sio_delivery_clear(records, have);
    check(is_readable(queue, PATIENCE_S * 1000));
    check_ok(sio_queue_take(queue, records, ROOM, &have));
    at = 0;
  }
  return &records[at++];
}

static void never(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)event;
  (void)user_data;
  check(!"called");
}

static void never_connection(sio_socket *socket, void *user_data)
{
  never(socket, NULL, user_data);
}

static void never_connect(sio_client *client, void *user_data)
{
  (void)client;
  never(NULL, NULL, user_data);
}

static void never_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)status;
  (void)response;
  never(NULL, NULL, user_data);
}

static void records_take_the_place_of_calls(void)
{
  sio_queue *queue = new_queue();
  sio_server *server = server_on(queue);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_on(queue, server);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  sio_payload *payload = number(7);
  sio_event *kept = NULL;
  sio_listener once = 0;
  int destroyed = 0, destroyed_with_ack = 0, seen = 0, i;
  int tags[8];
  size_t n = 0;
  check_status(sio_queue_take(queue, records, 0, &n), SIO_ERR_INVALID_ARGUMENT);
  check_ok(sio_namespace_on_connection(nsp, never_connection, &tags[0], NULL, NULL));
  for (i = 1; i < 7; i++) {
    check_ok(sio_namespace_on(nsp, SIO_STR("n"), never, &tags[i], NULL, NULL));
  }
  check_ok(sio_namespace_on(nsp, SIO_STR("m"), never, &destroyed, destroy, &once));
  check_ok(sio_client_on_connect(client, never_connect, &tags[7], NULL, NULL));
  check_ok(sio_client_connect(client));
  while (seen < 2) {
    sio_delivery *delivery = next_record(queue);
    if (delivery->kind == SIO_DELIVERY_KIND_CONNECTION) {
      check(delivery->user_data == &tags[0] && sio_socket_connected(delivery->socket));
      seen++;
    } else if (delivery->kind == SIO_DELIVERY_KIND_CLIENT_CONNECT) {
      check(delivery->user_data == &tags[7] && delivery->client == client);
      seen++;
    }
  }

  /* Six listeners, and room for four records: the rest waits, and the descriptor says so. The first has the ack. */
  check_ok(sio_client_emit_with_ack(client, SIO_STR("n"), payload, 0, never_answer, &destroyed_with_ack, destroy));
  for (i = 1; i < 7; i++) {
    sio_delivery *delivery = next_record(queue);
    sio_ack *ack = sio_event_take_ack(delivery->event);
    check(delivery->kind == SIO_DELIVERY_KIND_EVENT && delivery->user_data == &tags[i]);
    check(is(sio_event_name(delivery->event), "n"));
    check((ack != NULL) == (i == 1));
    if (ack) {
      check_ok(sio_ack_send(ack, sio_event_get_payload(delivery->event)));
    }
    if (i == 6) {
      kept = sio_event_retain(delivery->event);
    }
  }
  for (seen = 0; seen == 0;) {
    sio_delivery *delivery = next_record(queue);
    if (delivery->kind == SIO_DELIVERY_KIND_ACK) {
      check(delivery->status == SIO_OK && is(sio_payload_json(delivery->payload), "[7]"));
      check(delivery->user_data == &destroyed_with_ack && destroyed_with_ack == 0);
      seen++;
      sio_delivery_clear(delivery, 1);
      check(destroyed_with_ack == 1 && delivery->kind == SIO_DELIVERY_KIND_NONE);
    }
  }

  /* A listener that is taken out while its record is out is destroyed when that is given back. */
  check_ok(sio_client_emit(client, SIO_STR("m"), payload));
  for (seen = 0; seen == 0;) {
    sio_delivery *delivery = next_record(queue);
    if (delivery->kind == SIO_DELIVERY_KIND_EVENT) {
      sio_delivery other[2];
      check(delivery->user_data == &destroyed);
      check_ok(sio_namespace_off(nsp, once));
      check(is_readable(queue, PATIENCE_S * 1000));
      check_ok(sio_queue_take(queue, other, 2, &n));
      check(n == 0 && destroyed == 0);
      sio_delivery_clear(delivery, 1);
      check(destroyed == 1);
      seen++;
    }
  }
  check(is(sio_event_name(kept), "n"));
  sio_event_release(kept);
  sio_payload_release(payload);
  sio_client_release(client);
  sio_namespace_release(nsp);
  check_ok(sio_manager_close(manager, NULL, NULL, NULL));
  sio_manager_release(manager);
  check_ok(sio_server_close(server, NULL, NULL, NULL));
  sio_server_release(server);
  sio_queue_release(queue);
  sio_delivery_clear(records, ROOM);
  sio_delivery_clear(NULL, 0);
}

static void never_end(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)reason;
  (void)error;
  never(socket, NULL, user_data);
}

/* By the time that the record is looked at, the rooms are left: it names them itself. */
static void a_record_names_the_rooms_that_are_left(void)
{
  sio_queue *queue = new_queue();
  sio_server *server = server_on(queue);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_on(queue, server);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  sio_delivery *delivery;
  char rooms[64];
  check_ok(sio_namespace_on_connection(nsp, never_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnecting(nsp, never_end, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  while ((delivery = next_record(queue))->kind != SIO_DELIVERY_KIND_CONNECTION) {
  }
  check_ok(sio_socket_join(delivery->socket, SIO_STR("a \"quoted\" room")));
  snprintf(rooms, sizeof rooms, "[\"%.20s\",\"a \\\"quoted\\\" room\"]", sio_socket_id(delivery->socket).ptr);
  check_ok(sio_socket_disconnect(delivery->socket, false));
  while ((delivery = next_record(queue))->kind != SIO_DELIVERY_KIND_DISCONNECTING) {
  }
  check(is(delivery->text, "server namespace disconnect"));
  check(is(delivery->message, rooms));
  sio_client_release(client);
  sio_namespace_release(nsp);
  sio_manager_release(manager);
  sio_server_release(server);
  sio_queue_release(queue);
  sio_delivery_clear(records, ROOM);
}

int main(void)
{
  sio_queue *queue = NULL;
  host = pthread_self();
  check(sio_queue_fd(NULL) == -1);
  check_status(sio_queue_new(NULL, wake, &woken_data_destroyed, destroy, NULL), SIO_ERR_INVALID_ARGUMENT);
  check(woken_data_destroyed == 1);
  check_ok(sio_queue_new(NULL, wake, &woken_data_destroyed, destroy, &queue));
  sio_queue_release(sio_queue_retain(queue));
  check(woken_data_destroyed == 1);
  sio_queue_release(queue);
  check(woken_data_destroyed == 2);

  everything_runs_on_the_host_and_in_order();
  one_edge_per_filling_and_one_consumer();
  a_closed_queue_calls_nobody();
  log_lines_come_through_the_queue();
  records_take_the_place_of_calls();
  a_record_names_the_rooms_that_are_left();
  return 0;
}
