/* Signals belong to the program: the library's threads take none of them (but SIGPROF, for profilers, and those that report
 * a fault), the library installs no handler, and a peer that goes away while it is written to does not end the program. */
#include "loopback.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const int OURS[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE, SIGWINCH, SIGTTOU};
static const int NOT_BLOCKED[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF};
enum { N_OURS = sizeof OURS / sizeof *OURS, N_NOT_BLOCKED = sizeof NOT_BLOCKED / sizeof *NOT_BLOCKED };

static pthread_t main_thread;
static volatile sig_atomic_t on_main, elsewhere;
static int connected, looked;
static bool traffic = true;

static void handle(int signal)
{
  (void)signal;
  if (pthread_equal(pthread_self(), main_thread)) {
    on_main++;
  } else {
    elsewhere++;
  }
}

/* ---- traffic: an event goes to and fro for ever -------------------------------------------------------------------- */

static bool goes_on(void)
{
  bool on;
  pthread_mutex_lock(&wait_lock);
  on = traffic;
  pthread_mutex_unlock(&wait_lock);
  return on;
}

static void on_ball(sio_socket *socket, sio_event *event, void *user_data)
{
  sigset_t blocked;
  int i;
  (void)event;
  (void)user_data;
  check(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
  for (i = 0; i < N_OURS; i++) {
    check(sigismember(&blocked, OURS[i]) == 1);
  }
  for (i = 0; i < N_NOT_BLOCKED; i++) {
    check(sigismember(&blocked, NOT_BLOCKED[i]) == 0);
  }
  sio_socket_emit(socket, SIO_STR("ball"), NULL);
  count(&looked);
}

static void on_ball_of_client(sio_client *client, sio_event *event, void *user_data)
{
  (void)event;
  (void)user_data;
  if (goes_on()) {
    sio_client_emit(client, SIO_STR("ball"), NULL);
  }
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)user_data;
  sio_client_emit(client, SIO_STR("ball"), NULL);
  count(&connected);
}

/* ---- the cases ----------------------------------------------------------------------------------------------------- */

/* Sent to the process, a signal goes to any thread that does not block it. */
static void signals_arrive_on_the_programs_thread(void)
{
  struct sigaction action;
  int i, round, sent = 0;
  memset(&action, 0, sizeof action);
  action.sa_handler = handle;
  for (i = 0; i < N_OURS; i++) {
    struct sigaction before;
    if (OURS[i] == SIGPIPE) {
      continue;
    }
    check(sigaction(OURS[i], &action, &before) == 0);
    check(before.sa_handler == SIG_DFL);
    for (round = 0; round < 20; round++) {
      check(kill(getpid(), OURS[i]) == 0);
      sent++;
      while (on_main + elsewhere < sent) {
        sched_yield();
      }
    }
  }
  check(elsewhere == 0);
  check(on_main == sent);
}

/* While the program blocks a signal too, it waits for the program, and nobody else takes it. */
static void signals_wait_for_a_program_that_blocks_them(void)
{
  struct timespec patience = {PATIENCE_S, 0};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  check(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
  on_main = elsewhere = 0;
  check(kill(getpid(), SIGTERM) == 0);
  check(sigtimedwait(&set, NULL, &patience) == SIGTERM);
  check(on_main == 0 && elsewhere == 0);
  check(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

#ifndef UNDER_VALGRIND
static sigset_t mask_in_proc(const char *task)
{
  char path[512], line[256];
  unsigned long long bits = 0;
  FILE *file;
  sigset_t set;
  int number;
  sigemptyset(&set);
  snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
  file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, "SigBlk:", 7) == 0) {
      bits = strtoull(line + 7, NULL, 16);
    }
  }
  if (file) {
    fclose(file);
  }
  for (number = 1; number < 32; number++) {
    if (bits >> (number - 1) & 1) {
      sigaddset(&set, number);
    }
  }
  return set;
}

/* I/O threads run no callback that could tell: the operating system says what they block. */
static void every_thread_of_the_library_blocks_them(void)
{
  DIR *tasks = opendir("/proc/self/task");
  struct dirent *entry;
  int found = 0, i;
  check(tasks != NULL);
  while ((entry = readdir(tasks)) != NULL) {
    char path[512], name[64] = "";
    FILE *file;
    sigset_t mask;
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (!file || !fgets(name, sizeof name, file) || strncmp(name, "sio-", 4) != 0) {
      if (file) {
        fclose(file);
      }
      continue;
    }
    fclose(file);
    found++;
    mask = mask_in_proc(entry->d_name);
    for (i = 0; i < N_OURS; i++) {
      check(sigismember(&mask, OURS[i]) == 1);
    }
    check(sigismember(&mask, SIGPROF) == 0);
  }
  closedir(tasks);
  check(found >= 2);
}
#endif

/* A client that asks for more than fits and resets the connection instead of reading. */
static void ask_and_reset(const char *url, const char *request)
{
  struct sockaddr_in address;
  struct linger reset = {1, 0};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
  check(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
  close(fd);
}

static void a_peer_that_goes_away_ends_nothing(const char *url)
{
  static const char WEBSOCKET[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                                  "\x81\x82\x01\x02\x03\x04\x35\x32"; /* "40", masked: joins "/" */
  static const char POLLING[] = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";
  int i;
  check(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  for (i = 0; i < scaled(50); i++) {
    ask_and_reset(url, i % 2 ? WEBSOCKET : POLLING);
  }
}

static void on_connection_send_much(sio_socket *socket, void *user_data)
{
  int i;
  for (i = 0; i < 10; i++) {
    sio_socket_emit(socket, SIO_STR("much"), user_data);
  }
}

int main(void)
{
  static char text[64 * 1024];
  static char url[128];
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_manager *manager;
  sio_client *client;
  sio_payload *much;
  main_thread = pthread_self();
  memset(text, 'x', sizeof text - 1);
  much = text_payload(text);
  snprintf(url, sizeof url, "%s", url_of(server, ""));
  check_ok(sio_namespace_on(nsp, SIO_STR("ball"), on_ball, NULL, NULL, NULL));
  check_ok(sio_namespace_on_connection(nsp, on_connection_send_much, much, NULL, NULL));
  manager = manager_for(server, NULL);
  client = sio_manager_socket(manager, SIO_STR("/"), NULL);
  check_ok(sio_client_on(client, SIO_STR("ball"), on_ball_of_client, NULL, NULL, NULL));
  check_ok(sio_client_on_connect(client, on_connect, NULL, NULL, NULL));
  check_ok(sio_client_connect(client));
  check_reaches(&connected, 1);

  signals_arrive_on_the_programs_thread();
  signals_wait_for_a_program_that_blocks_them();
#ifndef UNDER_VALGRIND /* it keeps the masks itself, and /proc does not know them */
  every_thread_of_the_library_blocks_them();
#endif
  a_peer_that_goes_away_ends_nothing(url);
  {
    int before = counted(&looked);
    while (counted(&looked) < before + 10) {
      sched_yield(); /* the ball still goes to and fro */
    }
  }

  pthread_mutex_lock(&wait_lock);
  traffic = false;
  pthread_mutex_unlock(&wait_lock);
  sio_client_release(client);
  end_manager(manager);
  sio_namespace_release(nsp);
  end_server(server);
  sio_payload_release(much);
  return 0;
}
