/* Every kind of callback that there is, each made to run. The program that includes this says in `inside` what it does
 * there: it is called once per kind. */
#ifndef KINDS_H
#define KINDS_H

#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind {
  /* On the threads of the library. */
  LISTENING,
  MIDDLEWARE,
  CONNECTION,
  NAMESPACE_EVENT,
  NAMESPACE_ANY,
  NAMESPACE_DISCONNECTING,
  NAMESPACE_DISCONNECT,
  SOCKET_EVENT,
  SOCKET_ONCE,
  SOCKET_ANY,
  SOCKET_DISCONNECTING,
  SOCKET_DISCONNECT,
  SOCKET_ANSWER,
  REQUEST,
  MANAGER_OPEN,
  MANAGER_CLOSE,
  MANAGER_CLOSED,
  CLIENT_AUTH,
  CLIENT_CONNECT,
  CLIENT_CONNECT_ERROR,
  CLIENT_EVENT,
  CLIENT_ONCE,
  CLIENT_ANY,
  CLIENT_ANSWER,
  CLIENT_DISCONNECT,
  LOG,
  SERVER_CLOSED,
  DESTROY_LISTENER,
  DESTROY_ANSWER,
  /* On the thread that makes the call. */
  ROOMS,
  HEADERS,
  DESTROY_FAILED,
  DESTROY_DATA,
  KINDS
};

/* What callbacks can reach. Members are NULL as long as they do not exist. */
static struct {
  sio_runtime *runtime;
  sio_server *server;
  sio_namespace *nsp;
  sio_socket *asked; /* in a middleware */
  sio_socket *socket;
  sio_manager *manager;
  sio_client *client;
} world;

/* The program's: runs in a callback of each kind. */
static void inside(enum kind kind);

static int happened[KINDS];

static void happens(enum kind kind)
{
  if (counted(&happened[kind]) == 0) {
    inside(kind);
    count(&happened[kind]);
  }
}

static inline bool on_own_thread(enum kind kind)
{
  return kind < ROOMS;
}

/* ---- the callbacks; their user_data, where they have some, is the kind ------------------------------------------ */

static enum kind kinds[KINDS];

static void kind_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)error;
  check_ok(status);
  happens(*(enum kind *)user_data);
}

static void kind_middleware(sio_socket *socket, sio_next *next, void *user_data)
{
  world.asked = socket;
  happens(*(enum kind *)user_data);
  world.asked = NULL;
  check_ok(sio_next_accept(next));
}

static void kind_connection(sio_socket *socket, void *user_data)
{
  world.socket = sio_socket_retain(socket);
  happens(*(enum kind *)user_data);
}

static void kind_event(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)socket;
  if (ack) {
    sio_ack_send(ack, NULL);
  }
  happens(*(enum kind *)user_data);
}

static void kind_socket_end(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  happens(*(enum kind *)user_data);
}

static void kind_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  check_ok(status);
  happens(*(enum kind *)user_data);
}

static void no_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_ok(status);
}

static void kind_request(const sio_request *request, sio_reply *reply, void *user_data)
{
  (void)request;
  check_ok(sio_reply_send(reply, 204, NULL, 0, bytes_of(NULL, 0)));
  happens(*(enum kind *)user_data);
}

static void kind_manager(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)attempt;
  (void)reason;
  (void)error;
  happens(*(enum kind *)user_data);
}

static void kind_auth(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  happens(*(enum kind *)user_data);
  check_ok(sio_auth_send(auth, SIO_STR("{}")));
}

static void kind_client(sio_client *client, void *user_data)
{
  (void)client;
  happens(*(enum kind *)user_data);
}

static void kind_client_error(sio_client *client, const sio_error *error, void *user_data)
{
  (void)client;
  (void)error;
  happens(*(enum kind *)user_data);
}

static void kind_client_event(sio_client *client, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)client;
  if (ack) {
    sio_ack_send(ack, NULL);
  }
  happens(*(enum kind *)user_data);
}

static void kind_client_end(sio_client *client, sio_str reason, const sio_error *error, void *user_data)
{
  (void)client;
  (void)reason;
  (void)error;
  happens(*(enum kind *)user_data);
}

static void kind_log(int32_t level, sio_str target, sio_str message, void *user_data)
{
  (void)level;
  (void)target;
  (void)message;
  happens(*(enum kind *)user_data);
}

static void kind_room(sio_str room, void *user_data)
{
  (void)room;
  happens(*(enum kind *)user_data);
}

