/* Middlewares decide about clients at once, later and from other threads, or never; as callbacks and as records. */
#include "loopback.h"

#include <poll.h>

static int connected, connections, refused, asked, destroyed, greeted, gone;
static sio_next *undecided;
static sio_socket *waiting;

static void destroy(void *user_data)
{
  (void)user_data;
  count(&destroyed);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  check(sio_socket_connected(socket));
  check(is(sio_handshake_auth_json(sio_socket_get_handshake(socket)), "{\"token\":\"good\"}"));
  check(sio_socket_in_room(socket, SIO_STR("let in")));
  count(&connections);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

/* What was emitted by a middleware comes first. */
static void on_greeting(sio_client *client, sio_event *event, void *user_data)
{
  (void)event;
  (void)user_data;
  check(sio_client_connected(client));
  count(&greeted);
}

static void on_connect_error(sio_client *client, const sio_error *error, void *user_data)
{
  const char **expected = user_data;
  const sio_payload *data = sio_error_get_data(error);
  check(!sio_client_connected(client));
  check_status(sio_error_status(error), SIO_ERR_REJECTED);
  check(is(sio_error_message(error), expected[0]));
  check(expected[1] ? is(sio_payload_json(data), expected[1]) : data == NULL);
  count(&refused);
}

static void check_token(sio_socket *socket, sio_next *next, void *user_data)
{
  sio_payload *data = NULL;
  (void)user_data;
  check(!sio_socket_connected(socket));
  check(sio_namespace_find(sio_socket_get_namespace(socket), sio_socket_id(socket)) == NULL);
  if (is(sio_handshake_auth_json(sio_socket_get_handshake(socket)), "{\"token\":\"good\"}")) {
    check_ok(sio_socket_join(socket, SIO_STR("let in")));
    check_ok(sio_socket_emit(socket, SIO_STR("greeting"), NULL));
    check_ok(sio_next_accept(next));
    return;
  }
  check_ok(sio_payload_from_json(SIO_STR("[{\"code\":7}]"), NULL, 0, &data));
  check_ok(sio_next_reject(next, SIO_STR("no token"), data));
  sio_payload_release(data);
}

static void decide_later(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)user_data;
  waiting = sio_socket_retain(socket);
  undecided = next;
  count(&asked);
}

static void on_gone(int32_t status, const sio_payload *response, void *user_data)
{
  (void)user_data;
  check_status(status, SIO_ERR_CLOSED);
  check(response == NULL);
  count(&gone);
}

static sio_client *client_with(sio_manager *manager, const char *nsp, const char *auth)
{
  sio_client_options *options = sio_client_options_new();
  sio_client *client;
  check_ok(sio_client_options_set_auth_json(options, sio_cstr(auth)));
  client = sio_manager_socket(manager, sio_cstr(nsp), options);
  sio_client_options_free(options);
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_on(client, SIO_STR("greeting"), on_greeting, NULL, NULL, NULL));
  return client;
}

static void a_client_is_let_in_or_turned_away(sio_server *server, sio_manager *manager)
{
  const char *no_token[] = {"no token", "[{\"code\":7}]"};
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_client *good = client_with(manager, "/", "{\"token\":\"good\"}"), *bad;
  sio_manager *another = manager_for(server, NULL);
  connected = connections = refused = greeted = 0;
  check_ok(sio_namespace_use(nsp, check_token, NULL, destroy));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_client_connect(good));
  check_reaches(&connected, 1);
  check_reaches(&connections, 1);
  check_reaches(&greeted, 1);

  bad = client_with(another, "/", "{}");
  check_ok(sio_client_on_connect_error(bad, on_connect_error, no_token, NULL, NULL));
  check_ok(sio_client_connect(bad));
  check_reaches(&refused, 1);
  check(counted(&connections) == 1 && counted(&connected) == 1);
  sio_client_release(good);
  sio_client_release(bad);
  end_manager(another);
  sio_namespace_release(nsp);
}

static void *decides(void *next)
{
  check_ok(sio_next_accept(next));
  return NULL;
}

