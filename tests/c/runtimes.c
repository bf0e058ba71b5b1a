/* Several runtimes at once: each has the threads that it was told to have, by their names, and ends them; what belongs to
 * one goes on when another ends. */
#include "loopback.h"
#include "process.h"

#include <sched.h>

static int connected, answered;

static sio_runtime *runtime_of(const char *prefix, uint32_t workers, uint32_t dispatchers)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_options_set_thread_name_prefix(options, sio_cstr(prefix)));
  check_ok(sio_runtime_options_set_worker_threads(options, workers));
  check_ok(sio_runtime_options_set_dispatch_threads(options, dispatchers));
  check_ok(sio_runtime_new(options, &runtime));
  sio_runtime_options_free(options);
  return runtime;
}

/* A thread's name appears when it runs, and is gone a little after its runtime. There is nothing else to wait for. */
static void wait_for_threads(const char *prefix, int number)
{
  while (threads_named(prefix) != number) {
    sched_yield();
  }
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
  (void)socket;
  (void)user_data;
  check_ok(sio_ack_send(ack, sio_event_get_payload(event)));
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_ok(status);
  count(&answered);
}

static void ask(sio_client *client)
{
  int before = counted(&answered);
  check_ok(sio_client_emit_with_ack(client, SIO_STR("echo"), NULL, 0, on_answer, NULL, NULL));
  check_reaches(&answered, before + 1);
}

int main(void)
{
  sio_runtime *serving = runtime_of("serve", 2, 3);
  sio_runtime *first = runtime_of("one", 1, 1);
  sio_runtime *second = runtime_of("two", 1, 2);
  sio_runtime *clients_runtimes[2];
  sio_server *server = NULL;
  sio_manager *managers[2] = {NULL, NULL};
  sio_client *clients[2];
  sio_namespace *nsp;
  int i;
  wait_for_threads("serve-io", 2);
  wait_for_threads("serve-dispatch-", 3);
  wait_for_threads("one-io", 1);
  wait_for_threads("one-dispatch-", 1);
  wait_for_threads("two-io", 1);
  wait_for_threads("two-dispatch-", 2);
  check(threads_named("sio-") == 0); /* nobody has asked for the default one */

  check_ok(sio_server_new(serving, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  nsp = sio_server_of(server, SIO_STR("/"));
  check_ok(sio_namespace_on(nsp, SIO_STR("echo"), on_event, NULL, NULL, NULL));
  sio_namespace_release(nsp);
  clients_runtimes[0] = first;
  clients_runtimes[1] = second;
  for (i = 0; i < 2; i++) {
    check_ok(sio_manager_new(clients_runtimes[i], sio_cstr(url_of(server, "")), NULL, &managers[i]));
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, NULL, NULL));
    ask(clients[i]);
  }

  sio_client_release(clients[0]);
  end_manager(managers[0]);
  check_ok(sio_runtime_shutdown_wait(first, PATIENCE_S * 1000));
  sio_runtime_release(first);
  wait_for_threads("one-", 0);
  ask(clients[1]);

  /* Servers and managers keep their runtime: its references can be given back before they end. */
  sio_runtime_release(second);
  ask(clients[1]);
  sio_client_release(clients[1]);
  end_manager(managers[1]);
  wait_for_threads("two-", 0);
  sio_runtime_release(serving);
  end_server(server);
  wait_for_threads("serve-", 0);
  check(threads_named("sio-") == 0);
  return 0;
}
