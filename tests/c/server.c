/* The server's side: handshake, rooms, broadcasts, questions with an ack, data of a socket, reasons, requests. */
#include "loopback.h"

static int joined, left, disconnecting, answered, destroyed, connected, errors;
static sio_socket *sockets[3];

static void destroy(void *user_data)
{
  count(user_data);
}

/* ---- the server ------------------------------------------------------------------------------------------------- */

static void on_header(sio_str name, sio_str value, void *user_data)
{
  if (is(name, "x-test")) {
    check(is(value, "header"));
    ++*(int *)user_data;
  }
}

static void on_connection(sio_socket *socket, void *user_data)
{
  const sio_handshake *handshake = sio_socket_get_handshake(socket);
  sio_string *value = NULL;
  int sent = 0;
  (void)user_data;
  check(sio_socket_connected(socket));
  check(sio_socket_id(socket).len == 20);
  check(is(sio_handshake_auth_json(handshake), "{\"token\":\"secret\"}"));
  check(is(sio_handshake_address(handshake), "127.0.0.1"));
  check(is(sio_handshake_header(handshake, SIO_STR("X-Test")), "header"));
  check(sio_handshake_header(handshake, SIO_STR("x-none")).len == 0);
  check(sio_handshake_headers(handshake, on_header, &sent) == sio_handshake_headers(handshake, NULL, NULL));
  check(sent == 1);
  check_ok(sio_handshake_query(handshake, SIO_STR("key"), &value));
  check(is(sio_string_get(value), "a value"));
  sio_string_free(value);
  check_status(sio_handshake_query(handshake, SIO_STR("none"), &value), SIO_ERR_NOT_FOUND);
  check(!sio_handshake_secure(handshake));
  check(sio_handshake_issued(handshake) > 0);
  check(sio_handshake_url(handshake).len > 0);
  sockets[joined] = sio_socket_retain(socket);
  check(sockets[joined] == socket);
  count(&joined);
}

static void on_disconnecting(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)error;
  (void)user_data;
  check(reason.len > 0);
  check(sio_socket_in_room(socket, sio_socket_id(socket)));
  count(&disconnecting);
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)error;
  check(is(reason, user_data));
  check(!sio_socket_connected(socket));
  check(sio_socket_rooms(socket, NULL, NULL) == 0);
  count(&left);
}

/* ---- the clients ------------------------------------------------------------------------------------------------ */

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void on_text(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)event;
  count(user_data);
}

static void answer(sio_client *client, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)client;
  (void)user_data;
  check(ack != NULL);
  check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  check_status(status, SIO_OK);
  check(is(sio_payload_json(response), user_data));
  count(&answered);
}

static void on_connect_error(sio_client *client, const sio_error *error, void *user_data)
{
  (void)client;
  (void)user_data;
  check_status(sio_error_status(error), SIO_ERR_REJECTED);
  check(is(sio_error_message(error), "Invalid namespace"));
  check(sio_error_get_data(error) == NULL);
  count(&errors);
}

/* ---- rooms ------------------------------------------------------------------------------------------------------ */

static void count_room(sio_str room, void *user_data)
{
  check(room.len > 0);
  ++*(int *)user_data;
}

static void rooms_select_who_hears(sio_namespace *nsp, int *heard)
{
  sio_broadcast *broadcast;
  int rooms = 0;
  check_ok(sio_socket_join(sockets[0], SIO_STR("a")));
  check_ok(sio_socket_join(sockets[1], SIO_STR("a")));
  check_ok(sio_socket_join(sockets[1], SIO_STR("b")));
  check_ok(sio_socket_join(sockets[2], SIO_STR("b")));
  check(sio_socket_in_room(sockets[0], SIO_STR("a")));
  check(!sio_socket_in_room(sockets[0], SIO_STR("b")));
  check(sio_socket_rooms(sockets[1], count_room, &rooms) == 3 && rooms == 3);

  /* Once for each, though one is in both. */
  broadcast = sio_broadcast_to(sio_broadcast_to(sio_namespace_broadcast(nsp), SIO_STR("a")), SIO_STR("b"));
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("text"), NULL));
  sio_broadcast_free(broadcast);
  check_reaches(&heard[0], 1);
  check_reaches(&heard[1], 1);
  check_reaches(&heard[2], 1);

  /* Not to the sender, nor to who is excepted. */
  broadcast = sio_broadcast_except(sio_socket_broadcast(sockets[0]), SIO_STR("b"));
  check_ok(sio_broadcast_emit(broadcast, SIO_STR("text"), NULL));
  sio_broadcast_free(broadcast);
  broadcast = sio_broadcast_to(sio_socket_broadcast(sockets[0]), SIO_STR("a"));
  check_ok(sio_broadcast_emit(sio_broadcast_volatile(sio_broadcast_local(broadcast)), SIO_STR("text"), NULL));
  sio_broadcast_free(broadcast);
  check_reaches(&heard[1], 2);

  check_ok(sio_socket_leave(sockets[1], SIO_STR("a")));
  broadcast = sio_broadcast_to(sio_namespace_broadcast(nsp), SIO_STR("a"));
  check_ok(sio_broadcast_sockets_join(broadcast, SIO_STR("c")));
  check(sio_socket_in_room(sockets[0], SIO_STR("c")) && !sio_socket_in_room(sockets[1], SIO_STR("c")));
  check_ok(sio_broadcast_sockets_leave(broadcast, SIO_STR("c")));
  check(!sio_socket_in_room(sockets[0], SIO_STR("c")));
  sio_broadcast_free(broadcast);

  check_ok(sio_namespace_emit(nsp, SIO_STR("text"), NULL));
  check_reaches(&heard[0], 2);
  check_reaches(&heard[1], 3);
  check_reaches(&heard[2], 2);
}