static void a_decision_comes_when_it_comes(sio_server *server, sio_manager *manager)
{
  const char *internal[] = {"internal error", NULL};
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/later"));
  sio_client *client = client_with(manager, "/later", "{}");
  sio_payload *two = text_payload("one");
  pthread_t thread;
  connected = refused = asked = 0;
  check_ok(sio_namespace_use(nsp, decide_later, NULL, destroy));
  check_ok(sio_client_on_connect_error(client, on_connect_error, internal, NULL, NULL));

  /* From another thread. */
  check_ok(sio_client_connect(client));
  check_reaches(&asked, 1);
  check(counted(&connected) == 0);
  check(pthread_create(&thread, NULL, decides, undecided) == 0);
  check_reaches(&connected, 1);
  check(pthread_join(thread, NULL) == 0);
  check(sio_socket_connected(waiting));
  sio_socket_release(waiting);

  /* Not at all, and with data that cannot be sent. */
  check_ok(sio_client_disconnect(client));
  check_ok(sio_client_connect(client));
  check_reaches(&asked, 2);
  sio_next_drop(undecided);
  sio_next_drop(NULL);
  check_reaches(&refused, 1);
  check_status(sio_socket_emit(waiting, SIO_STR("x"), NULL), SIO_ERR_CLOSED);
  sio_socket_release(waiting);
  check_ok(sio_client_connect(client));
  check_reaches(&asked, 3);
  check_ok(sio_payload_push_text(two, SIO_STR("two")));
  check_status(sio_next_reject(undecided, SIO_STR("x"), two), SIO_ERR_INVALID_ARGUMENT);
  check_reaches(&refused, 2);
  sio_socket_release(waiting);
  sio_payload_release(two);

  /* Too late. */
  check_ok(sio_client_connect(client));
  check_reaches(&asked, 4);
  check_ok(sio_socket_emit_with_ack(waiting, SIO_STR("x"), NULL, 0, on_gone, NULL, NULL));
  check_ok(sio_manager_close_wait(manager, PATIENCE_S * 1000));
  check_reaches(&gone, 1);
  check_status(sio_next_accept(undecided), SIO_ERR_CLOSED);
  sio_socket_release(waiting);
  sio_client_release(client);
  sio_namespace_release(nsp);
}

static void never_asked(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)socket;
  (void)next;
  (void)user_data;
  check(!"called");
}

/* A host that takes records decides by the record's token. */
static void a_record_has_the_decision(void)
{
  sio_server_options *options = sio_server_options_new();
  sio_queue *queue = NULL;
  sio_server *server;
  sio_namespace *nsp;
  sio_manager *manager;
  sio_client *client;
  bool decided = false;
  connected = destroyed = 0;
  check_ok(sio_queue_new(NULL, NULL, NULL, NULL, &queue));
  check_ok(sio_server_options_set_queue(options, queue));
  server = start_server(options);
  sio_server_options_free(options);
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_use(nsp, never_asked, &asked, destroy));
  check_ok(sio_namespace_use(nsp, never_asked, &destroyed, NULL));
  manager = manager_for(server, NULL);
  client = client_with(manager, "/", "{}");
  check_ok(sio_client_connect(client));
  while (!decided) {
    struct pollfd fd = {0, POLLIN, 0};
    sio_delivery records[4];
    size_t n = 0, i;
    fd.fd = sio_queue_fd(queue);
    check(poll(&fd, 1, PATIENCE_S * 1000) == 1);
    check_ok(sio_queue_take(queue, records, 4, &n));
    for (i = 0; i < n; i++) {
      if (records[i].kind == SIO_DELIVERY_KIND_MIDDLEWARE) {
        decided = records[i].user_data == &destroyed;
        check(decided || records[i].user_data == &asked);
        check(!sio_socket_connected(records[i].socket));
        check_ok(sio_next_accept(records[i].next));
      }
    }
    sio_delivery_clear(records, n);
  }
  check_reaches(&connected, 1);
  sio_client_release(client);
  end_manager(manager);
  sio_namespace_release(nsp);
  end_server(server);
  sio_queue_release(queue);
  check_reaches(&destroyed, 1);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_manager *manager = manager_for(server, NULL);
  check_status(sio_namespace_use(NULL, check_token, NULL, destroy), SIO_ERR_INVALID_ARGUMENT);
  check(destroyed == 1);
  check_status(sio_next_accept(NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_next_reject(NULL, SIO_STR("x"), NULL), SIO_ERR_INVALID_ARGUMENT);

  a_client_is_let_in_or_turned_away(server, manager);
  a_decision_comes_when_it_comes(server, manager);
  sio_manager_release(manager);
  end_server(server);
  check_reaches(&destroyed, 3);
  a_record_has_the_decision();
  check_ok(sio_runtime_shutdown_wait(sio_runtime_get_default(), PATIENCE_S * 1000));
  return 0;
}
