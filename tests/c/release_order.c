/* Everything is closed and given back in orders drawn at random: by one thread, by several at once, and within callbacks.
 * Whatever the order, everything that was registered is destroyed exactly once, and nothing hangs.
 *
 * A failure tells the seed; RELEASE_ORDER_SEED=<seed> begins with it. */
#include "loopback.h"

enum handle { RUNTIME, SERVER, NAMESPACE, SOCKET, MANAGER, CLIENT, PAYLOAD, BROADCAST, EVENT, HANDLES };


enum { THREADS = 4, REGISTRATIONS = 9 };

struct set {
  sio_runtime *runtime;
  sio_server *server;
  sio_namespace *nsp;
  sio_socket *socket;
  sio_manager *manager;
  sio_client *client;
  sio_payload *payload;
  sio_broadcast *broadcast;
  sio_event *event;
  int joined, connected, kept;
  int destroyed[REGISTRATIONS];
  /* The order in which `end` takes the handles, and which it closes before. */
  enum handle order[HANDLES];
  bool closes[HANDLES];
  int ended;
};

static unsigned seed;

static unsigned draw(unsigned below)
{
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % below;
}

/* ---- the callbacks ------------------------------------------------------------------------------------------------- */

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_nothing(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)event;
  (void)user_data;
}

static void on_client_nothing(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)event;
  (void)user_data;
}

static void on_manager_nothing(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)attempt;
  (void)reason;
  (void)error;
  (void)user_data;
}

static void on_request_nothing(const sio_request *request, sio_reply *reply, void *user_data)
{
  (void)request;
  (void)user_data;
  sio_reply_drop(reply);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_status(status, SIO_ERR_CLOSED);
}

static void on_end(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  (void)user_data;
}

static void on_connection(sio_socket *socket, void *user_data)
{
  struct set *set = user_data;
  set->socket = sio_socket_retain(socket);
  count(&set->joined);
}

static void on_keep(sio_socket *socket, sio_event *event, void *user_data)
{
  struct set *set = user_data;
  (void)socket;
  set->event = sio_event_retain(event);
  count(&set->kept);
}

static void on_connect(sio_client *client, void *user_data)
{
  struct set *set = user_data;
  (void)client;
  count(&set->connected);
}

/* ---- beginning and end of a set ------------------------------------------------------------------------------------ */