static void a_socket_can_be_asked(void)
{
  sio_payload *question = text_payload("who?");
  answered = destroyed = 0;
  check_ok(sio_socket_emit_with_ack(sockets[0], SIO_STR("ask"), question, 5000, on_answer, "[\"who?\"]", NULL));
  check_reaches(&answered, 1);
  check_ok(sio_socket_emit_flags(sockets[0], SIO_STR("text"), question, SIO_EMIT_VOLATILE));
  check_status(sio_socket_emit_flags(sockets[0], SIO_STR("text"), question, 64), SIO_ERR_INVALID_ARGUMENT);
  sio_payload_release(question);
}

static void a_socket_keeps_data(void)
{
  destroyed = 0;
  check(sio_socket_data(sockets[0]) == NULL);
  check_ok(sio_socket_set_data(sockets[0], &destroyed, destroy));
  check(sio_socket_data(sockets[0]) == &destroyed);
  check_ok(sio_socket_set_data(sockets[0], &destroyed, destroy));
  check(counted(&destroyed) == 1);
}

static void sockets_are_found_by_their_ids(sio_namespace *nsp)
{
  sio_socket *found = sio_namespace_find(nsp, sio_socket_id(sockets[1]));
  check(found == sockets[1]);
  check(sio_socket_get_namespace(found) == nsp);
  check(is(sio_socket_transport(found), "websocket"));
  sio_socket_release(found);
  check(sio_namespace_find(nsp, SIO_STR("nobody")) == NULL);
  check(sio_namespace_socket_count(nsp) == 3);
}

static void a_closed_socket_answers_closed(void)
{
  check_ok(sio_socket_disconnect(sockets[0], true));
  check_reaches(&left, 1);
  check_reaches(&disconnecting, 1);
  check_status(sio_socket_emit(sockets[0], SIO_STR("text"), NULL), SIO_ERR_CLOSED);
  check_status(sio_socket_emit_with_ack(sockets[0], SIO_STR("text"), NULL, 0, on_answer, NULL, NULL), SIO_ERR_CLOSED);
  check_status(sio_socket_join(sockets[0], SIO_STR("a")), SIO_ERR_CLOSED);
  check_ok(sio_socket_disconnect(sockets[0], true));
}

static void an_unknown_namespace_is_refused(sio_manager *manager)
{
  sio_client *client = sio_manager_socket(manager, SIO_STR("/unknown"), NULL);
  check_ok(sio_client_on_connect_error(client, on_connect_error, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&errors, 1);
  sio_client_release(client);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/test"));
  sio_manager *managers[3];
  sio_client *clients[3];
  int heard[3] = {0, 0, 0};
  int i;
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnecting(nsp, on_disconnecting, NULL, NULL, NULL));
  check(is(sio_namespace_name(nsp), "/test"));

  for (i = 0; i < 3; i++) {
    sio_manager_options *options = sio_manager_options_new();
    sio_client_options *own = sio_client_options_new();
    check_ok(sio_manager_options_set_transports(options, SIO_TRANSPORT_WEBSOCKET));
    check_ok(sio_manager_options_set_query(options, SIO_STR("key"), SIO_STR("a value")));
    check_ok(sio_manager_options_set_extra_header(options, SIO_STR("x-test"), SIO_STR("header")));
    check_ok(sio_client_options_set_auth_json(own, SIO_STR("{\"token\":\"secret\"}")));
    managers[i] = manager_for(server, options);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/test"), own);
    sio_client_options_free(own);
    check_ok(sio_client_on(clients[i], SIO_STR("text"), on_text, &heard[i], NULL, NULL));
    check_ok(sio_client_on(clients[i], SIO_STR("ask"), answer, NULL, NULL, NULL));
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, NULL, NULL));
    check_ok(sio_client_connect(clients[i]));
    check_reaches(&connected, i + 1);
    check_reaches(&joined, i + 1);
  }
  check_ok(sio_socket_on_disconnect(sockets[0], on_disconnect, "server namespace disconnect", NULL, NULL));
  check_ok(sio_socket_on_disconnect(sockets[1], on_disconnect, "client namespace disconnect", NULL, NULL));
  check_ok(sio_socket_on_disconnect(sockets[2], on_disconnect, "server shutting down", NULL, NULL));

  rooms_select_who_hears(nsp, heard);
  a_socket_can_be_asked();
  a_socket_keeps_data();
  sockets_are_found_by_their_ids(nsp);
  an_unknown_namespace_is_refused(managers[1]);
  a_closed_socket_answers_closed();

  check_ok(sio_client_disconnect(clients[1]));
  check_reaches(&left, 2);
  end_server(server);
  check_reaches(&left, 3);
  check_reaches(&disconnecting, 3);
  check(sio_namespace_socket_count(nsp) == 0);

  sio_namespace_release(nsp);
  for (i = 0; i < 3; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
    sio_socket_release(sockets[i]);
  }
  check_reaches(&destroyed, 2);
  return 0;
}
