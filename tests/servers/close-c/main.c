/*
 * How long a server takes to close with many clients, for the benchmark report.
 *
 *   close-c CLIENTS websocket|polling
 *
 * The clients are another process. Each has a socket whose end is told to a handler; sio_server_close_wait returns when the
 * last of them has returned. Prints the milliseconds of that call, and how much of the processors it took in this process:
 * the clients, who notice, want them as well.
 */
#include <socketio.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 120000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long connected;

/* Run by one dispatch thread, and read after the server has closed. */
static long ended;

static void count_connected(void)
{
  pthread_mutex_lock(&lock);
  connected++;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

static void wait_for_connected(long clients)
{
  pthread_mutex_lock(&lock);
  while (connected < clients) {
    pthread_cond_wait(&changed, &lock);
  }
  pthread_mutex_unlock(&lock);
}

static void need(int32_t status, const char *what)
{
  if (status != SIO_OK) {
    sio_str message = sio_last_error_message();
    fprintf(stderr, "%s: %s: %.*s\n", what, sio_status_name(status), (int)message.len, message.ptr);
    exit(1);
  }
}

static void raise_limit(void)
{
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)socket;
  (void)user_data;
  count_connected();
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  (void)user_data;
  ended++;
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count_connected();
}

/* Connects, then waits to be killed. */
static void be_clients(const char *url, long clients, const char *transport)
{
  /* So many at once: a listener's backlog is no longer. */
  enum { AT_ONCE = 100 };
  char json[128];
  long i;
  snprintf(json, sizeof json, "{\"transports\":[\"%s\"],\"reconnection\":false,\"timeout\":60000}", transport);
  for (i = 0; i < clients; i++) {
    sio_manager_options *options = sio_manager_options_new();
    sio_manager *manager;
    sio_client *client;
    need(sio_manager_options_set_json(options, sio_cstr(json)), "options");
    need(sio_manager_options_set_auto_connect(options, false), "options");
    need(sio_manager_new(NULL, sio_cstr(url), options, &manager), "manager");
    client = sio_manager_socket(manager, SIO_STR("/"), NULL);
    need(sio_client_on_connect(client, on_connect, NULL, NULL, NULL), "listener");
    need(sio_client_connect(client), "connect");
    sio_manager_options_free(options);
    if (i % AT_ONCE == AT_ONCE - 1) {
      wait_for_connected(i + 1);
    }
  }
  pause();
}

static double ms(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
  long clients = argc == 3 ? atol(argv[1]) : 0;
  sio_server *server = NULL;
  sio_namespace *nsp;
  sio_string *address = NULL;
  char url[128];
  int ends[2];
  pid_t child;
  double begun, took, cpu;
  if (clients <= 0 || (strcmp(argv[2], "websocket") != 0 && strcmp(argv[2], "polling") != 0)) {
    fprintf(stderr, "usage: %s CLIENTS websocket|polling\n", argv[0]);
    return 2;
  }
  raise_limit();
  if (pipe(ends) != 0 || (child = fork()) < 0) {
    perror("fork");
    return 1;
  }
  if (child == 0) {
    if (read(ends[0], url, sizeof url) > 0) {
      be_clients(url, clients, argv[2]);
    }
    return 1;
  }
  need(sio_server_new(NULL, NULL, &server), "server");
  nsp = sio_server_of(server, SIO_STR("/"));
  need(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL), "listener");
  need(sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL), "listener");
  need(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL), "listen");
  need(sio_server_get_address(server, 0, &address), "address");
  snprintf(url, sizeof url, "http://%.*s", (int)sio_string_get(address).len, sio_string_get(address).ptr);
  sio_string_free(address);
  if (write(ends[1], url, strlen(url) + 1) < 0) {
    perror("write");
    return 1;
  }
  wait_for_connected(clients);

  begun = ms(CLOCK_MONOTONIC);
  cpu = ms(CLOCK_PROCESS_CPUTIME_ID);
  need(sio_server_close_wait(server, PATIENCE_MS), "close");
  took = ms(CLOCK_MONOTONIC) - begun;
  cpu = ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%ld clients on %s: closed in %.0f ms, with %.0f ms of processor time; %ld ends told\n", clients, argv[2], took, cpu,
         ended);
  sio_namespace_release(nsp);
  sio_server_release(server);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return ended == clients ? 0 : 1;
}
