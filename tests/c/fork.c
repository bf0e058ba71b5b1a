/* A child does not touch what it inherited: handles of the parent answer SIO_ERR_FORKED there, its data and its options can
 * be used, and new objects work, in children of children as well. The parent goes on in full traffic. */
#define _GNU_SOURCE
#include "loopback.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 4, CHILDREN = 12 };

static int connected, received, destroyed;
static sio_server *server;
static sio_namespace *nsp;
static sio_manager *managers[CLIENTS];
static sio_client *clients[CLIENTS];
static sio_runtime *runtime;
static sio_server_options *options;
static sio_payload *payload;
static sio_queue *queue;
static sio_next *undecided;
static sio_auth *question;
static int asked;

static void destroy(void *user_data)
{
  (void)user_data;
  count(&destroyed);
}

/* The next event goes out when the last has come back, so there is always one on its way. */
static void on_back(sio_client *client, sio_event *event, void *user_data)
{
  (void)event;
  (void)user_data;
  count(&received);
  sio_client_emit(client, SIO_STR("there"), payload);
}

static void on_there(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  sio_socket_emit(socket, SIO_STR("back"), sio_event_get_payload(event));
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)user_data;
  count(&connected);
  sio_client_emit(client, SIO_STR("there"), payload);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  check(status == SIO_OK && is(sio_payload_json(response), "[\"from the parent\"]"));
  count(user_data);
}

static void on_ask(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)user_data;
  check_ok(sio_ack_send(sio_event_take_ack(event), sio_event_get_payload(event)));
}

static void on_middleware(sio_socket *socket, sio_next *next, void *user_data)
{
  (void)socket;
  (void)user_data;
  undecided = next;
  count(&asked);
}

static void on_auth(sio_client *client, sio_auth *auth, void *user_data)
{
  (void)client;
  (void)user_data;
  question = auth;
  count(&asked);
}

static void log_line(int32_t level, sio_str target, sio_str message, void *user_data)
{
  (void)level;
  (void)target;
  (void)message;
  (void)user_data;
}

static void the_parents_objects_are_out_of_reach(void)
{
  sio_server *another = NULL;
  sio_server_options *with_queue = sio_server_options_new();
  sio_string *address = NULL;
  sio_delivery delivery;
  size_t n = 0;
  check_status(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, &destroyed, destroy), SIO_ERR_FORKED);
  check_status(sio_server_get_address(server, 0, &address), SIO_ERR_FORKED);
  check_status(sio_server_close_wait(server, 1000), SIO_ERR_FORKED);
  check_status(sio_namespace_emit(nsp, SIO_STR("a"), payload), SIO_ERR_FORKED);
  check(sio_namespace_broadcast(nsp) == NULL);
  check_status(sio_client_emit(clients[0], SIO_STR("a"), payload), SIO_ERR_FORKED);
  check_status(sio_client_disconnect(clients[1]), SIO_ERR_FORKED);
  check(!sio_client_connected(clients[0]));
  check_status(sio_manager_close_wait(managers[0], 1000), SIO_ERR_FORKED);
  check_status(sio_runtime_shutdown_wait(runtime, 1000), SIO_ERR_FORKED);
  check_status(sio_server_new(runtime, NULL, &another), SIO_ERR_FORKED);
  check_status(sio_queue_dispatch(queue, 0, NULL), SIO_ERR_FORKED);
  check_status(sio_queue_take(queue, &delivery, 1, &n), SIO_ERR_FORKED);
  check_status(sio_server_options_set_queue(with_queue, queue), SIO_ERR_FORKED);
  check(sio_queue_fd(queue) == -1);
  check(sio_server_retain(server) == NULL);
  check_status(sio_next_accept(undecided), SIO_ERR_FORKED);
  check_status(sio_next_reject(undecided, SIO_STR("no"), NULL), SIO_ERR_FORKED);
  check_status(sio_auth_send(question, SIO_STR("{}")), SIO_ERR_FORKED);
  sio_server_options_free(with_queue);

  /* Giving them back does nothing. */
  sio_next_drop(undecided);
  sio_auth_drop(question);
  sio_client_release(clients[0]);
  sio_manager_release(managers[0]);
  sio_namespace_release(nsp);
  sio_server_release(server);
  sio_queue_release(queue);
  sio_runtime_release(runtime);
}

