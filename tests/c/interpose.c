/* A program may have functions of the same names as the library's, by accident or to replace them: the library never calls
 * itself through such a name, so it never calls the program's. */
#include "loopback.h"

static int trapped, connected, answered;

/* The program's own, which win over the library's for everybody who asks the dynamic linker. */
static void trap(void)
{
  pthread_mutex_lock(&wait_lock);
  trapped++;
  pthread_mutex_unlock(&wait_lock);
}

sio_socket *sio_socket_retain(sio_socket *socket)
{
  trap();
  return socket;
}

void sio_socket_release(sio_socket *socket)
{
  (void)socket;
  trap();
}

void sio_value_free(sio_value *value)
{
  (void)value;
  trap();
}

sio_status sio_socket_emit_flags(sio_socket *socket, sio_str event, const sio_payload *payload, uint32_t flags)
{
  (void)socket;
  (void)event;
  (void)payload;
  (void)flags;
  trap();
  return SIO_ERR_INVALID_STATE;
}

size_t sio_socket_rooms(const sio_socket *socket, sio_rooms_fn function, void *user_data)
{
  (void)socket;
  (void)function;
  (void)user_data;
  trap();
  return 0;
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  check_ok(sio_socket_join(socket, SIO_STR("room")));
  check_ok(sio_socket_emit(socket, SIO_STR("x"), sio_event_get_payload(event)));
  check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)user_data;
  check_ok(status);
  check(is(sio_value_as_text(sio_payload_get_value(response, 0)), "x"));
  count(&answered);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_for(server, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  sio_payload *payload = text_payload("x");
  check_ok(sio_namespace_on(nsp, SIO_STR("x"), on_event, NULL, NULL, NULL));
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_client_emit_with_ack(client, SIO_STR("x"), payload, 0, on_answer, NULL, NULL));
  check_reaches(&answered, 1);
  sio_payload_release(payload);
  sio_client_release(client);
  end_manager(manager);
  sio_namespace_release(nsp);
  end_server(server);
  check(counted(&trapped) == 0);
  return 0;
}
