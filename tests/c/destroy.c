/* What a registration brings along is destroyed exactly once: on the caller's thread when the registration fails, else
 * where its callback is delivered and after the last call has returned, however the registration ends. */
#include "loopback.h"

enum { MOST_REGISTRATIONS = 512 };

/* The user_data of one registration. */
struct registration {
  int destroyed;
  int running;
  bool on_own_thread;
};

static struct registration registrations[MOST_REGISTRATIONS];
static int used, destroyed, called, connected;
static pthread_t main_thread;

static sio_server *server;
static sio_namespace *nsp;
static sio_socket *server_socket;
static sio_manager *manager;
static sio_client *client;

static struct registration *next(void)
{
  check(used < MOST_REGISTRATIONS);
  return &registrations[used++];
}

static void destroy(void *user_data)
{
  struct registration *registration = user_data;
  pthread_mutex_lock(&wait_lock);
  check(registration->destroyed == 0);
  check(registration->running == 0);
  registration->destroyed = 1;
  registration->on_own_thread = !pthread_equal(pthread_self(), main_thread);
  pthread_mutex_unlock(&wait_lock);
  count(&destroyed);
}

static void begin(struct registration *registration)
{
  pthread_mutex_lock(&wait_lock);
  check(registration->destroyed == 0);
  registration->running++;
  pthread_mutex_unlock(&wait_lock);
}

static void end(struct registration *registration)
{
  pthread_mutex_lock(&wait_lock);
  registration->running--;
  pthread_mutex_unlock(&wait_lock);
  count(&called);
}

/* ---- the callbacks ---------------------------------------------------------------------------------------------- */

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)event;
  begin(user_data);
  end(user_data);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)socket;
  begin(user_data);
  end(user_data);
}

static void on_middleware(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)socket;
  begin(user_data);
  sio_next_drop(next);
  end(user_data);
}

static void on_auth(sio_client *asked, sio_auth *auth, void *user_data)
{
  (void)asked;
  begin(user_data);
  sio_auth_drop(auth);
  end(user_data);
}

static void on_end(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  begin(user_data);
  end(user_data);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)status;
  (void)response;
  begin(user_data);
  end(user_data);
}

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  begin(user_data);
  end(user_data);
}

static void on_request(const sio_request *request, sio_reply *reply, void *user_data)
{
  (void)request;
  begin(user_data);
  sio_reply_drop(reply);
  end(user_data);
}

static void on_manager(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)attempt;
  (void)reason;
  (void)error;
  begin(user_data);
  end(user_data);
}

static void on_client_event(sio_client *receiver, sio_event *event, void *user_data)
{
  (void)receiver;
  (void)event;
  begin(user_data);
  end(user_data);
}

static void on_connect(sio_client *receiver, void *user_data)
{
  (void)receiver;
  begin(user_data);
  end(user_data);
}

static void on_connect_error(sio_client *receiver, const sio_error *error, void *user_data)
{
  (void)receiver;
  (void)error;
  begin(user_data);
  end(user_data);
}

static void on_disconnect(sio_client *receiver, sio_str reason, const sio_error *error, void *user_data)
{
  (void)receiver;
  (void)reason;
  (void)error;
  begin(user_data);
  end(user_data);
}

static void on_log(int32_t level, sio_str target, sio_str message, void *user_data)
{
  (void)level;
  (void)target;
  (void)message;
  begin(user_data);
  end(user_data);
}

/* ---- every function that registers something -------------------------------------------------------------------- */

typedef sio_status register_fn(bool fail, struct registration *data, sio_listener *listener);

#define LISTENER(name, call) \
  static sio_status name(bool fail, struct registration *data, sio_listener *listener) \
  { \
    return call; \
  }
#define ONCE_ONLY(name, call) \
  static sio_status name(bool fail, struct registration *data, sio_listener *listener) \
  { \
    (void)listener; \
    return call; \
  }
#define X SIO_STR("x")
#define OF(handle) (fail ? NULL : (handle))

