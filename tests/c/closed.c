/* Closed is not freed: handles of closed objects answer, SIO_ERR_CLOSED where there is nothing else to say, until their
 * last reference is given back, and what was kept of them lives on. */
#include "loopback.h"

static int destroyed, called, connected, disconnected;
static sio_socket *socket_;
static sio_event *event_;
static sio_ack *late_ack;

static void destroy(void *user_data)
{
  (void)user_data;
  count(&destroyed);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  socket_ = sio_socket_retain(socket);
  count(&connected);
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)user_data;
  event_ = sio_event_retain(event);
  late_ack = sio_event_take_ack(event);
  count(&called);
}

static void never_called(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)event;
  (void)user_data;
  check(!"called for a closed socket");
}

static void never_decided(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)socket;
  (void)next;
  (void)user_data;
  check(!"asked by a closed server");
}

static void on_auth(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  (void)user_data;
  sio_auth_drop(auth);
}

static void never_called_client(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)event;
  (void)user_data;
  check(!"called for a closed client");
}

static void never_answered(int32_t status, const sio_payload *response, void *user_data)
{
  (void)status;
  (void)response;
  (void)user_data;
  check(!"called though the call failed");
}

static void on_closed_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)user_data;
  check_status(status, SIO_ERR_CLOSED);
  check(response == NULL);
  count(&called);
}

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)user_data;
  check(error == NULL);
  check_ok(status);
  count(&called);
}

static void never_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  (void)user_data;
  check(!"told of a call that failed");
}

static void on_request(const sio_request *request, sio_reply *reply, void *user_data)
{
  (void)request;
  (void)user_data;
  sio_reply_drop(reply);
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  (void)user_data;
  count(&disconnected);
}

static void a_closed_socket_answers(sio_namespace *nsp)
{
  sio_socket *socket = socket_;
  sio_listener listener = 0;
  sio_broadcast *broadcast;
  sio_string *key = NULL;
  destroyed = 0;
  check_status(sio_socket_emit(socket, SIO_STR("x"), NULL), SIO_ERR_CLOSED);
  check_status(sio_socket_emit_flags(socket, SIO_STR("x"), NULL, SIO_EMIT_VOLATILE), SIO_ERR_CLOSED);
  check_status(sio_socket_emit_with_ack(socket, SIO_STR("x"), NULL, 0, never_answered, NULL, destroy), SIO_ERR_CLOSED);
  check(counted(&destroyed) == 1);
  check_status(sio_socket_join(socket, SIO_STR("room")), SIO_ERR_CLOSED);
  check_ok(sio_socket_leave(socket, SIO_STR("room")));
  check(!sio_socket_in_room(socket, sio_socket_id(socket)));
  check(sio_socket_rooms(socket, NULL, NULL) == 0);
  check(!sio_socket_connected(socket));
  check_ok(sio_socket_disconnect(socket, false));
  check_ok(sio_socket_disconnect(socket, true));
  sio_socket_buffered_bytes(socket); /* of its connection, which may go on */

  /* What it was is still known. */
  check(sio_socket_id(socket).len == 20);
  check(sio_socket_transport(socket).len > 0);
  check(sio_socket_get_namespace(socket) == nsp);
  check(sio_handshake_url(sio_socket_get_handshake(socket)).len > 0);
  check_status(sio_handshake_query(sio_socket_get_handshake(socket), SIO_STR("no key"), &key), SIO_ERR_NOT_FOUND);
  check(is(sio_handshake_auth_json(sio_socket_get_handshake(socket)), "{}"));
  check(sio_namespace_find(nsp, sio_socket_id(socket)) == NULL);

  /* Others can still be reached through it. */
  broadcast = sio_socket_broadcast(socket);
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("x"), NULL));
  sio_broadcast_free(broadcast);

  /* Its data, and listeners that come too late, go with it. */
  check_ok(sio_socket_set_data(socket, &called, destroy));
  check(sio_socket_data(socket) == &called);
  check_ok(sio_socket_on(socket, SIO_STR("x"), never_called, NULL, destroy, &listener));
  check_ok(sio_socket_off(socket, listener));
  check_status(sio_socket_off(socket, listener), SIO_ERR_NOT_FOUND);
  check_ok(sio_socket_once(socket, SIO_STR("x"), never_called, NULL, destroy, NULL));
}

