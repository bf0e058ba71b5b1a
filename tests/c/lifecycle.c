/* Who lives how long: destroy runs exactly once, close is not release, and nobody waits for himself. */
#include "loopback.h"

static int destroyed;
static int called;

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)socket;
  (void)event;
  (void)user_data;
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)socket;
  (void)user_data;
}

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  check(status == SIO_OK && error == NULL);
  check(counted(&destroyed) == 0);
  (void)user_data;
  count(&called);
}

static void a_registration_that_fails_destroys_at_once(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_listener listener = 0;
  destroyed = 0;

  check_status(sio_namespace_on(nsp, SIO_STR("a"), NULL, &destroyed, destroy, &listener), SIO_ERR_INVALID_ARGUMENT);
  check(destroyed == 1);
  check_status(sio_namespace_on(NULL, SIO_STR("a"), on_event, &destroyed, destroy, &listener),
               SIO_ERR_INVALID_ARGUMENT);
  check(destroyed == 2);
  check_status(sio_namespace_on(nsp, sio_cstr("\xff"), on_event, &destroyed, destroy, &listener),
               SIO_ERR_INVALID_UTF8);
  check(destroyed == 3);
  check_status(sio_namespace_on(nsp, SIO_STR("connect"), on_event, &destroyed, destroy, &listener),
               SIO_ERR_INVALID_ARGUMENT);
  check(destroyed == 4);
  check_status(sio_server_listen(server, SIO_STR("nowhere"), on_done, &destroyed, destroy),
               SIO_ERR_INVALID_ARGUMENT);
  check(destroyed == 5);
  check_status(sio_log_set(99, NULL, &destroyed, destroy), SIO_OK);
  check(destroyed == 6);
  check(listener == 0);

  sio_namespace_release(nsp);
  end_server(server);
  check(counted(&destroyed) == 6);
}

static void a_listener_that_is_taken_out_is_destroyed_once(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_listener listener = 0, another = 0;
  destroyed = 0;

  check_ok(sio_namespace_on(nsp, SIO_STR("a"), on_event, &destroyed, destroy, &listener));
  check_ok(sio_namespace_on_connection(nsp, on_connection, &destroyed, destroy, &another));
  check(listener != 0 && another != 0 && listener != another);
  check_ok(sio_namespace_off(nsp, listener));
  check_reaches(&destroyed, 1);
  check_status(sio_namespace_off(nsp, listener), SIO_ERR_NOT_FOUND);
  check_status(sio_namespace_off(nsp, 0), SIO_ERR_NOT_FOUND);

  /* The others go with their server. */
  sio_namespace_release(nsp);
  end_server(server);
  check_reaches(&destroyed, 2);
}

static void an_end_report_comes_once_and_is_destroyed_after_it(void)
{
  sio_server *server = NULL;
  destroyed = called = 0;
  check_ok(sio_server_new(NULL, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), on_done, &destroyed, destroy));
  check_reaches(&called, 1);
  check_reaches(&destroyed, 1);
  destroyed = 0;
  check_ok(sio_server_close(server, on_done, &destroyed, destroy));
  check_reaches(&called, 2);
  check_reaches(&destroyed, 1);

  /* Closed again, it is told again. */
  destroyed = 0;
  check_ok(sio_server_close(server, on_done, &destroyed, destroy));
  check_reaches(&called, 3);
  check_reaches(&destroyed, 1);
  sio_server_release(server);
}

static void a_closed_server_answers_until_it_is_released(void)
{
  sio_server *server = start_server(NULL);
  sio_server *kept = sio_server_retain(server);
  sio_namespace *nsp;
  check(kept == server);
  end_server(server);

  check_status(sio_server_listen(kept, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL), SIO_ERR_CLOSED);
  check(sio_server_clients_count(kept) == 0);
  nsp = sio_server_of(kept, SIO_STR("/"));
  check_ok(sio_namespace_emit(nsp, SIO_STR("a"), NULL));
  sio_server_release(kept);
  check(is(sio_namespace_name(nsp), "/"));
  sio_namespace_release(nsp);
}

static void wait_here(int32_t status, const sio_error *error, void *user_data)
{
  sio_server *server = user_data;
  (void)status;
  (void)error;
  check_status(sio_server_close_wait(server, 1000), SIO_ERR_WOULD_DEADLOCK);
  check_status(sio_runtime_shutdown_wait(sio_runtime_get_default(), 1000), SIO_ERR_WOULD_DEADLOCK);
  count(&called);
}

static void a_callback_may_not_wait_for_callbacks(void)
{
  sio_server *server = NULL;
  called = 0;
  check_ok(sio_server_new(NULL, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), wait_here, server, NULL));
  check_reaches(&called, 1);
  end_server(server);
}

static void an_address_in_use_is_a_status(void)
{
  sio_server *first = start_server(NULL);
  sio_server *second = NULL;
  sio_string *address = NULL;
  destroyed = called = 0;
  check_ok(sio_server_get_address(first, 0, &address));
  check_ok(sio_server_new(NULL, NULL, &second));
  check_status(sio_server_listen(second, sio_string_get(address), on_done, &destroyed, destroy),
               SIO_ERR_ADDRESS_IN_USE);
  check(destroyed == 1 && called == 0);
  check_status(sio_server_get_address(second, 0, &address), SIO_ERR_NOT_FOUND);
  sio_string_free(address);
  sio_server_release(second);
  end_server(first);
}

static void a_runtime_of_its_own_ends(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  sio_server *server = NULL;
  check_ok(sio_runtime_options_set_worker_threads(options, 1));
  check_ok(sio_runtime_options_set_dispatch_threads(options, 2));
  check_ok(sio_runtime_options_set_thread_name_prefix(options, SIO_STR("mine")));
  check_ok(sio_runtime_new(options, &runtime));
  sio_runtime_options_free(options);
  check_ok(sio_server_new(runtime, NULL, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  check_ok(sio_runtime_shutdown_wait(runtime, PATIENCE_S * 1000));
  sio_server_release(server);
  sio_runtime_release(runtime);
}

static void on_log(int32_t level, sio_str target, sio_str message, void *user_data)
{
  check(level >= SIO_LOG_ERROR && level <= SIO_LOG_TRACE);
  check(target.len > 0 && message.len > 0);
  (void)user_data;
  count(&called);
}

static void log_lines_come_to_the_callback(void)
{
  sio_server_options *options = sio_server_options_new();
  destroyed = called = 0;
  check_ok(sio_log_set(SIO_LOG_TRACE, on_log, &destroyed, destroy));
  check_ok(sio_server_options_set_json(options, SIO_STR("{\"no such option\":1}")));
  check_reaches(&called, 1);
  check_ok(sio_log_set(0, NULL, NULL, NULL));
  check_reaches(&destroyed, 1);
  sio_server_options_free(options);
}

int main(void)
{
  a_registration_that_fails_destroys_at_once();
  a_listener_that_is_taken_out_is_destroyed_once();
  an_end_report_comes_once_and_is_destroyed_after_it();
  a_closed_server_answers_until_it_is_released();
  a_callback_may_not_wait_for_callbacks();
  an_address_in_use_is_a_status();
  a_runtime_of_its_own_ends();
  log_lines_come_to_the_callback();
  return 0;
}
