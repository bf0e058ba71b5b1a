/*
 * The server that the suites and the benchmark talk to, on the C API.
 *
 *   echo-c PORT [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS] [--max-payload BYTES]
 *               [--transports polling,websocket] [--auth-event on|off] [--delivery threads|queue|inline]
 *
 * It listens on 127.0.0.1 and ::1 and serves the namespaces "/" and "/custom", both alike. SIGTERM ends it. Its handlers run
 * on a thread of the library; or where main polls a queue; or where the events are read, on several threads at once.
 */
#include <socketio.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ANSWER_TIMEOUT_MS = 1000, CLOSE_TIMEOUT_MS = 10000 };

/* Whether a new socket is told its auth object. The load meter takes only the answers that it asked for. */
static bool auth_event = true;

/* Why the last socket was disconnected, as JSON. */
static pthread_mutex_t last_reason_lock = PTHREAD_MUTEX_INITIALIZER;
static sio_payload *last_reason;

/* ---- plain forwarding ------------------------------------------------------------------------------------------ */

static void on_message(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_emit(socket, SIO_STR("message-back"), sio_event_get_payload(event));
}

static void on_echo(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)socket;
  (void)user_data;
  if (ack) {
    sio_ack_send(ack, sio_event_get_payload(event));
  }
}

static void on_broadcast(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_namespace_emit(sio_socket_get_namespace(socket), SIO_STR("broadcast"), sio_event_get_payload(event));
}

/* ---- rooms ----------------------------------------------------------------------------------------------------- */

/* Argument `i` as text; no text when it is none. */
static sio_str text_argument(sio_event *event, size_t i)
{
  return sio_value_as_text(sio_payload_get_value(sio_event_get_payload(event), i));
}

static void answer(sio_event *event, const sio_payload *payload)
{
  sio_ack *ack = sio_event_take_ack(event);
  if (ack) {
    sio_ack_send(ack, payload);
  }
}

static void on_join(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_join(socket, text_argument(event, 0));
  answer(event, NULL);
}

static void on_leave(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_leave(socket, text_argument(event, 0));
  answer(event, NULL);
}

/* The arguments from number `first` on, with all attachments: their numbers stay what they are. */
static sio_payload *arguments_from(const sio_payload *all, size_t first)
{
  size_t count = sio_payload_count(all), attachments = sio_payload_attachment_count(all), i, length = 1;
  char *json = malloc(sio_payload_json(all).len + 2);
  sio_bytes *bytes = malloc((attachments + 1) * sizeof *bytes);
  sio_payload *rest = NULL;
  if (json && bytes) {
    sio_str array = {json, 0};
    for (i = first; i < count; i++) {
      sio_str argument = sio_payload_arg_json(all, i);
      memcpy(json + length, argument.ptr, argument.len);
      length += argument.len;
      json[length++] = ',';
    }
    json[0] = '[';
    json[count > first ? length - 1 : length] = ']';
    array.len = count > first ? length : length + 1;
    for (i = 0; i < attachments; i++) {
      bytes[i] = sio_payload_attachment(all, i);
    }
    sio_payload_from_json(array, bytes, attachments, &rest);
  }
  free(json);
  free(bytes);
  return rest;
}

/* to ROOM EVENT ARGUMENTS... */
static void on_to(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_payload *rest = arguments_from(sio_event_get_payload(event), 2);
  sio_broadcast *others = sio_broadcast_to(sio_socket_broadcast(socket), text_argument(event, 0));
  (void)user_data;
  sio_broadcast_emit(others, text_argument(event, 1), rest);
  sio_broadcast_free(others);
  sio_payload_release(rest);
}

/* ---- questions ------------------------------------------------------------------------------------------------- */

static void release_socket(void *user_data)
{
  sio_socket_release(user_data);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  sio_socket *socket = user_data;
  if (status == SIO_OK) {
    sio_socket_emit(socket, SIO_STR("answer"), response);
  } else {
    sio_payload *timeout = sio_payload_new();
    sio_payload_push_text(timeout, SIO_STR("timeout"));
    sio_socket_emit(socket, SIO_STR("answer"), timeout);
    sio_payload_release(timeout);
  }
}

