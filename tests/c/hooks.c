/* Hooks of a runtime's threads: each thread begins and ends with them, and what they work on is destroyed behind the last. */
#define _GNU_SOURCE
#include "loopback.h"

#include <signal.h>

#define PREFIX "hooked"

static int started, stopped, called, destroyed;
static __thread bool hooked;

static void name_of_this_thread(char *name, size_t size)
{
  check(pthread_getname_np(pthread_self(), name, size) == 0);
}

static void on_start(void *user_data)
{
  char name[32];
  sigset_t blocked;
  check(user_data == &destroyed);
  check(!hooked);
  hooked = true;

  name_of_this_thread(name, sizeof name);
  check(strncmp(name, PREFIX, strlen(PREFIX)) == 0);
  check(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
  check(sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGUSR1));
  check(sigismember(&blocked, SIGPIPE) && sigismember(&blocked, SIGALRM));
  check(!sigismember(&blocked, SIGSEGV) && !sigismember(&blocked, SIGABRT));
  count(&started);
}

static void on_stop(void *user_data)
{
  check(user_data == &destroyed);
  check(hooked);
  hooked = false;
  check(counted(&destroyed) == 0);
  count(&stopped);
}

static void destroy(void *user_data)
{
  check(counted(&started) == counted(&stopped));
  count(user_data);
}

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  check(status == SIO_OK && error == NULL);
  check(hooked);
  (void)user_data;
  count(&called);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  check(hooked);
  count(&called);
}

static void reset(void)
{
  started = stopped = called = destroyed = 0;
}

static sio_runtime *start_runtime(const sio_runtime_options *options)
{
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_new(options, &runtime));
  return runtime;
}

/* A server and a client that reaches it by its name: a helper thread looks that up. */
static void connect_once(sio_runtime *runtime)
{
  sio_server *server = NULL;
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  sio_client *client;
  sio_string *address = NULL;
  char url[64];
  unsigned port = 0;
  check_ok(sio_server_new(runtime, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), on_done, NULL, NULL));
  check_reaches(&called, 1);
  check_ok(sio_server_get_address(server, 0, &address));
  snprintf(url, sizeof url, "%.*s", (int)sio_string_get(address).len, sio_string_get(address).ptr);
  sio_string_free(address);
  check(sscanf(url, "127.0.0.1:%u", &port) == 1);
  snprintf(url, sizeof url, "http://localhost:%u", port);

  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_new(runtime, sio_cstr(url), options, &manager));
  sio_manager_options_free(options);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&called, 2);
  sio_client_release(client);
  end_manager(manager);
  end_server(server);
}

static void each_thread_begins_and_ends_with_the_hooks(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *one, *two;
  reset();
  check_ok(sio_runtime_options_set_worker_threads(options, 2));
  check_ok(sio_runtime_options_set_dispatch_threads(options, 3));
  check_ok(sio_runtime_options_set_thread_name_prefix(options, SIO_STR(PREFIX)));
  check_ok(sio_runtime_options_set_thread_hooks(options, on_start, on_stop, &destroyed, destroy));
  one = start_runtime(options);
  connect_once(one);
  check(counted(&started) >= 2 + 3 + 1);
  check(counted(&destroyed) == 0);

  /* The hooks are those of every runtime of these options, and outlive each of them. */
  two = start_runtime(options);
  check_ok(sio_runtime_shutdown_wait(one, PATIENCE_S * 1000));
  sio_runtime_release(one);
  sio_runtime_options_free(options);
  check(counted(&destroyed) == 0);
  sio_runtime_release(two);
  check_reaches(&destroyed, 1);
  check(counted(&started) == counted(&stopped));
  check(counted(&started) >= 2 * (2 + 3) + 1);
  check(!hooked);
}

static void either_hook_may_be_missing(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime;
  reset();
  check_ok(sio_runtime_options_set_thread_name_prefix(options, SIO_STR(PREFIX)));
  check_ok(sio_runtime_options_set_worker_threads(options, 1));
  check_ok(sio_runtime_options_set_thread_hooks(options, on_start, NULL, &destroyed, NULL));
  runtime = start_runtime(options);
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));
  sio_runtime_release(runtime);
  check_reaches(&started, 2);
  check(counted(&stopped) == 0);

  /* Others take the place of those set before; no function at all wants no data. */
  reset();
  check_ok(sio_runtime_options_set_thread_hooks(options, NULL, on_stop, &destroyed, destroy));
  check(counted(&destroyed) == 0);
  check_ok(sio_runtime_options_set_thread_hooks(options, NULL, NULL, &destroyed, destroy));
  check(counted(&destroyed) == 2);
  sio_runtime_options_free(options);
  check(counted(&destroyed) == 2);
  check_status(sio_runtime_options_set_thread_hooks(NULL, on_start, on_stop, &destroyed, destroy),
               SIO_ERR_INVALID_ARGUMENT);
  check(counted(&destroyed) == 3);
}

static void check_cut_name(void *user_data)
{
  char name[32];
  (void)user_data;
  name_of_this_thread(name, sizeof name);
  check(strcmp(name, "abcdefghijklmno") == 0);
  count(&started);
}

static void names_are_cut_and_numbers_are_bounded(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  sio_str with_nul = SIO_STR("a\0b");
  reset();
  check_status(sio_runtime_options_set_worker_threads(options, 1025), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_runtime_options_set_dispatch_threads(options, UINT32_MAX), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_runtime_options_set_thread_name_prefix(options, with_nul), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_runtime_options_set_thread_name_prefix(options, sio_cstr("\xff")), SIO_ERR_INVALID_UTF8);
  check_ok(sio_runtime_options_set_worker_threads(options, 1));
  check_ok(sio_runtime_options_set_thread_name_prefix(options, SIO_STR("abcdefghijklmnopqrst")));
  check_ok(sio_runtime_options_set_thread_hooks(options, check_cut_name, NULL, NULL, NULL));
  runtime = start_runtime(options);
  check_reaches(&started, 2);
  sio_runtime_options_free(options);
  sio_runtime_release(runtime);
}

int main(void)
{
  each_thread_begins_and_ends_with_the_hooks();
  either_hook_may_be_missing();
  names_are_cut_and_numbers_are_bounded();
  return 0;
}