static void new_objects_work(void)
{
  int answered = 0, joined = 0;
  sio_server *own = start_server(options);
  sio_namespace *own_nsp = sio_server_of(own, SIO_STR("/"));
  sio_manager *manager = manager_for(own, NULL);
  sio_client *client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  (void)joined;
  check_ok(sio_log_set(SIO_LOG_TRACE, log_line, NULL, NULL));
  check_ok(sio_namespace_on(own_nsp, SIO_STR("ask"), on_ask, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_ok(sio_client_emit_with_ack(client, SIO_STR("ask"), payload, 0, on_answer, &answered, NULL));
  check_reaches(&answered, 1);
  sio_client_release(client);
  end_manager(manager);
  sio_namespace_release(own_nsp);
  end_server(own);
}

static void wait_for_child(pid_t child)
{
  int status = -1;
  check(child > 0);
  check(waitpid(child, &status, 0) == child);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void in_full_traffic(void)
{
  int i, before, destroyed_before = counted(&destroyed);
  for (i = 0; i < CHILDREN; i++) {
    pid_t child = fork();
    if (child == 0) {
      /* The counters' lock may have been held by a thread that is not there any more. */
      pthread_mutex_init(&wait_lock, NULL);
      pthread_cond_init(&wait_changed, NULL);
      alarm(PATIENCE_S);
      destroyed = 0;
      the_parents_objects_are_out_of_reach();
      check(destroyed == 1); /* of the registration that failed */
      new_objects_work();
      if (i % 4 == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
          alarm(PATIENCE_S);
          the_parents_objects_are_out_of_reach();
          new_objects_work();
          _exit(0);
        }
        wait_for_child(grandchild);
      }
      if (i % 2) {
        _exit(0);
      }
      exit(0);
    }
    before = counted(&received);
    wait_for_child(child);
    check(reaches(&received, before + 100) || counted(&received) > before + 100);
  }
  check(counted(&destroyed) == destroyed_before);
}

/* ---- a fork in a callback ------------------------------------------------------------------------------------------ */

static pid_t forked = -1;
static int after;

static void fork_here(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  (void)user_data;
  forked = fork();
}

static void count_after(int32_t status, const sio_error *error, void *user_data)
{
  (void)status;
  (void)error;
  (void)user_data;
  after++;
}

static void in_a_callback(void)
{
  sio_server_options *with_queue = sio_server_options_new();
  sio_server *on_queue;
  int32_t status;
  check_ok(sio_server_options_set_queue(with_queue, queue));
  on_queue = start_server(with_queue);
  check_ok(sio_server_listen(on_queue, SIO_STR("127.0.0.1:0"), fork_here, NULL, destroy));
  check_ok(sio_server_listen(on_queue, SIO_STR("127.0.0.1:0"), count_after, NULL, destroy));
  destroyed = 0;
  status = sio_queue_dispatch(queue, 0, NULL);
  if (forked == 0) {
    alarm(PATIENCE_S);
    check_status(status, SIO_ERR_FORKED);
    check(after == 0 && destroyed == 0);
    sio_server_options_free(with_queue);
    new_objects_work();
    exit(0);
  }
  check_ok(status);
  check(after == 1 && destroyed == 2);
  wait_for_child(forked);
  sio_server_options_free(with_queue);
  end_server(on_queue);
}

/* ---- without the C library's knowledge ----------------------------------------------------------------------------- */

static void by_the_system_call(void)
{
#ifdef SYS_fork
  pid_t child = (pid_t)syscall(SYS_fork);
  if (child == 0) {
    sio_after_fork_child();
    sio_after_fork_child();
    check_status(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL), SIO_ERR_FORKED);
    _exit(0);
  }
  wait_for_child(child);
#endif
  sio_after_fork_child();
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
}

int main(void)
{
  sio_runtime_options *runtime_options = sio_runtime_options_new();
  sio_namespace *questioned;
  sio_client *waiting, *silent;
  int i;
  check_ok(sio_runtime_options_set_dispatch_threads(runtime_options, 2));
  check_ok(sio_runtime_new(runtime_options, &runtime));
  sio_runtime_options_free(runtime_options);
  check_ok(sio_log_set(SIO_LOG_TRACE, log_line, &destroyed, destroy));
  check_ok(sio_queue_new(runtime, NULL, NULL, NULL, &queue));
  options = sio_server_options_new();
  check_ok(sio_server_options_set_json(options, SIO_STR("{\"pingInterval\":5000}")));
  payload = text_payload("from the parent");
  check_ok(sio_server_new(runtime, options, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on(nsp, SIO_STR("there"), on_there, &destroyed, destroy, NULL));
  for (i = 0; i < CLIENTS; i++) {
    managers[i] = manager_for(server, NULL);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, destroy, NULL));
    check_ok(sio_client_on(clients[i], SIO_STR("back"), on_back, NULL, destroy, NULL));
    check_ok(sio_client_connect(clients[i]));
  }
  check_reaches(&connected, CLIENTS);

  questioned = sio_server_of(server, SIO_STR("/questioned"));
  check_ok(sio_namespace_use(questioned, on_middleware, NULL, destroy));
  waiting = sio_manager_socket(managers[0], SIO_STR("/questioned"), NULL);
  check_ok(sio_client_on_auth(waiting, on_auth, NULL, destroy));
  check_ok(sio_client_connect(waiting));
  check_reaches(&asked, 1);
  check_ok(sio_auth_send(question, SIO_STR("{}")));
  check_reaches(&asked, 2);
  silent = sio_manager_socket(managers[1], SIO_STR("/silent"), NULL);
  check_ok(sio_client_on_auth(silent, on_auth, NULL, destroy));
  check_ok(sio_client_connect(silent));
  check_reaches(&asked, 3);

  in_full_traffic();

  check_ok(sio_next_accept(undecided));
  sio_auth_drop(question);
  sio_namespace_release(questioned);
  sio_client_release(waiting);
  sio_client_release(silent);
  for (i = 0; i < CLIENTS; i++) {
    sio_client_release(clients[i]);
    end_manager(managers[i]);
  }
  in_a_callback();
  by_the_system_call();
  sio_namespace_release(nsp);
  end_server(server);
  sio_queue_release(queue);
  sio_server_options_free(options);
  sio_payload_release(payload);
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));
  sio_runtime_release(runtime);
  check_ok(sio_log_set(SIO_LOG_ERROR, NULL, NULL, NULL));
  return 0;
}