static void on_ask(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_emit_with_ack(socket, SIO_STR("question"), sio_event_get_payload(event), ANSWER_TIMEOUT_MS, on_answer,
                           sio_socket_retain(socket), release_socket);
}

/* ---- beginning and end of a socket ------------------------------------------------------------------------------ */

static void on_kick(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_disconnect(socket, sio_value_as_bool(sio_payload_get_value(sio_event_get_payload(event), 0)));
}

static void on_last_reason(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_payload *reason;
  (void)socket;
  (void)user_data;
  pthread_mutex_lock(&last_reason_lock);
  reason = sio_payload_retain(last_reason);
  pthread_mutex_unlock(&last_reason_lock);
  answer(event, reason);
  sio_payload_release(reason);
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  sio_payload *before, *now = sio_payload_new();
  (void)socket;
  (void)error;
  (void)user_data;
  sio_payload_push_text(now, reason);
  pthread_mutex_lock(&last_reason_lock);
  before = last_reason;
  last_reason = now;
  pthread_mutex_unlock(&last_reason_lock);
  sio_payload_release(before);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  sio_payload *auth;
  (void)user_data;
  if (!auth_event) {
    return;
  }
  auth = sio_payload_new();
  sio_payload_push_json(auth, sio_handshake_auth_json(sio_socket_get_handshake(socket)));
  sio_socket_emit(socket, SIO_STR("auth"), auth);
  sio_payload_release(auth);
}

static void serve(sio_server *server, sio_str name)
{
  static const struct {
    const char *event;
    sio_event_fn function;
  } handlers[] = {
    {"message", on_message}, {"message-with-ack", on_echo}, {"echo", on_echo},
    {"broadcast", on_broadcast}, {"join", on_join}, {"leave", on_leave},
    {"to", on_to}, {"ask", on_ask}, {"kick", on_kick},
    {"last-reason", on_last_reason},
  };
  sio_namespace *nsp = sio_server_of(server, name);
  size_t i;
  sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL);
  sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL);
  for (i = 0; i < sizeof handlers / sizeof *handlers; i++) {
    sio_namespace_on(nsp, sio_cstr(handlers[i].event), handlers[i].function, NULL, NULL, NULL);
  }
  sio_namespace_release(nsp);
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static void fail(const char *what, int32_t status)
{
  sio_str message = sio_last_error_message();
  fprintf(stderr, "echo-c: %s: %s: %.*s\n", what, sio_status_name(status), (int)message.len,
          message.len ? message.ptr : "");
  exit(1);
}

static void usage(void)
{
  fputs("usage: echo-c PORT [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS] [--max-payload BYTES]\n"
        "              [--transports polling,websocket] [--auth-event on|off] [--delivery threads|queue|inline]\n",
        stderr);
  exit(2);
}

static uint32_t transports(const char *list)
{
  uint32_t mask = 0;
  if (strstr(list, "polling")) {
    mask |= SIO_TRANSPORT_POLLING;
  }
  if (strstr(list, "websocket")) {
    mask |= SIO_TRANSPORT_WEBSOCKET;
  }
  return mask;
}

static sio_queue *new_queue(void)
{
  sio_queue *queue = NULL;
  int32_t status = sio_queue_new(NULL, NULL, NULL, NULL, &queue);
  if (status != SIO_OK) {
    fail("queue", status);
  }
  return queue;
}

/* `queue` receives one if that is where handlers are to run. */
static int32_t set_delivery(sio_server_options *options, const char *mode, sio_queue **queue)
{
  if (strcmp(mode, "threads") == 0) {
    return sio_server_options_set_delivery(options, SIO_DELIVERY_THREADS);
  }
  if (strcmp(mode, "inline") == 0) {
    return sio_server_options_set_delivery(options, SIO_DELIVERY_INLINE);
  }
  if (strcmp(mode, "queue") != 0 || *queue) {
    usage();
  }
  *queue = new_queue();
  return sio_server_options_set_queue(options, *queue);
}

