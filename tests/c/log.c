/* The log: lines by target, narrowed by a filter, and without secrets. */
#include "loopback.h"

static int lines, engine_lines, listening, joined, done, destroyed;
static int32_t deepest;

static bool contains(sio_str text, const char *part)
{
  char buffer[4096];
  snprintf(buffer, sizeof buffer, "%.*s", (int)text.len, text.ptr);
  return strstr(buffer, part) != NULL;
}

static void on_line(int32_t level, sio_str target, sio_str message, void *user_data)
{
  size_t i;
  check(user_data == &destroyed);
  check(level >= SIO_LOG_ERROR && level <= SIO_LOG_TRACE && message.len > 0);
  check(!contains(message, "s3cret"));
  for (i = 0; i < message.len; ++i) {
    check((unsigned char)message.ptr[i] >= ' ');
  }
  deepest = level > deepest ? level : deepest;
  if (is(target, "engine")) {
    count(&engine_lines);
  }
  if (contains(message, "listening on 127.0.0.1:")) {
    check(is(target, "server") && level == SIO_LOG_INFO);
    count(&listening);
  }
  if (contains(message, "has joined \"/\"")) {
    check(is(target, "socket") && level == SIO_LOG_DEBUG);
    count(&joined);
  }
  count(&lines);
}

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&done);
}

/* A server and a client with something to hide, from beginning to end. */
static void work(void)
{
  sio_server *server = start_server(NULL);
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  sio_client *client;
  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_options_set_auth_json(options, SIO_STR("{\"token\":\"s3cret\"}")));
  check_ok(sio_manager_new(NULL, sio_cstr(url_of(server, "/?token=s3cret")), options, &manager));
  sio_manager_options_free(options);
  done = 0;
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&done, 1);
  sio_client_release(client);
  end_manager(manager);
  end_server(server);
}

/* Logs while it works; what was written has been delivered when the handler is destroyed. */
static void work_with(const char *filter, int32_t max_level)
{
  lines = engine_lines = listening = joined = destroyed = 0;
  deepest = 0;
  check_ok(sio_log_set_filter(sio_cstr(filter)));
  check_ok(sio_log_set(max_level, on_line, &destroyed, destroy));
  work();
  check_ok(sio_log_set(SIO_LOG_ERROR, NULL, NULL, NULL));
  check_reaches(&destroyed, 1);
}

int main(void)
{
  work_with("", SIO_LOG_TRACE);
  check(engine_lines >= 2 && listening == 1 && joined == 1);
  check(lines > engine_lines + listening + joined);

  work_with("engine=debug", SIO_LOG_TRACE);
  check(engine_lines >= 2 && lines == engine_lines);

  work_with("info,engine=off", SIO_LOG_TRACE);
  check(engine_lines == 0 && listening == 1 && joined == 0 && deepest == SIO_LOG_INFO);

  /* The filter only narrows. */
  work_with("trace", SIO_LOG_WARN);
  check(lines == 0);
  work_with("off", SIO_LOG_TRACE);
  check(lines == 0);

  check_status(sio_log_set_filter(SIO_STR("engine=loud")), SIO_ERR_INVALID_ARGUMENT);
  check(contains(sio_last_error_message(), "loud"));
  check_status(sio_log_set_filter(SIO_STR("motor=debug")), SIO_ERR_INVALID_ARGUMENT);
  check(contains(sio_last_error_message(), "motor"));
  check_status(sio_log_set_filter(sio_cstr("\xff")), SIO_ERR_INVALID_UTF8);
  return 0;
}
