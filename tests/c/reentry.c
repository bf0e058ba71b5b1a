/* The library holds no lock while it calls back: within a callback of any kind every function can be called, those too
 * that change what the callback belongs to. */
#include "kinds.h"

static int destroyed, registered;

static void destroy(void *user_data)
{
  (void)user_data;
  count(&destroyed);
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)event;
  (void)user_data;
}

static void on_client_event(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)event;
  (void)user_data;
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)socket;
  (void)user_data;
}

static void on_end(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  (void)user_data;
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)status;
  (void)response;
  (void)user_data;
}

static void on_manager(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)attempt;
  (void)reason;
  (void)error;
  (void)user_data;
}

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  (void)user_data;
}

static void on_request(const sio_request *request, sio_reply *reply, void *user_data)
{
  (void)request;
  (void)user_data;
  sio_reply_drop(reply);
}

static void on_middleware(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)socket;
  (void)user_data;
  sio_next_accept(next);
}

static void on_auth(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  (void)user_data;
  sio_auth_drop(auth);
}

static void on_room(sio_str room, void *user_data)
{
  (void)room;
  check(sio_socket_connected(user_data));
  check(sio_socket_in_room(user_data, sio_socket_id(user_data)));
  check_ok(sio_socket_join(user_data, SIO_STR("from a list of rooms")));
}

/* A registration that the library has taken over: it is destroyed in the end. */
static sio_status registers(sio_status status)
{
  count(&registered);
  return status;
}

static void use_the_namespace(sio_namespace *nsp)
{
  sio_listener listeners[5];
  sio_broadcast *broadcast;
  size_t i;
  check_ok(registers(sio_namespace_on(nsp, SIO_STR("x"), on_event, NULL, destroy, &listeners[0])));
  check_ok(registers(sio_namespace_on_any(nsp, on_event, NULL, destroy, &listeners[1])));
  check_ok(registers(sio_namespace_on_connection(nsp, on_connection, NULL, destroy, &listeners[2])));
  check_ok(registers(sio_namespace_on_disconnecting(nsp, on_end, NULL, destroy, &listeners[3])));
  check_ok(registers(sio_namespace_on_disconnect(nsp, on_end, NULL, destroy, &listeners[4])));
  check_ok(sio_namespace_emit(nsp, SIO_STR("x"), NULL));
  broadcast = sio_broadcast_except(sio_broadcast_to(sio_namespace_broadcast(nsp), SIO_STR("a")), SIO_STR("b"));
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("x"), NULL));
  check_ok(sio_broadcast_sockets_join(broadcast, SIO_STR("c")));
  check_ok(sio_broadcast_sockets_leave(broadcast, SIO_STR("c")));
  check_ok(sio_broadcast_disconnect_sockets(broadcast, false)); /* nobody is in the room */
  sio_broadcast_free(broadcast);
  sio_namespace_socket_count(nsp);
  sio_socket_release(sio_namespace_find(nsp, sio_socket_id(world.socket)));
  for (i = 0; i < sizeof listeners / sizeof *listeners; i++) {
    check_ok(sio_namespace_off(nsp, listeners[i]));
  }
  sio_namespace_release(sio_namespace_retain(nsp));
}

static void use_the_socket(sio_socket *socket)
{
  sio_listener listeners[5];
  sio_broadcast *broadcast;
  size_t i;
  check_ok(registers(sio_socket_on(socket, SIO_STR("x"), on_event, NULL, destroy, &listeners[0])));
  check_ok(registers(sio_socket_once(socket, SIO_STR("x"), on_event, NULL, destroy, &listeners[1])));
  check_ok(registers(sio_socket_on_any(socket, on_event, NULL, destroy, &listeners[2])));
  check_ok(registers(sio_socket_on_disconnecting(socket, on_end, NULL, destroy, &listeners[3])));
  check_ok(registers(sio_socket_on_disconnect(socket, on_end, NULL, destroy, &listeners[4])));
  /* In its last callbacks a socket answers SIO_ERR_CLOSED. */
  sio_cork();
  sio_socket_emit(socket, SIO_STR("x"), NULL);
  sio_socket_emit_flags(socket, SIO_STR("x"), NULL, SIO_EMIT_VOLATILE);
  registers(sio_socket_emit_with_ack(socket, SIO_STR("x"), NULL, 10, on_answer, NULL, destroy));
  sio_uncork();
  sio_socket_join(socket, SIO_STR("room"));
  if (sio_socket_connected(socket)) {
    check(sio_socket_rooms(socket, on_room, socket) > 0);
  }
  check_ok(sio_socket_leave(socket, SIO_STR("room")));
  check_ok(registers(sio_socket_set_data(socket, socket, destroy)));
  check(sio_socket_data(socket) == socket);
  check_ok(sio_socket_set_data(socket, NULL, NULL));
  sio_socket_buffered_bytes(socket);
  check(sio_socket_transport(socket).len > 0);
  check(sio_socket_get_namespace(socket) == world.nsp);
  check(sio_handshake_url(sio_socket_get_handshake(socket)).len > 0);
  broadcast = sio_socket_broadcast(socket);
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("x"), NULL));
  sio_broadcast_free(broadcast);
  for (i = 0; i < sizeof listeners / sizeof *listeners; i++) {
    sio_socket_off(socket, listeners[i]); /* what belongs to a closed socket is gone already */
  }
  sio_socket_release(sio_socket_retain(socket));
}