static void kind_header(sio_str name, sio_str value, void *user_data)
{
  (void)name;
  (void)value;
  happens(*(enum kind *)user_data);
}

static void kind_destroy(void *user_data)
{
  happens(*(enum kind *)user_data);
}

/* ---- what makes them run ---------------------------------------------------------------------------------------- */

/* A request outside the server's path, to the address that the URL names; returns when it is answered. */
static void ask_over_http(const char *url)
{
  static const char REQUEST_TEXT[] = "GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  struct sockaddr_in address;
  char answer[256];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  check(write(fd, REQUEST_TEXT, sizeof REQUEST_TEXT - 1) == (ssize_t)sizeof REQUEST_TEXT - 1);
  check(read(fd, answer, sizeof answer) > 12 && memcmp(answer, "HTTP/1.1 204", 12) == 0);
  close(fd);
}

static void happens_on_the_server(void)
{
  check_ok(sio_server_new(world.runtime, NULL, &world.server));
  check_ok(sio_server_listen(world.server, SIO_STR("127.0.0.1:0"), kind_done, &kinds[LISTENING], NULL));
  check_reaches(&happened[LISTENING], 1);
  world.nsp = sio_server_of(world.server, SIO_STR("/"));
  check_ok(sio_namespace_use(world.nsp, kind_middleware, &kinds[MIDDLEWARE], NULL));
  check_ok(sio_namespace_on_connection(world.nsp, kind_connection, &kinds[CONNECTION], NULL, NULL));
  check_ok(sio_namespace_on(world.nsp, SIO_STR("event"), kind_event, &kinds[NAMESPACE_EVENT], NULL, NULL));
  check_ok(sio_namespace_on_any(world.nsp, kind_event, &kinds[NAMESPACE_ANY], NULL, NULL));
  check_ok(sio_namespace_on_disconnecting(world.nsp, kind_socket_end, &kinds[NAMESPACE_DISCONNECTING], NULL, NULL));
  check_ok(sio_namespace_on_disconnect(world.nsp, kind_socket_end, &kinds[NAMESPACE_DISCONNECT], NULL, NULL));
  check_ok(sio_server_on_request(world.server, kind_request, &kinds[REQUEST], NULL));
  ask_over_http(url_of(world.server, ""));
  check_reaches(&happened[REQUEST], 1);
}

static void happens_on_the_client(void)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_client *refused;
  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_new(world.runtime, sio_cstr(url_of(world.server, "")), options, &world.manager));
  sio_manager_options_free(options);
  check_ok(sio_manager_on(world.manager, SIO_MANAGER_OPEN, kind_manager, &kinds[MANAGER_OPEN], NULL, NULL));
  check_ok(sio_manager_on(world.manager, SIO_MANAGER_CLOSE, kind_manager, &kinds[MANAGER_CLOSE], NULL, NULL));
  world.client = sio_manager_socket(world.manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_auth(world.client, kind_auth, &kinds[CLIENT_AUTH], NULL));
  check_ok(sio_client_on_connect(world.client, kind_client, &kinds[CLIENT_CONNECT], NULL, NULL));
  check_ok(sio_client_on(world.client, SIO_STR("event"), kind_client_event, &kinds[CLIENT_EVENT], NULL, NULL));
  check_ok(sio_client_once(world.client, SIO_STR("event"), kind_client_event, &kinds[CLIENT_ONCE], NULL, NULL));
  check_ok(sio_client_on_any(world.client, kind_client_event, &kinds[CLIENT_ANY], NULL, NULL));
  check_ok(sio_client_on_disconnect(world.client, kind_client_end, &kinds[CLIENT_DISCONNECT], NULL, NULL));
  check_ok(sio_client_connect(world.client));
  check_reaches(&happened[CLIENT_CONNECT], 1);
  check_reaches(&happened[MANAGER_OPEN], 1);
  check_reaches(&happened[CONNECTION], 1);

  refused = sio_manager_socket(world.manager, SIO_STR("/unknown"), NULL);
  check_ok(sio_client_on_connect_error(refused, kind_client_error, &kinds[CLIENT_CONNECT_ERROR], NULL, NULL));
  check_ok(sio_client_connect(refused));
  check_reaches(&happened[CLIENT_CONNECT_ERROR], 1);
  sio_client_release(refused);
}

