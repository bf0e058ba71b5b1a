/* What every function keeps: NULL and wrong handles, bad texts and unknown numbers are a status, never a crash. */
#include "check.h"

static const sio_str NOT_UTF8 = {"\xff", 1};

static void null_handles_are_invalid_arguments(void)
{
  check_status(sio_server_listen(NULL, SIO_STR(":0"), NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_close(NULL, NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_close_wait(NULL, 0), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_socket_emit(NULL, SIO_STR("a"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_socket_join(NULL, SIO_STR("a")), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_namespace_emit(NULL, SIO_STR("a"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_namespace_off(NULL, 1), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_broadcast_emit(NULL, SIO_STR("a"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_client_emit(NULL, SIO_STR("a"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_client_connect(NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_open(NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_ack_send(NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_reply_send(NULL, 200, NULL, 0, bytes_of(NULL, 0)), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_runtime_shutdown_wait(NULL, 0), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_options_set_path(NULL, SIO_STR("/a")), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_options_set_timeout(NULL, 1), SIO_ERR_INVALID_ARGUMENT);
  check(sio_last_error_message().len > 0);

  check(sio_server_of(NULL, SIO_STR("/")) == NULL);
  check(sio_socket_retain(NULL) == NULL);
  check(sio_socket_id(NULL).len == 0);
  check(!sio_socket_connected(NULL));
  check(sio_socket_get_handshake(NULL) == NULL);
  check(sio_handshake_url(NULL).len == 0);
  check(sio_handshake_headers(NULL, NULL, NULL) == 0);
  check(sio_event_get_payload(NULL) == NULL);
  check(sio_event_take_ack(NULL) == NULL);
  check(sio_event_retain(NULL) == NULL);
  check(sio_payload_json(NULL).len == 0);
  check(sio_payload_retain(NULL) == NULL);
  check(sio_value_kind(NULL) == SIO_NULL);
  check(sio_error_status(NULL) == SIO_OK);
  check(sio_request_path(NULL).len == 0);
  check(sio_broadcast_to(NULL, SIO_STR("a")) == NULL);
}

static void null_may_be_released(void)
{
  sio_ack_drop(NULL);
  sio_broadcast_free(NULL);
  sio_client_options_free(NULL);
  sio_client_release(NULL);
  sio_event_release(NULL);
  sio_manager_options_free(NULL);
  sio_manager_release(NULL);
  sio_namespace_release(NULL);
  sio_payload_release(NULL);
  sio_reply_drop(NULL);
  sio_runtime_options_free(NULL);
  sio_runtime_release(NULL);
  sio_server_options_free(NULL);
  sio_server_release(NULL);
  sio_socket_release(NULL);
  sio_string_free(NULL);
  sio_value_free(NULL);
}

static void a_handle_of_another_type_is_an_invalid_argument(void)
{
  sio_server *server = NULL;
  sio_payload *payload = sio_payload_new();
  check_ok(sio_server_new(NULL, NULL, &server));

  check_status(sio_socket_emit((sio_socket *)server, SIO_STR("a"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_close((sio_server *)payload, NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_client_connect((sio_client *)server), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_close((sio_server *)((char *)server + 1), NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  sio_value_free((sio_value *)payload);
  check(sio_payload_count(payload) == 0);

  sio_payload_release(payload);
  sio_server_release(server);
}

static void bad_texts_are_a_status(void)
{
  sio_server *server = NULL;
  sio_manager *manager = NULL;
  sio_namespace *nsp;
  sio_broadcast *broadcast;
  sio_str null_text = {NULL, 1};
  check_ok(sio_server_new(NULL, NULL, &server));
  nsp = sio_server_of(server, SIO_STR("/"));

  check_status(sio_server_listen(server, NOT_UTF8, NULL, NULL, NULL), SIO_ERR_INVALID_UTF8);
  check_status(sio_namespace_emit(nsp, NOT_UTF8, NULL), SIO_ERR_INVALID_UTF8);
  check_status(sio_namespace_emit(nsp, null_text, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_namespace_emit(nsp, SIO_STR("disconnect"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check(sio_server_of(server, NOT_UTF8) == NULL);
  check_status(sio_manager_new(NULL, NOT_UTF8, NULL, &manager), SIO_ERR_INVALID_UTF8);
  check_status(sio_manager_new(NULL, SIO_STR("no url"), NULL, &manager), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_new(NULL, SIO_STR("https://127.0.0.1"), NULL, &manager), SIO_ERR_UNSUPPORTED);
  check(manager == NULL);
  check_status(sio_server_listen(server, SIO_STR("nowhere"), NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);

  /* A chain goes on; the call that uses it tells. */
  broadcast = sio_broadcast_except(sio_broadcast_to(sio_namespace_broadcast(nsp), NOT_UTF8), SIO_STR("b"));
  check(broadcast != NULL);
  check_status(sio_broadcast_emit(broadcast, SIO_STR("a"), NULL), SIO_ERR_INVALID_UTF8);
  sio_broadcast_free(broadcast);

  sio_namespace_release(nsp);
  sio_server_release(server);
}

static void unknown_numbers_are_a_status(void)
{
  sio_server_options *server = sio_server_options_new();
  sio_manager_options *manager = sio_manager_options_new();

  check_status(sio_server_options_set_delivery(server, 99), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_options_set_delivery(server, SIO_DELIVERY_QUEUE), SIO_ERR_INVALID_STATE);
  check_status(sio_manager_options_set_delivery(manager, 99), SIO_ERR_INVALID_ARGUMENT);
  check_ok(sio_manager_options_set_delivery(manager, SIO_DELIVERY_INLINE));
  check_ok(sio_server_options_set_delivery(server, SIO_DELIVERY_THREADS));
  check_status(sio_server_options_set_transports(server, 4), SIO_ERR_INVALID_ARGUMENT);
  check_ok(sio_server_options_set_transports(server, SIO_TRANSPORT_POLLING | SIO_TRANSPORT_WEBSOCKET));
  check_status(sio_manager_options_set_reconnection_delay(manager, 0, 0, 1.5), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_log_set(6, NULL, NULL, NULL), SIO_OK); /* off is off, whatever the level */

  sio_server_options_free(server);
  sio_manager_options_free(manager);
}

static void option_objects_are_checked(void)
{
  sio_server_options *server = sio_server_options_new();
  sio_manager_options *manager = sio_manager_options_new();
  sio_client_options *client = sio_client_options_new();
  sio_str message;

  check_ok(sio_server_options_set_json(server, SIO_STR("{\"pingInterval\":100,\"no such option\":1}")));
  check_status(sio_server_options_set_json(server, SIO_STR("[]")), SIO_ERR_INVALID_JSON);
  check_status(sio_server_options_set_json(server, SIO_STR("{\"pingInterval\":\"x\"}")), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_server_options_set_json(server, SIO_STR("{\"allowEIO3\":true}")), SIO_ERR_UNSUPPORTED);
  message = sio_last_error_message();
  check(message.len >= 9 && memcmp(message.ptr, "allowEIO3", 9) == 0);
  check_ok(sio_server_options_set_cors(server, SIO_STR("{\"origin\":\"*\"}")));
  check_status(sio_server_options_set_cors(server, SIO_STR("{},\"path\":\"/x\"")), SIO_ERR_INVALID_JSON);
  check_status(sio_server_options_set_path(server, SIO_STR("chat")), SIO_ERR_INVALID_ARGUMENT);

  check_ok(sio_manager_options_set_json(manager, SIO_STR("{\"reconnection\":false}")));
  check_status(sio_manager_options_set_json(manager, SIO_STR("{\"forceBase64\":true}")), SIO_ERR_UNSUPPORTED);
  check_status(sio_manager_options_set_auth_json(manager, SIO_STR("[]")), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_client_options_set_auth_json(client, SIO_STR("{")), SIO_ERR_INVALID_JSON);
  check_ok(sio_client_options_set_auth_json(client, SIO_STR("{\"token\":1}")));

  sio_server_options_free(server);
  sio_manager_options_free(manager);
  sio_client_options_free(client);
}

int main(void)
{
  null_handles_are_invalid_arguments();
  null_may_be_released();
  a_handle_of_another_type_is_an_invalid_argument();
  bad_texts_are_a_status();
  unknown_numbers_are_a_status();
  option_objects_are_checked();
  return 0;
}