static void a_closed_server_answers(sio_server *server, sio_namespace *nsp)
{
  sio_string *address = NULL;
  sio_namespace *again = sio_server_of(server, SIO_STR("/"));
  sio_broadcast *broadcast = sio_broadcast_to(sio_namespace_broadcast(nsp), SIO_STR("room"));
  int32_t status;
  destroyed = called = 0;
  check_status(sio_server_listen(server, SIO_STR("127.0.0.1:0"), never_done, NULL, destroy), SIO_ERR_CLOSED);
  check(counted(&destroyed) == 1);
  check(sio_server_clients_count(server) == 0);
  status = sio_server_get_address(server, 0, &address);
  check(status == SIO_OK || status == SIO_ERR_CLOSED);
  sio_string_free(address);
  check(again == nsp);
  check(is(sio_namespace_name(nsp), "/"));
  check(sio_namespace_socket_count(nsp) == 0);
  check_ok(sio_namespace_emit(nsp, SIO_STR("x"), NULL));
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("x"), NULL));
  check_ok(sio_broadcast_sockets_join(broadcast, SIO_STR("y")));
  check_ok(sio_broadcast_disconnect_sockets(broadcast, true));
  check_ok(sio_server_on_request(server, on_request, NULL, destroy));
  check_ok(sio_namespace_on(nsp, SIO_STR("x"), never_called, NULL, destroy, NULL));
  check_ok(sio_namespace_use(nsp, never_decided, NULL, destroy));

  /* Closed again, it says so again. */
  check_ok(sio_server_close(server, on_done, NULL, destroy));
  check_reaches(&called, 1);
  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  sio_broadcast_free(broadcast);
  sio_namespace_release(again);
}

static void a_disconnected_client_answers(sio_client *client, sio_manager *manager)
{
  sio_string *id = NULL;
  destroyed = called = 0;
  check(!sio_client_connected(client) && !sio_client_active(client));
  check_status(sio_client_id(client, &id), SIO_ERR_NOT_CONNECTED);
  check(is(sio_client_namespace(client), "/"));
  check(sio_client_get_manager(client) == manager);
  check_ok(sio_client_disconnect(client));

  /* What it is told to send waits for a connection, if ever there is one. */
  check_ok(sio_client_emit(client, SIO_STR("x"), NULL));
  check_ok(sio_client_emit_flags(client, SIO_STR("x"), NULL, SIO_EMIT_VOLATILE));
  check_ok(sio_client_emit_with_ack(client, SIO_STR("x"), NULL, 0, on_closed_answer, NULL, destroy));
  check_ok(sio_client_on(client, SIO_STR("x"), never_called_client, NULL, destroy, NULL));
  check_ok(sio_client_on_auth(client, on_auth, NULL, destroy));
  check_ok(sio_client_set_auth_json(client, SIO_STR("{}")));
  check_ok(sio_manager_close(manager, NULL, NULL, destroy));
  check_ok(sio_manager_close_wait(manager, PATIENCE_S * 1000));
}

static void what_was_kept_of_an_event_lives_on(void)
{
  sio_payload *payload = sio_payload_retain(sio_event_get_payload(event_));
  check(is(sio_event_name(event_), "event"));
  sio_event_release(event_);
  check(is(sio_payload_json(payload), "[\"kept\"]"));
  check(is(sio_value_as_text(sio_payload_get_value(payload, 0)), "kept"));
  sio_payload_release(payload);
  check_status(sio_ack_send(late_ack, NULL), SIO_ERR_CLOSED);
}