static void set_option(sio_server_options *options, const char *name, const char *value, sio_queue **queue)
{
  unsigned long number = strtoul(value, NULL, 10);
  int32_t status = SIO_OK;
  if (strcmp(name, "--ping-interval") == 0) {
    status = sio_server_options_set_ping_interval(options, (uint32_t)number);
  } else if (strcmp(name, "--ping-timeout") == 0) {
    status = sio_server_options_set_ping_timeout(options, (uint32_t)number);
  } else if (strcmp(name, "--connect-timeout") == 0) {
    status = sio_server_options_set_connect_timeout(options, (uint32_t)number);
  } else if (strcmp(name, "--max-payload") == 0) {
    status = sio_server_options_set_max_http_buffer_size(options, number);
  } else if (strcmp(name, "--transports") == 0) {
    status = sio_server_options_set_transports(options, transports(value));
  } else if (strcmp(name, "--auth-event") == 0) {
    auth_event = strcmp(value, "off") != 0;
  } else if (strcmp(name, "--delivery") == 0) {
    status = set_delivery(options, value, queue);
  } else {
    usage();
  }
  if (status != SIO_OK) {
    fail(name, status);
  }
}

/* The port may be anywhere among the options. */
static sio_server_options *parse(int argc, char **argv, const char **port, sio_queue **queue)
{
  sio_server_options *options = sio_server_options_new();
  int32_t status = sio_server_options_set_cors(options, SIO_STR("{\"origin\":\"*\"}"));
  int i;
  if (status != SIO_OK) {
    fail("cors", status);
  }
  for (i = 1; i < argc; i++) {
    if (argv[i][0] != '-' && !*port) {
      *port = argv[i];
    } else if (i + 1 < argc) {
      set_option(options, argv[i], argv[i + 1], queue);
      i++;
    } else {
      usage();
    }
  }
  if (!*port) {
    usage();
  }
  return options;
}

static int32_t listen_on(sio_server *server, const char *host, const char *port)
{
  char address[64];
  snprintf(address, sizeof address, "%s:%s", host, port);
  return sio_server_listen(server, sio_cstr(address), NULL, NULL, NULL);
}

/* Every connection is an open file. */
static void raise_file_limit(void)
{
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

/* SIGTERM and SIGINT, as something to poll. */
static int signals[2];

static void on_signal(int number)
{
  ssize_t written = write(signals[1], "", 1);
  (void)number;
  (void)written;
}

static void watch_signals(void)
{
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  if (pipe(signals) != 0 || fcntl(signals[1], F_SETFL, O_NONBLOCK) != 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
      sigaction(SIGINT, &action, NULL) != 0) {
    perror("signals");
    exit(1);
  }
}

/* Until a signal arrives. Without a queue there is nothing else to wait for: poll skips what is no descriptor. */
static void run(sio_queue *queue)
{
  struct pollfd fds[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
  fds[0].fd = signals[0];
  fds[1].fd = sio_queue_fd(queue);
  for (;;) {
    if (poll(fds, 2, -1) < 0) {
      continue; /* a signal: the pipe says so next */
    }
    if (fds[0].revents) {
      return;
    }
    sio_queue_dispatch(queue, 0, NULL);
  }
}

int main(int argc, char **argv)
{
  const char *port = NULL;
  sio_queue *queue = NULL;
  sio_server_options *options = parse(argc, argv, &port, &queue);
  sio_server *server = NULL;
  int32_t status;

  watch_signals();
  raise_file_limit();

  status = sio_server_new(NULL, options, &server);
  sio_server_options_free(options);
  if (status != SIO_OK) {
    fail("options", status);
  }
  last_reason = sio_payload_new();
  sio_payload_push_null(last_reason);
  serve(server, SIO_STR("/"));
  serve(server, SIO_STR("/custom"));

  status = listen_on(server, "127.0.0.1", port);
  if (status != SIO_OK) {
    fail(port, status);
  }
  status = listen_on(server, "[::1]", port);
  if (status == SIO_ERR_ADDRESS_IN_USE) {
    fail(port, status);
  } /* else the machine may have no IPv6 */

  run(queue);
  status = sio_server_close_wait(server, CLOSE_TIMEOUT_MS);
  if (status != SIO_OK) {
    fail("close", status);
  }
  sio_server_release(server);
  sio_queue_release(queue);
  sio_payload_release(last_reason);
  return 0;
}
