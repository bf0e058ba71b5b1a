/* What a client says to be let in: set, asked for by a callback, or by a record. */
#include "loopback.h"

#include <poll.h>

static int connections, connected, asked, destroyed;
static char said[64];
static sio_auth *question;

static void destroy(void *user_data)
{
  (void)user_data;
  count(&destroyed);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  sio_str auth = sio_handshake_auth_json(sio_socket_get_handshake(socket));
  (void)user_data;
  pthread_mutex_lock(&wait_lock);
  snprintf(said, sizeof said, "%.*s", (int)auth.len, auth.ptr);
  pthread_mutex_unlock(&wait_lock);
  count(&connections);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void answer_at_once(sio_client *client, sio_auth *auth, void *user_data)
{
  check(!sio_client_connected(client) && sio_client_active(client));
  check_ok(sio_auth_send(auth, sio_cstr(user_data)));
}

static void ask(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  (void)user_data;
  question = auth;
  count(&asked);
}

static void never_asked(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  (void)auth;
  (void)user_data;
  check(!"called");
}

static void reconnect(sio_client *client)
{
  connected = connections = 0;
  check_ok(sio_client_disconnect(client));
  check_ok(sio_client_connect(client));
}

static void check_says(const char *expected)
{
  check_reaches(&connected, 1);
  check_reaches(&connections, 1);
  if (strcmp(said, expected) != 0) {
    fprintf(stderr, "%s instead of %s\n", said, expected);
    exit(1);
  }
}

static void a_client_says_what_was_set_last(sio_client *client)
{
  static char text[] = "{\"from\":\"a callback\"}";
  check_ok(sio_client_set_auth_json(client, SIO_STR("{\"from\":\"a text\"}")));
  check_status(sio_client_set_auth_json(client, SIO_STR("[]")), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_client_set_auth_json(client, SIO_STR("{")), SIO_ERR_INVALID_JSON);
  check_status(sio_client_set_auth_json(NULL, SIO_STR("{}")), SIO_ERR_INVALID_ARGUMENT);
  reconnect(client);
  check_says("{\"from\":\"a text\"}");
  check_ok(sio_client_on_auth(client, answer_at_once, text, destroy));
  check_status(sio_client_on_auth(client, NULL, NULL, destroy), SIO_ERR_INVALID_ARGUMENT);
  check_reaches(&destroyed, 1);
  reconnect(client);
  check_says(text);
  check_ok(sio_client_set_auth_json(client, SIO_STR("")));
  check_reaches(&destroyed, 2);
  reconnect(client);
  check_says("{}");
}

static void an_answer_comes_when_it_comes(sio_client *client)
{
  sio_auth *stale;
  check_ok(sio_client_on_auth(client, ask, NULL, destroy));
  reconnect(client);
  check_reaches(&asked, 1);
  stale = question;
  reconnect(client);
  check_reaches(&asked, 2);
  check_status(sio_auth_send(stale, SIO_STR("{\"late\":1}")), SIO_ERR_CLOSED);
  check(connected == 0);
  check_ok(sio_auth_send(question, SIO_STR("{\"in\":\"time\"}")));
  check_says("{\"in\":\"time\"}");

  /* Nothing to say, and nothing that can be said. */
  reconnect(client);
  check_reaches(&asked, 3);
  sio_auth_drop(question);
  sio_auth_drop(NULL);
  check_says("{}");
  reconnect(client);
  check_reaches(&asked, 4);
  check_status(sio_auth_send(question, SIO_STR("7")), SIO_ERR_INVALID_ARGUMENT);
  check_says("{}");
  check_status(sio_auth_send(NULL, SIO_STR("{}")), SIO_ERR_INVALID_ARGUMENT);
}

/* A host that takes records answers by the record's token. */
static void a_record_has_the_question(sio_server *server)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_queue *queue = NULL;
  sio_manager *manager;
  sio_client *client;
  bool is_connected = false;
  check_ok(sio_queue_new(NULL, NULL, NULL, NULL, &queue));
  check_ok(sio_manager_options_set_queue(options, queue));
  manager = manager_for(server, options);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  destroyed = connections = 0;
  check_ok(sio_client_on_auth(client, never_asked, &asked, destroy));
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  while (!is_connected) {
    struct pollfd fd = {0, POLLIN, 0};
    sio_delivery record;
    size_t n = 0;
    fd.fd = sio_queue_fd(queue);
    check(poll(&fd, 1, PATIENCE_S * 1000) == 1);
    check_ok(sio_queue_take(queue, &record, 1, &n));
    if (n > 0 && record.kind == SIO_DELIVERY_KIND_CLIENT_AUTH) {
      check(record.user_data == &asked && record.client == client);
      check_ok(sio_auth_send(record.auth, SIO_STR("{\"by\":\"record\"}")));
    }
    is_connected = n > 0 && record.kind == SIO_DELIVERY_KIND_CLIENT_CONNECT;
    sio_delivery_clear(&record, n);
  }
  connected = 1;
  check_says("{\"by\":\"record\"}");
  sio_client_release(client);
  end_manager(manager);
  sio_queue_release(queue);
  check_reaches(&destroyed, 1);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_for(server, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  sio_client *other = sio_manager_socket(manager, SIO_STR("/other"), NULL);
  sio_namespace_release(sio_server_of(server, SIO_STR("/other")));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(other)); /* keeps the connection open */

  a_client_says_what_was_set_last(client);
  an_answer_comes_when_it_comes(client);
  sio_client_release(client);
  sio_client_release(other);
  end_manager(manager);
  a_record_has_the_question(server);
  sio_namespace_release(nsp);
  end_server(server);
  check_ok(sio_runtime_shutdown_wait(sio_runtime_get_default(), PATIENCE_S * 1000));
  return 0;
}