static void happens_between_them(void)
{
  sio_socket *socket = world.socket;
  check_ok(sio_socket_on(socket, SIO_STR("event"), kind_event, &kinds[SOCKET_EVENT], NULL, NULL));
  check_ok(sio_socket_once(socket, SIO_STR("event"), kind_event, &kinds[SOCKET_ONCE], NULL, NULL));
  check_ok(sio_socket_on_any(socket, kind_event, &kinds[SOCKET_ANY], NULL, NULL));
  check_ok(sio_socket_on_disconnecting(socket, kind_socket_end, &kinds[SOCKET_DISCONNECTING], NULL, NULL));
  check_ok(sio_socket_on_disconnect(socket, kind_socket_end, &kinds[SOCKET_DISCONNECT], NULL, NULL));
  check_ok(sio_client_emit_with_ack(world.client, SIO_STR("event"), NULL, 0, kind_answer, &kinds[CLIENT_ANSWER], NULL));
  check_reaches(&happened[CLIENT_ANSWER], 1);
  check_ok(sio_socket_emit_with_ack(socket, SIO_STR("event"), NULL, 0, kind_answer, &kinds[SOCKET_ANSWER], NULL));
  check_reaches(&happened[SOCKET_ANSWER], 1);
}

static void happens_at_registrations(void)
{
  sio_server_options *options = sio_server_options_new();
  sio_listener listener;
  check_status(sio_namespace_on(world.nsp, SIO_STR("event"), NULL, &kinds[DESTROY_FAILED], kind_destroy, NULL),
               SIO_ERR_INVALID_ARGUMENT);
  check(happened[DESTROY_FAILED] == 1);
  check_ok(sio_namespace_on(world.nsp, SIO_STR("never"), kind_event, &kinds[DESTROY_LISTENER], kind_destroy, &listener));
  check_ok(sio_namespace_off(world.nsp, listener));
  check_reaches(&happened[DESTROY_LISTENER], 1);
  check_ok(sio_client_emit_with_ack(world.client, SIO_STR("event"), NULL, 0, no_answer, &kinds[DESTROY_ANSWER],
                                    kind_destroy));
  check_reaches(&happened[DESTROY_ANSWER], 1);
  check_ok(sio_socket_set_data(world.socket, &kinds[DESTROY_DATA], kind_destroy));
  check_ok(sio_socket_set_data(world.socket, NULL, NULL));
  check(happened[DESTROY_DATA] == 1);
  check(sio_socket_rooms(world.socket, kind_room, &kinds[ROOMS]) > 0);
  check(happened[ROOMS] == 1);
  check(sio_handshake_headers(sio_socket_get_handshake(world.socket), kind_header, &kinds[HEADERS]) > 0);
  check(happened[HEADERS] == 1);
  check_ok(sio_log_set(SIO_LOG_TRACE, kind_log, &kinds[LOG], NULL));
  check_ok(sio_server_options_set_json(options, SIO_STR("{\"no such option\":1}")));
  check_reaches(&happened[LOG], 1);
  check_ok(sio_log_set(0, NULL, NULL, NULL));
  sio_server_options_free(options);
}

/* Makes every kind of callback run, once at least, on a runtime of the program's own, and ends what it was done with. */
static void let_everything_happen(sio_runtime *runtime)
{
  int kind;
  for (kind = 0; kind < KINDS; kind++) {
    kinds[kind] = (enum kind)kind;
  }
  world.runtime = runtime;
  happens_on_the_server();
  happens_on_the_client();
  happens_between_them();
  happens_at_registrations();
  check_ok(sio_manager_close(world.manager, kind_done, &kinds[MANAGER_CLOSED], NULL));
  check_reaches(&happened[MANAGER_CLOSED], 1);
  check_reaches(&happened[NAMESPACE_DISCONNECT], 1);
  check_ok(sio_server_close(world.server, kind_done, &kinds[SERVER_CLOSED], NULL));
  check_reaches(&happened[SERVER_CLOSED], 1);

  for (kind = 0; kind < KINDS; kind++) {
    if (counted(&happened[kind]) != 1) {
      fprintf(stderr, "callback of kind %d: %d times\n", kind, happened[kind]);
      exit(1);
    }
  }
  sio_client_release(world.client);
  sio_manager_release(world.manager);
  sio_socket_release(world.socket);
  sio_namespace_release(world.nsp);
  sio_server_release(world.server);
}

/* Ends the runtime. What callbacks have begun has ended before, if the program waited for it. */
static inline void end_runtime(void)
{
  check_ok(sio_runtime_shutdown_wait(world.runtime, PATIENCE_S * 1000));
  sio_runtime_release(world.runtime);
}

#endif
