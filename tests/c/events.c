/* Events between a server and its clients in one process: arguments, acks, binaries, order. */
#include "loopback.h"

static int connected, received, answered, disconnected, destroyed;

static void on_destroy(void *user_data)
{
  count(user_data);
}

static void on_connect(sio_client *client, void *user_data)
{
  sio_string *id = NULL;
  (void)user_data;
  check(sio_client_connected(client));
  check_ok(sio_client_id(client, &id));
  check(sio_string_get(id).len == 20);
  sio_string_free(id);
  count(&connected);
}

/* ---- the server ------------------------------------------------------------------------------------------------- */

static void echo(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  check(sio_event_take_ack(event) == NULL);
  if (ack) {
    check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
  } else {
    check_ok(sio_socket_emit(socket, sio_event_name(event), sio_event_get_payload(event)));
  }
}

static void never_answer(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)user_data;
  sio_ack_drop(sio_event_take_ack(event));
}

/* ---- acks of the server ----------------------------------------------------------------------------------------- */

static const char EVERYTHING[] =
    "[\"text \\u00e9\\n\",-12,1.5,true,null,[],{\"deep\":[{\"_placeholder\":true,\"num\":0}]},"
    "{\"_placeholder\":true,\"num\":1}]";

static sio_payload *everything(void)
{
  sio_payload *payload = NULL;
  sio_bytes attachments[2];
  attachments[0] = bytes_of("\0\1\xff", 3);
  attachments[1] = bytes_of(NULL, 0);
  check_ok(sio_payload_from_json(sio_cstr(EVERYTHING), attachments, 2, &payload));
  return payload;
}

static void check_everything(const sio_payload *payload)
{
  check(is(sio_payload_json(payload), EVERYTHING));
  check(sio_payload_attachment_count(payload) == 2);
  check(are(sio_payload_attachment(payload, 0), "\0\1\xff", 3));
  check(sio_payload_attachment(payload, 1).len == 0);
  check(are(sio_value_as_bytes(sio_value_at(sio_value_get(sio_payload_get_value(payload, 6), SIO_STR("deep")), 0)),
            "\0\1\xff", 3));
}

static void on_everything_acked(int32_t status, const sio_payload *response, void *user_data)
{
  (void)user_data;
  check_status(status, SIO_OK);
  check_everything(response);
  count(&answered);
}

static void on_nothing_acked(int32_t status, const sio_payload *response, void *user_data)
{
  check_status(status, *(const int32_t *)user_data);
  check(response == NULL);
  count(&answered);
}

static void on_everything(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)user_data;
  check_everything(sio_event_get_payload(event));
  count(&received);
}

static void on_number(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)user_data;
  check(sio_value_as_int(sio_payload_get_value(sio_event_get_payload(event), 0)) == counted(&received));
  count(&received);
}

static void on_disconnect(sio_client *client, sio_str reason, const sio_error *error, void *user_data)
{
  (void)client;
  (void)error;
  check(is(reason, user_data));
  count(&disconnected);
}

static void arguments_and_acks_come_back_whole(sio_client *client)
{
  sio_payload *payload = everything();
  received = answered = 0;
  check_ok(sio_client_on(client, SIO_STR("echo"), on_everything, NULL, NULL, NULL));
  check_ok(sio_client_emit(client, SIO_STR("echo"), payload));
  check_reaches(&received, 1);
  check_ok(sio_client_emit_with_ack(client, SIO_STR("echo"), payload, 0, on_everything_acked, NULL, NULL));
  check_reaches(&answered, 1);
  sio_payload_release(payload);
}

static void an_ack_that_never_comes_times_out(sio_client *client)
{
  static int32_t timeout = SIO_ERR_TIMEOUT;
  answered = 0;
  check_ok(sio_client_emit_with_ack(client, SIO_STR("silence"), NULL, 50, on_nothing_acked, &timeout, NULL));
  check_reaches(&answered, 1);
}

static void a_burst_keeps_its_order(sio_client *client)
{
  int burst = scaled(5000);
  sio_listener listener;
  int i;
  received = 0;
  check_ok(sio_client_on(client, SIO_STR("number"), on_number, NULL, NULL, &listener));
  for (i = 0; i < burst; i++) {
    sio_payload *payload = sio_payload_new();
    check_ok(sio_payload_push_int(payload, i));
    check_ok(sio_client_emit(client, SIO_STR("number"), payload));
    sio_payload_release(payload);
  }
  check_reaches(&received, burst);
  check_ok(sio_client_off(client, listener));
}

static void a_once_listener_hears_one_event(sio_client *client)
{
  sio_payload *payload = everything();
  received = destroyed = answered = 0;
  check_ok(sio_client_once(client, SIO_STR("only"), on_everything, &destroyed, on_destroy, NULL));
  check_ok(sio_client_emit(client, SIO_STR("only"), payload));
  check_ok(sio_client_emit(client, SIO_STR("only"), payload));
  check_ok(sio_client_emit_with_ack(client, SIO_STR("echo"), payload, 0, on_everything_acked, NULL, NULL));
  check_reaches(&answered, 1);
  check_reaches(&received, 1);
  check_reaches(&destroyed, 1);
  sio_payload_release(payload);
}

static void pending_acks_end_with_the_connection(sio_client *client)
{
  static int32_t closed = SIO_ERR_CLOSED;
  answered = disconnected = destroyed = 0;
  check_ok(sio_client_on_disconnect(client, on_disconnect, "io client disconnect", NULL, NULL));
  check_ok(sio_client_emit_with_ack(client, SIO_STR("silence"), NULL, SIO_FOREVER, on_nothing_acked, &closed, NULL));
  check_ok(sio_client_disconnect(client));
  check_reaches(&disconnected, 1);
  check_reaches(&answered, 1);
  check(!sio_client_connected(client) && !sio_client_active(client));
}

static void converse(sio_server *server, uint32_t transports)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager;
  sio_client *client;
  check_ok(sio_manager_options_set_transports(options, transports));
  manager = manager_for(server, options);
  client = sio_manager_socket(manager, SIO_STR(""), NULL);
  check(client != NULL);
  check(is(sio_client_namespace(client), "/"));
  check(sio_client_get_manager(client) == manager);
  connected = 0;
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);

  arguments_and_acks_come_back_whole(client);
  an_ack_that_never_comes_times_out(client);
  a_burst_keeps_its_order(client);
  a_once_listener_hears_one_event(client);
  pending_acks_end_with_the_connection(client);

  sio_client_release(client);
  end_manager(manager);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on(nsp, SIO_STR("echo"), echo, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("number"), echo, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("only"), echo, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("silence"), never_answer, NULL, NULL, NULL));
  sio_namespace_release(nsp);

  converse(server, SIO_TRANSPORT_POLLING);
  converse(server, SIO_TRANSPORT_WEBSOCKET);
  converse(server, SIO_TRANSPORT_POLLING | SIO_TRANSPORT_WEBSOCKET);
  end_server(server);
  return 0;
}