LISTENER(namespace_on, sio_namespace_on(OF(nsp), X, on_event, data, destroy, listener))
LISTENER(namespace_on_any, sio_namespace_on_any(OF(nsp), on_event, data, destroy, listener))
LISTENER(namespace_on_connection, sio_namespace_on_connection(OF(nsp), on_connection, data, destroy, listener))
LISTENER(namespace_on_disconnecting, sio_namespace_on_disconnecting(OF(nsp), on_end, data, destroy, listener))
LISTENER(namespace_on_disconnect, sio_namespace_on_disconnect(OF(nsp), on_end, data, destroy, listener))
LISTENER(socket_on, sio_socket_on(OF(server_socket), X, on_event, data, destroy, listener))
LISTENER(socket_once, sio_socket_once(OF(server_socket), X, on_event, data, destroy, listener))
LISTENER(socket_on_any, sio_socket_on_any(OF(server_socket), on_event, data, destroy, listener))
LISTENER(socket_on_disconnecting, sio_socket_on_disconnecting(OF(server_socket), on_end, data, destroy, listener))
LISTENER(socket_on_disconnect, sio_socket_on_disconnect(OF(server_socket), on_end, data, destroy, listener))
LISTENER(manager_on, sio_manager_on(OF(manager), SIO_MANAGER_CLOSE, on_manager, data, destroy, listener))
LISTENER(client_on, sio_client_on(OF(client), X, on_client_event, data, destroy, listener))
LISTENER(client_once, sio_client_once(OF(client), X, on_client_event, data, destroy, listener))
LISTENER(client_on_any, sio_client_on_any(OF(client), on_client_event, data, destroy, listener))
LISTENER(client_on_connect, sio_client_on_connect(OF(client), on_connect, data, destroy, listener))
LISTENER(client_on_connect_error, sio_client_on_connect_error(OF(client), on_connect_error, data, destroy, listener))
LISTENER(client_on_disconnect, sio_client_on_disconnect(OF(client), on_disconnect, data, destroy, listener))

ONCE_ONLY(server_listen, sio_server_listen(OF(server), SIO_STR("127.0.0.1:0"), on_done, data, destroy))
ONCE_ONLY(server_on_request, sio_server_on_request(OF(server), on_request, data, destroy))
ONCE_ONLY(namespace_use, sio_namespace_use(OF(nsp), on_middleware, data, destroy))
ONCE_ONLY(client_on_auth, sio_client_on_auth(OF(client), on_auth, data, destroy))
ONCE_ONLY(socket_answer, sio_socket_emit_with_ack(OF(server_socket), X, NULL, 0, on_answer, data, destroy))
ONCE_ONLY(client_answer, sio_client_emit_with_ack(OF(client), X, NULL, 0, on_answer, data, destroy))
ONCE_ONLY(client_timeout, sio_client_emit_with_ack(OF(client), X, NULL, 1, on_answer, data, destroy))
ONCE_ONLY(manager_close, sio_manager_close(OF(manager), on_done, data, destroy))
ONCE_ONLY(server_close, sio_server_close(OF(server), on_done, data, destroy))

static register_fn *const LISTENERS[] = {
  namespace_on,          namespace_on_any,        namespace_on_connection, namespace_on_disconnecting,
  namespace_on_disconnect, socket_on,             socket_once,             socket_on_any,
  socket_on_disconnecting, socket_on_disconnect,  manager_on,              client_on,
  client_once,           client_on_any,           client_on_connect,       client_on_connect_error,
  client_on_disconnect,
};
static register_fn *const OTHERS[] = {
  server_listen, server_on_request, namespace_use, client_on_auth, socket_answer, client_answer, client_timeout,
};
static register_fn *const ENDS[] = {manager_close, server_close};

enum {
  N_LISTENERS = sizeof LISTENERS / sizeof *LISTENERS,
  N_OTHERS = sizeof OTHERS / sizeof *OTHERS,
  N_ENDS = sizeof ENDS / sizeof *ENDS
};

static sio_status off(int number, sio_listener listener)
{
  if (number < 5) {
    return sio_namespace_off(nsp, listener);
  }
  if (number < 10) {
    return sio_socket_off(server_socket, listener);
  }
  return number < 11 ? sio_manager_off(manager, listener) : sio_client_off(client, listener);
}

/* ---- how they end ----------------------------------------------------------------------------------------------- */

static void fails(register_fn *registers)
{
  struct registration *data = next();
  check_status(registers(true, data, NULL), SIO_ERR_INVALID_ARGUMENT);
  check(data->destroyed == 1 && !data->on_own_thread);
}

static void failures_destroy_at_once_on_the_callers_thread(void)
{
  int i;
  for (i = 0; i < N_LISTENERS; i++) {
    fails(LISTENERS[i]);
  }
  for (i = 0; i < N_OTHERS; i++) {
    fails(OTHERS[i]);
  }
  for (i = 0; i < N_ENDS; i++) {
    fails(ENDS[i]);
  }
  check_status(sio_log_set(99, on_log, next(), destroy), SIO_ERR_INVALID_ARGUMENT);
  check(counted(&destroyed) == used);
}