static void everything_of_a_dead_runtime_answers(void)
{
  sio_runtime *runtime = NULL;
  sio_server *server = NULL, *another = NULL;
  sio_manager *manager = NULL, *second = NULL;
  sio_manager_options *options = sio_manager_options_new();
  sio_client *client, *idle;
  sio_namespace *nsp;
  int32_t status;
  connected = disconnected = destroyed = 0;
  check_ok(sio_runtime_new(NULL, &runtime));
  check_ok(sio_server_new(runtime, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, destroy, NULL));
  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_new(runtime, sio_cstr(url_of(server, "")), options, &manager));
  check_ok(sio_manager_new(runtime, sio_cstr(url_of(server, "")), options, &second));
  sio_manager_options_free(options);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  idle = sio_manager_socket(second, SIO_STR("/"), NULL);
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));

  /* Nothing is sent any more; but nothing breaks, and nobody waits for ever. */
  check(sio_socket_emit(socket_, SIO_STR("x"), NULL) != SIO_ERR_PANIC);
  check(sio_socket_emit_with_ack(socket_, SIO_STR("x"), NULL, 1000, NULL, NULL, destroy) != SIO_ERR_PANIC);
  check(sio_socket_disconnect(socket_, true) != SIO_ERR_PANIC);
  check(sio_client_emit(client, SIO_STR("x"), NULL) != SIO_ERR_PANIC);
  check(sio_client_emit_with_ack(client, SIO_STR("x"), NULL, 1000, on_closed_answer, NULL, destroy) != SIO_ERR_PANIC);
  check(sio_client_disconnect(client) != SIO_ERR_PANIC);
  check(sio_client_connect(idle) != SIO_ERR_PANIC);
  check(sio_client_emit_with_ack(idle, SIO_STR("x"), NULL, 1000, on_closed_answer, NULL, destroy) != SIO_ERR_PANIC);
  check(sio_manager_open(second) != SIO_ERR_PANIC);
  check(sio_namespace_emit(nsp, SIO_STR("x"), NULL) != SIO_ERR_PANIC);
  check(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, destroy) != SIO_ERR_PANIC);
  check(sio_server_new(runtime, NULL, &another) != SIO_ERR_PANIC);
  sio_server_release(another);
  check_status(sio_manager_close_wait(manager, PATIENCE_S * 1000), SIO_ERR_CLOSED);
  check_status(sio_manager_close_wait(second, PATIENCE_S * 1000), SIO_ERR_CLOSED);
  status = sio_server_close_wait(server, PATIENCE_S * 1000);
  check(status == SIO_OK || status == SIO_ERR_CLOSED);

  sio_socket_release(socket_);
  sio_client_release(client);
  sio_client_release(idle);
  sio_manager_release(manager);
  sio_manager_release(second);
  sio_namespace_release(nsp);
  sio_server_release(server);
  sio_runtime_release(runtime);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_for(server, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  sio_payload *kept = text_payload("kept");
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("event"), on_event, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_client_emit_with_ack(client, SIO_STR("event"), kept, 0, on_closed_answer, NULL, NULL));
  check_reaches(&called, 1);
  sio_payload_release(kept);

  check_ok(sio_socket_disconnect(socket_, false));
  check_reaches(&disconnected, 1);
  check_reaches(&called, 2);
  a_closed_socket_answers(nsp);
  sio_socket_release(socket_);
  what_was_kept_of_an_event_lives_on();
  check_reaches(&destroyed, 4);

  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  a_closed_server_answers(server, nsp);
  sio_namespace_release(nsp);
  sio_server_release(server);
  check_reaches(&destroyed, 5);

  a_disconnected_client_answers(client, manager);
  sio_client_release(client);
  sio_manager_release(manager);
  check_reaches(&called, 1);
  check_reaches(&destroyed, 4);

  everything_of_a_dead_runtime_answers();
  check_ok(sio_runtime_shutdown_wait(sio_runtime_get_default(), PATIENCE_S * 1000));
  return 0;
}