static struct set *begin(void)
{
  struct set *set = calloc(1, sizeof *set);
  sio_runtime_options *runtime_options = sio_runtime_options_new();
  sio_manager_options *options = sio_manager_options_new();
  int *destroyed = set->destroyed;
  check_ok(sio_runtime_options_set_worker_threads(runtime_options, 1));
  check_ok(sio_runtime_options_set_dispatch_threads(runtime_options, 1 + draw(2)));
  check_ok(sio_runtime_new(runtime_options, &set->runtime));
  sio_runtime_options_free(runtime_options);
  check_ok(sio_server_new(set->runtime, NULL, &set->server));
  check_ok(sio_server_listen(set->server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  set->nsp = sio_server_of(set->server, SIO_STR("/"));
  check_ok(sio_namespace_on_connection(set->nsp, on_connection, set, NULL, NULL));
  check_ok(sio_namespace_on(set->nsp, SIO_STR("keep"), on_keep, set, NULL, NULL));
  check_ok(sio_namespace_on(set->nsp, SIO_STR("x"), on_nothing, &destroyed[0], destroy, NULL));
  check_ok(sio_namespace_on_disconnect(set->nsp, on_end, &destroyed[1], destroy, NULL));
  check_ok(sio_server_on_request(set->server, on_request_nothing, &destroyed[2], destroy));

  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_options_set_transports(options, 1 + draw(3)));
  check_ok(sio_manager_new(set->runtime, sio_cstr(url_of(set->server, "")), options, &set->manager));
  sio_manager_options_free(options);
  check_ok(sio_manager_on(set->manager, SIO_MANAGER_CLOSE, on_manager_nothing, &destroyed[3], destroy, NULL));
  set->client = sio_manager_socket(set->manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on(set->client, SIO_STR("x"), on_client_nothing, &destroyed[4], destroy, NULL));
  check_ok(sio_client_on_connect(set->client, on_connect, set, NULL, NULL));
  check_ok(sio_client_connect(set->client));
  check_reaches(&set->joined, 1);
  check_reaches(&set->connected, 1);

  set->payload = text_payload("x");
  check_ok(sio_client_emit(set->client, SIO_STR("keep"), set->payload));
  check_reaches(&set->kept, 1);
  set->broadcast = sio_socket_broadcast(set->socket);
  check_ok(sio_socket_on(set->socket, SIO_STR("x"), on_nothing, &destroyed[5], destroy, NULL));
  check_ok(sio_socket_set_data(set->socket, set, NULL));
  check_ok(sio_socket_set_data(set->socket, &destroyed[6], destroy));
  check_ok(sio_client_emit_with_ack(set->client, SIO_STR("never"), set->payload, 0, on_answer, &destroyed[7], destroy));
  check_ok(sio_socket_emit_with_ack(set->socket, SIO_STR("never"), set->payload, 0, on_answer, &destroyed[8], destroy));
  return set;
}

/* Draws the order in which the handles are taken. A manager lives on while it is connected, so it is always closed. */
static void draw_order(struct set *set)
{
  int i;
  for (i = 0; i < HANDLES; i++) {
    int j = (int)draw((unsigned)i + 1);
    set->order[i] = set->order[j];
    set->order[j] = (enum handle)i;
    set->closes[i] = i == MANAGER || draw(2);
  }
}

static void end_handle(struct set *set, enum handle handle)
{
  bool closes = set->closes[handle];
  switch (handle) {
  case RUNTIME:
    sio_runtime_release(set->runtime);
    break;
  case SERVER:
    check_ok(closes ? sio_server_close(set->server, NULL, NULL, NULL) : SIO_OK);
    sio_server_release(set->server);
    break;
  case NAMESPACE:
    check_ok(closes ? sio_namespace_emit(set->nsp, SIO_STR("x"), NULL) : SIO_OK);
    sio_namespace_release(set->nsp);
    break;
  case SOCKET:
    check_ok(closes ? sio_socket_disconnect(set->socket, set->closes[RUNTIME]) : SIO_OK);
    sio_socket_release(set->socket);
    break;
  case MANAGER:
    check_ok(sio_manager_close(set->manager, NULL, NULL, NULL));
    sio_manager_release(set->manager);
    break;
  case CLIENT:
    check_ok(closes ? sio_client_disconnect(set->client) : SIO_OK);
    sio_client_release(set->client);
    break;
  case PAYLOAD:
    sio_payload_release(set->payload);
    break;
  case BROADCAST:
    check_ok(closes ? sio_broadcast_disconnect_sockets(set->broadcast, true) : SIO_OK);
    sio_broadcast_free(set->broadcast);
    break;
  default:
    sio_event_release(set->event);
    break;
  }
}

static void finish(struct set *set, unsigned begun_with, const char *how)
{
  int i;
  for (i = 0; i < REGISTRATIONS; i++) {
    if (!reaches(&set->destroyed[i], 1)) {
      fprintf(stderr, "%s, seed %u: registration %d was destroyed %d times\n", how, begun_with, i,
              counted(&set->destroyed[i]));
      exit(1);
    }
  }
  free(set);
}

/* ---- by whom ------------------------------------------------------------------------------------------------------- */

static void end_on_this_thread(struct set *set)
{
  int i;
  for (i = 0; i < HANDLES; i++) {
    end_handle(set, set->order[i]);
  }
}

struct share {
  struct set *set;
  int first;
};

static void *end_share(void *argument)
{
  struct share *share = argument;
  int i;
  for (i = share->first; i < HANDLES; i += THREADS) {
    end_handle(share->set, share->set->order[i]);
  }
  return NULL;
}

static void end_on_threads_at_once(struct set *set)
{
  struct share shares[THREADS];
  pthread_t threads[THREADS];
  int i;
  for (i = 0; i < THREADS; i++) {
    shares[i].set = set;
    shares[i].first = i;
    check(pthread_create(&threads[i], NULL, end_share, &shares[i]) == 0);
  }
  for (i = 0; i < THREADS; i++) {
    check(pthread_join(threads[i], NULL) == 0);
  }
}

static void on_last_event(sio_socket *socket, sio_event *event, void *user_data)
{
  struct set *set = user_data;
  (void)socket;
  (void)event;
  end_on_this_thread(set);
  count(&set->ended);
}

static void on_last_client_event(sio_client *client, sio_event *event, void *user_data)
{
  struct set *set = user_data;
  (void)client;
  (void)event;
  end_on_this_thread(set);
  count(&set->ended);
}

/* In a callback of either side, whose very objects go meanwhile. */
static void end_in_a_callback(struct set *set)
{
  if (draw(2)) {
    check_ok(sio_namespace_on(set->nsp, SIO_STR("last"), on_last_event, set, NULL, NULL));
    check_ok(sio_client_emit(set->client, SIO_STR("last"), set->payload));
  } else {
    check_ok(sio_client_on(set->client, SIO_STR("last"), on_last_client_event, set, NULL, NULL));
    check_ok(sio_socket_emit(set->socket, SIO_STR("last"), set->payload));
  }
  check_reaches(&set->ended, 1);
}

static void repeat(int rounds, void end(struct set *set), const char *how)
{
  while (rounds-- > 0) {
    unsigned begun_with = seed;
    struct set *set = begin();
    draw_order(set);
    end(set);
    finish(set, begun_with, how);
  }
}

int main(void)
{
  const char *given = getenv("RELEASE_ORDER_SEED");
  seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261123u;
  repeat(scaled(100), end_on_this_thread, "on one thread");
  repeat(scaled(100), end_on_threads_at_once, "on threads at once");
  repeat(scaled(100), end_in_a_callback, "in a callback");
  return 0;
}