static void check_all_destroyed(int from, bool on_own_thread)
{
  check_reaches(&destroyed, used);
  for (; from < used; from++) {
    check(registrations[from].destroyed == 1);
    check(registrations[from].on_own_thread == on_own_thread);
  }
}

static void listeners_that_are_taken_out_are_destroyed_where_they_were_called(void)
{
  int i, from = used;
  for (i = 0; i < N_LISTENERS; i++) {
    sio_listener listener = 0;
    check_ok(LISTENERS[i](false, next(), &listener));
    check_ok(off(i, listener));
    check_status(off(i, listener), SIO_ERR_NOT_FOUND);
  }
  check_all_destroyed(from, true);
}

/* A listener that takes itself out while it runs. */
static struct {
  sio_listener listener;
  struct registration *data;
} itself;

static void on_event_takes_itself_out(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)event;
  begin(user_data);
  check(user_data == itself.data);
  check_ok(sio_socket_off(socket, itself.listener));
  check_status(sio_socket_off(socket, itself.listener), SIO_ERR_NOT_FOUND);
  end(user_data); /* destroy checks that this came before it */
}

static void a_listener_may_take_itself_out(void)
{
  int from = used;
  itself.data = next();
  check_ok(sio_socket_on(server_socket, X, on_event_takes_itself_out, itself.data, destroy, &itself.listener));
  check_ok(sio_client_emit(client, X, NULL));
  check_all_destroyed(from, true);
}

static void once_is_destroyed_after_its_call(void)
{
  int from = used;
  called = 0;
  check_ok(socket_once(false, next(), NULL));
  check_ok(client_once(false, next(), NULL));
  check_ok(sio_client_emit(client, X, NULL));
  check_ok(sio_socket_emit(server_socket, X, NULL));
  check_all_destroyed(from, true);
  check(counted(&called) == 2);
}

static void what_is_replaced_is_destroyed(void)
{
  int from = used;
  check_ok(server_on_request(false, next(), NULL));
  check_ok(server_on_request(false, next(), NULL));
  check_ok(sio_server_on_request(server, on_request, NULL, NULL));
  check_ok(client_on_auth(false, next(), NULL));
  check_ok(client_on_auth(false, next(), NULL));
  check_ok(sio_client_set_auth_json(client, SIO_STR("{}")));
  check_ok(sio_log_set(SIO_LOG_ERROR, on_log, next(), destroy));
  check_ok(sio_log_set(SIO_LOG_ERROR, on_log, next(), destroy));
  check_ok(sio_log_set(0, NULL, NULL, NULL));
  check_all_destroyed(from, true);

  /* Data of a socket is no callback's: it goes on whatever thread its place is taken. */
  from = used;
  check_ok(sio_socket_set_data(server_socket, next(), destroy));
  check_ok(sio_socket_set_data(server_socket, next(), destroy));
  check_ok(sio_socket_set_data(server_socket, NULL, NULL));
  check_all_destroyed(from, false);
}

/* Everything is registered once more, and stays until the end. */
static void what_is_left_is_destroyed_with_its_object(void)
{
  int i, from = used;
  for (i = 0; i < N_LISTENERS; i++) {
    check_ok(LISTENERS[i](false, next(), NULL));
  }
  for (i = 0; i < N_OTHERS; i++) {
    check_ok(OTHERS[i](false, next(), NULL));
  }
  check_ok(manager_close(false, next(), NULL));
  check_ok(sio_manager_close_wait(manager, PATIENCE_S * 1000));
  check_ok(server_close(false, next(), NULL));
  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  sio_socket_release(server_socket);
  sio_client_release(client);
  sio_manager_release(manager);
  sio_namespace_release(nsp);
  sio_server_release(server);
  check_all_destroyed(from, true);
}

static void on_first_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  server_socket = sio_socket_retain(socket);
  count(&connected);
}

int main(void)
{
  sio_listener first;
  main_thread = pthread_self();
  server = start_server(NULL);
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(nsp, on_first_connection, NULL, NULL, &first));
  manager = manager_for(server, NULL);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_namespace_off(nsp, first));

  failures_destroy_at_once_on_the_callers_thread();
  listeners_that_are_taken_out_are_destroyed_where_they_were_called();
  a_listener_may_take_itself_out();
  once_is_destroyed_after_its_call();
  what_is_replaced_is_destroyed();
  what_is_left_is_destroyed_with_its_object();
  check_ok(sio_runtime_shutdown_wait(sio_runtime_get_default(), PATIENCE_S * 1000));
  check(counted(&destroyed) == used);
  return 0;
}
