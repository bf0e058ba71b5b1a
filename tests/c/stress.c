/* Four threads do everything at once with the same sockets: they emit, ask, join, leave, broadcast, add and take out
 * listeners, disconnect, connect anew, and give references back; callbacks do the same meanwhile, on three threads more.
 * Nothing is lost of what must happen once: each registration is destroyed, each question answered. */
#include "loopback.h"

enum { THREADS = 4, CLIENTS = 4, SOCKETS = 8 };

static int rounds, registered, destroyed, asked, answered;
static sio_server *server;
static sio_namespace *nsp;
static sio_manager *managers[CLIENTS];
static sio_client *clients[CLIENTS];

/* The newest sockets, each with a reference of its own. */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static sio_socket *table[SOCKETS];
static unsigned next_place;

static const char *const ROOMS[] = {"a", "b", "c"};

static unsigned draw(unsigned *seed, unsigned below)
{
  *seed = *seed * 1664525u + 1013904223u;
  return (*seed >> 8) % below;
}

/* Puts a reference into the table; the one that was there is returned. */
static sio_socket *exchange(sio_socket *socket)
{
  sio_socket *before;
  pthread_mutex_lock(&table_lock);
  next_place = (next_place + 1) % SOCKETS;
  before = table[next_place];
  table[next_place] = socket;
  pthread_mutex_unlock(&table_lock);
  return before;
}

/* One of the sockets, retained; NULL while there is none in that place. */
static sio_socket *pick(unsigned *seed)
{
  sio_socket *socket;
  pthread_mutex_lock(&table_lock);
  socket = sio_socket_retain(table[draw(seed, SOCKETS)]);
  pthread_mutex_unlock(&table_lock);
  return socket;
}

static void destroy(void *user_data)
{
  count(user_data);
}

static void *registration(void)
{
  count(&registered);
  return &destroyed;
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  check(status == SIO_OK || status == SIO_ERR_CLOSED || status == SIO_ERR_TIMEOUT);
  check(user_data == &destroyed);
  count(&answered);
}

static void on_noise(sio_socket *socket, sio_event *event, void *user_data)
{
  check(user_data == &destroyed);
  check(sio_socket_id(socket).len == 20);
  check(sio_event_name(event).len > 0);
}

static void on_client_noise(sio_client *client, sio_event *event, void *user_data)
{
  check(user_data == &destroyed);
  check(is(sio_client_namespace(client), "/"));
  check(sio_payload_count(sio_event_get_payload(event)) <= 1);
}

static void on_question(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  sio_socket_emit(socket, SIO_STR("noise"), sio_event_get_payload(event));
  sio_socket_join(socket, SIO_STR("a"));
  if (ack) {
    sio_ack_send(ack, sio_event_get_payload(event));
  }
}

static void on_client_question(sio_client *client, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  sio_client_emit(client, SIO_STR("noise"), sio_event_get_payload(event));
  if (ack) {
    sio_ack_send(ack, NULL);
  }
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  check_ok(sio_socket_on(socket, SIO_STR("noise"), on_noise, registration(), destroy, NULL));
  check_ok(sio_socket_set_data(socket, registration(), destroy));
  sio_socket_release(exchange(sio_socket_retain(socket)));
}

static void broadcast(unsigned *seed, sio_socket *socket, const sio_payload *payload)
{
  sio_broadcast *broadcast = socket && draw(seed, 2) ? sio_socket_broadcast(socket) : sio_namespace_broadcast(nsp);
  broadcast = sio_broadcast_to(broadcast, sio_cstr(ROOMS[draw(seed, 3)]));
  broadcast = sio_broadcast_except(broadcast, sio_cstr(ROOMS[draw(seed, 3)]));
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("noise"), payload));
  if (draw(seed, 8) == 0) {
    check_ok(sio_broadcast_sockets_join(broadcast, SIO_STR("c")));
    check_ok(sio_broadcast_sockets_leave(broadcast, SIO_STR("b")));
  }
  sio_broadcast_free(broadcast);
}

/* A question that was accepted is answered; one that was not is only destroyed. */
static void ask(sio_client *client, sio_socket *socket, const sio_payload *payload)
{
  int32_t status = client ? sio_client_emit_with_ack(client, SIO_STR("question"), payload, 0, on_answer,
                                                     registration(), destroy)
                          : sio_socket_emit_with_ack(socket, SIO_STR("question"), payload, 0, on_answer,
                                                     registration(), destroy);
  if (status == SIO_OK) {
    count(&asked);
  }
}

