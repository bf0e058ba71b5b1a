/* Values of enums and masks come as integers: any number is checked, and none does harm. */
#include "loopback.h"

static const int32_t WRONG[] = {INT32_MIN, INT32_MIN + 1, -1000, -2, -1, 9, 99, 255, 256, 65536, INT32_MAX - 1, INT32_MAX};
enum { N = sizeof WRONG / sizeof *WRONG };

static int destroyed, expected, connected;
static sio_socket *joined;

static void destroy(void *user_data)
{
  (void)user_data;
  count(&destroyed);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  joined = sio_socket_retain(socket);
  count(&connected);
}

static void on_manager(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)attempt;
  (void)reason;
  (void)error;
  (void)user_data;
}

static void on_log(int32_t level, sio_str target, sio_str message, void *user_data)
{
  (void)level;
  (void)target;
  (void)message;
  (void)user_data;
}

static void options_refuse_unknown_values(int32_t wrong)
{
  sio_server_options *server = sio_server_options_new();
  sio_manager_options *manager = sio_manager_options_new();
  check_status(sio_server_options_set_delivery(server, wrong), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_options_set_delivery(manager, wrong), SIO_ERR_INVALID_ARGUMENT);
  /* Masks: a bit too many, whatever the others are. */
  check_status(sio_server_options_set_transports(server, (uint32_t)wrong | 4), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_options_set_transports(manager, (uint32_t)wrong | 4), SIO_ERR_INVALID_ARGUMENT);
  sio_server_options_free(server);
  sio_manager_options_free(manager);
}

static void names_of_unknown_values_are_harmless(int32_t wrong)
{
  check(sio_status_name(wrong) != NULL && strlen(sio_status_name(wrong)) > 0);
  check(sio_abi_check((uint32_t)wrong) == SIO_ERR_ABI);
}

static void registrations_refuse_unknown_values(sio_manager *manager, int32_t wrong)
{
  sio_listener listener = 0;
  check_status(sio_manager_on(manager, wrong, on_manager, NULL, destroy, &listener), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_log_set(wrong, on_log, NULL, destroy), SIO_ERR_INVALID_ARGUMENT);
  expected += 2;
  check(listener == 0);
  check(destroyed == expected);
}

static void flags_refuse_unknown_bits(sio_client *client, int32_t wrong)
{
  uint32_t flags = (uint32_t)wrong | 2;
  check_status(sio_client_emit_flags(client, SIO_STR("x"), NULL, flags), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_socket_emit_flags(joined, SIO_STR("x"), NULL, flags), SIO_ERR_INVALID_ARGUMENT);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_for(server, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  int i;
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);

  for (i = 0; i < N; i++) {
    options_refuse_unknown_values(WRONG[i]);
    names_of_unknown_values_are_harmless(WRONG[i]);
    registrations_refuse_unknown_values(manager, WRONG[i]);
    flags_refuse_unknown_bits(client, WRONG[i]);
  }
  /* One before the first and one behind the last of each. */
  check_status(sio_manager_on(manager, 0, on_manager, NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_manager_on(manager, SIO_MANAGER_RECONNECT_FAILED + 1, on_manager, NULL, NULL, NULL),
               SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_log_set(SIO_LOG_ERROR - 1, on_log, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_log_set(SIO_LOG_TRACE + 1, on_log, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);

  sio_socket_release(joined);
  sio_client_release(client);
  end_manager(manager);
  sio_namespace_release(nsp);
  end_server(server);
  return 0;
}
