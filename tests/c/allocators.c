/* What the library hands over has exactly one function that takes it back. Every other one refuses it, says so, and
 * leaves it as it was. */
#include "loopback.h"

static int connected, called, asked;
static sio_socket *socket_;
static sio_event *event_;
static sio_ack *ack_;
static sio_next *next_;
static sio_auth *auth_;

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
  ack_ = sio_event_take_ack(event);
  count(&called);
}

static void on_middleware(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)socket;
  (void)user_data;
  next_ = next;
  count(&asked);
}

static void on_auth(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  (void)user_data;
  auth_ = auth;
  count(&asked);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)status;
  (void)response;
  (void)user_data;
}

/* One type: its name, an object of it, and the function that takes it back, to be called with any pointer. */
struct owned {
  const char *name;
  void *object;
  void (*take_back)(void *object);
};

#define TAKES_BACK(type, function) \
  static void take_back_##type(void *object) \
  { \
    function((sio_##type *)object); \
  }

TAKES_BACK(ack, sio_ack_drop)
TAKES_BACK(auth, sio_auth_drop)
TAKES_BACK(broadcast, sio_broadcast_free)
TAKES_BACK(client, sio_client_release)
TAKES_BACK(client_options, sio_client_options_free)
TAKES_BACK(event, sio_event_release)
TAKES_BACK(manager, sio_manager_release)
TAKES_BACK(manager_options, sio_manager_options_free)
TAKES_BACK(namespace, sio_namespace_release)
TAKES_BACK(next, sio_next_drop)
TAKES_BACK(payload, sio_payload_release)
TAKES_BACK(queue, sio_queue_release)
TAKES_BACK(runtime, sio_runtime_release)
TAKES_BACK(runtime_options, sio_runtime_options_free)
TAKES_BACK(server, sio_server_release)
TAKES_BACK(server_options, sio_server_options_free)
TAKES_BACK(socket, sio_socket_release)
TAKES_BACK(string, sio_string_free)
TAKES_BACK(value, sio_value_free)

#define OWNED(type, object) {#type, object, take_back_##type}

static sio_string *a_string(sio_server *server)
{
  sio_string *string = NULL;
  check_ok(sio_server_get_address(server, 0, &string));
  return string;
}

static sio_runtime *a_runtime(void)
{
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_new(NULL, &runtime));
  return runtime;
}

static sio_queue *a_queue(void)
{
  sio_queue *queue = NULL;
  check_ok(sio_queue_new(NULL, NULL, NULL, NULL, &queue));
  return queue;
}

/* Leaves another message behind than a refusal would. */
static void forget_last_error(void)
{
  check_status(sio_server_close(NULL, NULL, NULL, NULL), SIO_ERR_INVALID_ARGUMENT);
  check(is(sio_last_error_message(), "a handle is NULL"));
}

static void only_its_own_function_takes_an_object_back(struct owned *all, size_t n)
{
  size_t i, j;
  for (i = 0; i < n; i++) {
    check(all[i].object != NULL);
    for (j = 0; j < n; j++) {
      if (i != j) {
        forget_last_error();
        all[j].take_back(all[i].object);
        if (!is(sio_last_error_message(), "a handle is of another type or was released")) {
          fprintf(stderr, "the function for a %s took a %s\n", all[j].name, all[i].name);
          exit(1);
        }
      }
    }
  }
}

/* A pointer into the middle of something, and one to memory of the program. */
static void nothing_else_is_taken_back(struct owned *all, size_t n)
{
  uint64_t memory[8] = {0};
  size_t i;
  for (i = 0; i < n; i++) {
    forget_last_error();
    all[i].take_back((char *)all[i].object + 1);
    check(!is(sio_last_error_message(), "a handle is NULL"));
    forget_last_error();
    all[i].take_back(memory);
    check(!is(sio_last_error_message(), "a handle is NULL"));
  }
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager = manager_for(server, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL), *waiting, *silent;
  sio_namespace *questioned;
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("event"), on_event, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);
  check_ok(sio_client_emit_with_ack(client, SIO_STR("event"), NULL, 0, on_answer, NULL, NULL));
  check_reaches(&called, 1);

  /* Two more clients: about one the server has to decide, and one has to say why it should be let in. */
  questioned = sio_server_of(server, SIO_STR("/questioned"));
  check_ok(sio_namespace_use(questioned, on_middleware, NULL, NULL));
  waiting = sio_manager_socket(manager, SIO_STR("/questioned"), NULL);
  check_ok(sio_client_connect(waiting));
  check_reaches(&asked, 1);
  silent = sio_manager_socket(manager, SIO_STR("/silent"), NULL);
  check_ok(sio_client_on_auth(silent, on_auth, NULL, NULL));
  check_ok(sio_client_connect(silent));
  check_reaches(&asked, 2);
  {
    struct owned all[] = {
      OWNED(ack, ack_),
      OWNED(next, next_),
      OWNED(auth, auth_),
      OWNED(broadcast, sio_namespace_broadcast(nsp)),
      OWNED(client_options, sio_client_options_new()),
      OWNED(event, event_),
      OWNED(manager_options, sio_manager_options_new()),
      OWNED(payload, text_payload("x")),
      OWNED(queue, a_queue()),
      OWNED(runtime, a_runtime()),
      OWNED(runtime_options, sio_runtime_options_new()),
      OWNED(server_options, sio_server_options_new()),
      OWNED(string, a_string(server)),
      OWNED(value, sio_value_new_object()),
      OWNED(socket, sio_socket_retain(socket_)),
      OWNED(client, sio_client_retain(client)),
      OWNED(manager, sio_manager_retain(manager)),
      OWNED(namespace, sio_namespace_retain(nsp)),
      OWNED(server, sio_server_retain(server)),
    };
    size_t i, n = sizeof all / sizeof *all;
    only_its_own_function_takes_an_object_back(all, n);
    nothing_else_is_taken_back(all, n);
    for (i = 0; i < n; i++) {
      forget_last_error();
      all[i].take_back(all[i].object);
      check(is(sio_last_error_message(), "a handle is NULL")); /* nothing was said */
    }
  }
  sio_socket_release(socket_);
  sio_namespace_release(questioned);
  sio_client_release(waiting);
  sio_client_release(silent);
  sio_client_release(client);
  end_manager(manager);
  sio_namespace_release(nsp);
  end_server(server);
  return 0;
}