static void listen_for_a_while(unsigned *seed, sio_client *client, sio_socket *socket)
{
  sio_listener listener = 0;
  switch (draw(seed, 3)) {
  case 0:
    check_ok(sio_namespace_on(nsp, SIO_STR("noise"), on_noise, registration(), destroy, &listener));
    check_ok(sio_namespace_emit(nsp, SIO_STR("noise"), NULL));
    check_ok(sio_namespace_off(nsp, listener));
    break;
  case 1:
    check_ok(sio_client_on(client, SIO_STR("noise"), on_client_noise, registration(), destroy, &listener));
    sio_client_emit(client, SIO_STR("noise"), NULL);
    check_ok(sio_client_off(client, listener));
    break;
  default:
    if (socket) {
      check_ok(sio_socket_once(socket, SIO_STR("noise"), on_noise, registration(), destroy, &listener));
      sio_socket_off(socket, listener); /* it may have been called, or the socket be gone */
    }
  }
}

static void *work(void *argument)
{
  unsigned seed = *(unsigned *)argument;
  sio_payload *payload = text_payload("x");
  int i;
  for (i = 0; i < rounds; i++) {
    sio_client *client = sio_client_retain(clients[draw(&seed, CLIENTS)]);
    sio_socket *socket = pick(&seed);
    switch (draw(&seed, 16)) {
    case 0:
      check_ok(sio_client_disconnect(client));
      check_ok(sio_client_connect(client));
      break;
    case 1:
      if (socket) {
        check_ok(sio_socket_disconnect(socket, draw(&seed, 2)));
      }
      check_ok(sio_client_connect(client));
      break;
    case 2:
    case 3:
    case 4:
      broadcast(&seed, socket, payload);
      break;
    case 5:
    case 6:
      listen_for_a_while(&seed, client, socket);
      break;
    case 7:
    case 8:
      ask(client, NULL, payload);
      break;
    case 9:
    case 10:
      if (socket) {
        ask(NULL, socket, payload);
      }
      break;
    case 11:
      if (socket) {
        sio_socket_join(socket, sio_cstr(ROOMS[draw(&seed, 3)]));
        check_ok(sio_socket_leave(socket, sio_cstr(ROOMS[draw(&seed, 3)])));
        sio_socket_rooms(socket, NULL, NULL);
      }
      break;
    case 12:
      sio_client_emit_flags(client, SIO_STR("noise"), payload, SIO_EMIT_VOLATILE);
      break;
    case 13:
      sio_socket_release(exchange(NULL));
      break;
    default:
      sio_client_emit(client, SIO_STR("noise"), payload);
      if (socket) {
        sio_socket_emit(socket, SIO_STR("noise"), payload);
      }
    }
    sio_socket_release(socket);
    sio_client_release(client);
  }
  sio_payload_release(payload);
  return NULL;
}

int main(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  pthread_t threads[THREADS];
  unsigned seeds[THREADS];
  int i;
  rounds = scaled(400);
  check_ok(sio_runtime_options_set_dispatch_threads(options, 3));
  check_ok(sio_runtime_new(options, &runtime));
  sio_runtime_options_free(options);
  check_ok(sio_server_new(runtime, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("question"), on_question, NULL, NULL, NULL));
  for (i = 0; i < CLIENTS; i++) {
    sio_manager_options *manager_options = sio_manager_options_new();
    check_ok(sio_manager_options_set_transports(manager_options, 1u + (unsigned)i % 3));
    check_ok(sio_manager_options_set_reconnection_delay(manager_options, 1, 2, 0.5));
    check_ok(sio_manager_new(runtime, sio_cstr(url_of(server, "")), manager_options, &managers[i]));
    sio_manager_options_free(manager_options);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on(clients[i], SIO_STR("question"), on_client_question, NULL, NULL, NULL));
    check_ok(sio_client_on(clients[i], SIO_STR("noise"), on_client_noise, registration(), destroy, NULL));
  }

  for (i = 0; i < THREADS; i++) {
    seeds[i] = (unsigned)i;
    check(pthread_create(&threads[i], NULL, work, &seeds[i]) == 0);
  }
  for (i = 0; i < THREADS; i++) {
    check(pthread_join(threads[i], NULL) == 0);
  }

  for (i = 0; i < CLIENTS; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
  }
  for (i = 0; i < SOCKETS; i++) {
    sio_socket_release(exchange(NULL));
  }
  sio_namespace_release(nsp);
  end_server(server);
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));
  sio_runtime_release(runtime);
  check_reaches(&answered, counted(&asked));
  check_reaches(&destroyed, counted(&registered));
  return 0;
}
