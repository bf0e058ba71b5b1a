/* The client's side: what a manager tells, reconnection, what waits until there is a connection, refusals. */
#include "loopback.h"

static int connected, disconnected, answered, errors, destroyed;
static int events[SIO_MANAGER_RECONNECT_FAILED + 1];

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_manager(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  bool failed = event == SIO_MANAGER_ERROR || event == SIO_MANAGER_RECONNECT_ERROR;
  bool numbered = event == SIO_MANAGER_RECONNECT_ATTEMPT || event == SIO_MANAGER_RECONNECT;
  (void)user_data;
  check((error != NULL) == failed);
  check((attempt > 0) == numbered);
  check((reason.len > 0) == (event == SIO_MANAGER_CLOSE));
  if (error) {
    check(sio_error_status(error) != SIO_OK);
    check(sio_error_message(error).len > 0);
    check(sio_error_get_data(error) == NULL);
  }
  count(&events[event]);
}

static void listen_to(sio_manager *manager)
{
  int32_t event;
  for (event = SIO_MANAGER_OPEN; event <= SIO_MANAGER_RECONNECT_FAILED; event++) {
    check_ok(sio_manager_on(manager, event, on_manager, &destroyed, destroy, NULL));
  }
  check_status(sio_manager_on(manager, 0, on_manager, NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_on(manager, 9, on_manager, NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void on_connect_error(sio_client *client, const sio_error *error, void *user_data)
{
  (void)client;
  (void)error;
  (void)user_data;
  count(&errors);
}

static void on_disconnect(sio_client *client, sio_str reason, const sio_error *error, void *user_data)
{
  (void)client;
  (void)error;
  (void)user_data;
  check(is(reason, counted(&disconnected) == 0 ? "transport close" : "io client disconnect"));
  count(&disconnected);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)user_data;
  check_status(status, SIO_OK);
  check(sio_payload_count(response) == 0);
  count(&answered);
}

static void answer(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)user_data;
  check_ok(sio_ack_send(sio_event_take_ack(event), NULL));
}

static void attempts_end_when_they_are_used_up(void)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  sio_client *client;
  destroyed = 0;
  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_options_set_reconnection_attempts(options, 2));
  check_ok(sio_manager_options_set_reconnection_delay(options, 1, 2, 0));
  check_ok(sio_manager_options_set_timeout(options, 5000));
  /* Nobody listens on port 1. */
  check_ok(sio_manager_new(NULL, SIO_STR("http://127.0.0.1:1"), options, &manager));
  sio_manager_options_free(options);
  listen_to(manager);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_connect_error(client, on_connect_error, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&events[SIO_MANAGER_RECONNECT_FAILED], 1);
  check(counted(&events[SIO_MANAGER_RECONNECT_ATTEMPT]) == 2);
  check(counted(&events[SIO_MANAGER_RECONNECT_ERROR]) == 2);
  check(counted(&events[SIO_MANAGER_OPEN]) == 0);
  check(counted(&errors) >= 1);
  sio_client_release(client);
  end_manager(manager);
  check_reaches(&destroyed, SIO_MANAGER_RECONNECT_FAILED);
}

static sio_server *start_at(sio_str address)
{
  sio_server *server = NULL;
  sio_namespace *nsp;
  check_ok(sio_server_new(NULL, NULL, &server));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on(nsp, SIO_STR("ask"), answer, NULL, NULL, NULL));
  sio_namespace_release(nsp);
  check_ok(sio_server_listen(server, address, NULL, NULL, NULL));
  return server;
}

static void a_lost_connection_is_opened_again(void)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_server *server = start_at(SIO_STR("127.0.0.1:0"));
  sio_string *address = NULL;
  sio_manager *manager;
  sio_client *client;
  memset(events, 0, sizeof events);
  check_ok(sio_server_get_address(server, 0, &address));
  check_ok(sio_manager_options_set_transports(options, SIO_TRANSPORT_WEBSOCKET));
  check_ok(sio_manager_options_set_reconnection_delay(options, 20, 20, 0.5));
  manager = manager_for(server, options);
  listen_to(manager);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_on_disconnect(client, on_disconnect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check(counted(&events[SIO_MANAGER_OPEN]) == 1);

  end_server(server);
  check_reaches(&disconnected, 1);
  check(counted(&events[SIO_MANAGER_CLOSE]) == 1);
  check(sio_client_active(client) && !sio_client_connected(client));
  /* What is sent now waits. */
  check_ok(sio_client_emit_with_ack(client, SIO_STR("ask"), NULL, 0, on_answer, NULL, NULL));

  server = start_at(sio_string_get(address));
  check_reaches(&connected, 2);
  check_reaches(&answered, 1);
  check(counted(&events[SIO_MANAGER_RECONNECT]) == 1);
  check(counted(&events[SIO_MANAGER_RECONNECT_ATTEMPT]) >= 1);

  sio_string_free(address);
  sio_client_release(client);
  end_manager(manager);
  end_server(server);
}

static void the_same_namespace_is_the_same_client(void)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  sio_client *client, *again, *other;
  sio_string *id = NULL;
  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_new(NULL, SIO_STR("http://127.0.0.1:1/chat"), options, &manager));
  sio_manager_options_free(options);
  client = sio_manager_socket(manager, SIO_STR(""), NULL);
  again = sio_manager_socket(manager, SIO_STR("chat"), NULL);
  other = sio_manager_socket(manager, SIO_STR("/other"), NULL);
  check(client == again && client != other);
  check(is(sio_client_namespace(client), "/chat"));
  check_status(sio_client_id(client, &id), SIO_ERR_NOT_CONNECTED);
  check(!sio_client_active(client));
  sio_client_release(client);
  sio_client_release(again);
  sio_client_release(other);
  sio_manager_release(manager);
}

int main(void)
{
  attempts_end_when_they_are_used_up();
  a_lost_connection_is_opened_again();
  the_same_namespace_is_the_same_client();
  return 0;
}