static void use_the_client(sio_client *client)
{
  sio_listener listeners[3];
  sio_string *id = NULL;
  size_t i;
  check_ok(registers(sio_client_on(client, SIO_STR("x"), on_client_event, NULL, destroy, &listeners[0])));
  check_ok(registers(sio_client_once(client, SIO_STR("y"), on_client_event, NULL, destroy, &listeners[1])));
  check_ok(registers(sio_client_on_any(client, on_client_event, NULL, destroy, &listeners[2])));
  check_ok(sio_client_emit(client, SIO_STR("x"), NULL));
  check_ok(sio_client_emit_flags(client, SIO_STR("x"), NULL, SIO_EMIT_VOLATILE));
  check_ok(registers(sio_client_emit_with_ack(client, SIO_STR("x"), NULL, 10, on_answer, NULL, destroy)));
  if (sio_client_connected(client) && sio_client_id(client, &id) == SIO_OK) {
    sio_string_free(id);
  }
  sio_client_active(client);
  sio_client_buffered_bytes(client);
  check(is(sio_client_transport(client), "polling") || is(sio_client_transport(client), "websocket") ||
        is(sio_client_transport(client), ""));
  check(is(sio_client_namespace(client), "/"));
  check(sio_client_get_manager(client) == world.manager);
  for (i = 0; i < sizeof listeners / sizeof *listeners; i++) {
    check_ok(sio_client_off(client, listeners[i]));
  }
  sio_client_release(sio_client_retain(client));
}

static void use_the_manager(sio_manager *manager)
{
  sio_listener listener;
  check_ok(registers(sio_manager_on(manager, SIO_MANAGER_PING, on_manager, NULL, destroy, &listener)));
  check_ok(sio_manager_off(manager, listener));
  sio_client_release(sio_manager_socket(manager, SIO_STR("/another"), NULL));
  sio_manager_release(sio_manager_retain(manager));
}

/* A server and a client from their beginning to their end. */
static void make_and_end_others(void)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_server *server = NULL;
  sio_manager *manager = NULL;
  sio_client *client;
  sio_namespace *nsp;
  check_ok(sio_server_new(world.runtime, NULL, &server));
  check_ok(registers(sio_server_listen(server, SIO_STR("127.0.0.1:0"), on_done, NULL, destroy)));
  check_ok(registers(sio_server_on_request(server, on_request, NULL, destroy)));
  sio_namespace_release(sio_server_of(server, SIO_STR("/made in a callback")));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(registers(sio_namespace_use(nsp, on_middleware, NULL, destroy)));
  sio_namespace_release(nsp);
  check_ok(sio_manager_options_set_reconnection(options, false));
  check_ok(sio_manager_new(world.runtime, sio_cstr(url_of(server, "")), options, &manager));
  sio_manager_options_free(options);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_set_auth_json(client, SIO_STR("{}")));
  check_ok(registers(sio_client_on_auth(client, on_auth, NULL, destroy)));
  check_ok(registers(sio_client_emit_with_ack(client, SIO_STR("x"), NULL, 0, on_answer, NULL, destroy)));
  check_ok(sio_client_disconnect(client));
  check_ok(sio_client_connect(client));
  check_ok(sio_manager_open(manager));
  check_ok(registers(sio_manager_close(manager, on_done, NULL, destroy)));
  check_ok(registers(sio_server_close(server, on_done, NULL, destroy)));
  sio_client_release(client);
  sio_manager_release(manager);
  sio_server_release(server);
}

static void inside(enum kind kind)
{
  sio_runtime *runtime = NULL;
  sio_payload *payload = text_payload("x");
  if (world.nsp) {
    use_the_namespace(world.nsp);
  }
  if (world.asked) {
    use_the_socket(world.asked);
  }
  if (world.socket) {
    use_the_socket(world.socket);
  }
  if (world.client) {
    use_the_client(world.client);
  }
  if (world.manager) {
    use_the_manager(world.manager);
  }
  make_and_end_others();
  check(sio_payload_get_value(payload, 0) != NULL);
  sio_payload_release(sio_payload_retain(payload));
  sio_payload_release(payload);
  check_ok(sio_runtime_new(NULL, &runtime));
  sio_runtime_release(runtime);
  if (kind != LOG) {
    check_ok(registers(sio_log_set(SIO_LOG_ERROR, NULL, NULL, destroy)));
  }
}

int main(void)
{
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_new(NULL, &runtime));
  let_everything_happen(runtime);
  /* What the last callbacks made is ended before its runtime is. */
  check_reaches(&destroyed, counted(&registered));
  end_runtime();
  check(counted(&destroyed) == counted(&registered));
  return 0;
}
