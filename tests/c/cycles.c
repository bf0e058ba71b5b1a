/* Ten thousand clients that come and go, on every way and with every end, leave nothing behind: as many descriptors are
 * open as before, and as much memory is resident. Every other one is cut off. */
#include "loopback.h"
#include "memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { CYCLES = 10000, WARM_UP = 2000, AT_ONCE = 40, PER_ROUND = 2 * AT_ONCE };

/* What the allocator may keep for itself after so many sizes at so many times, on every one of its arenas. */
enum { TOLERANCE_KIB = 2048 };

static int connected, answered, ended, opened;

static void on_connection(sio_socket *socket, void *user_data)
{
  (void)user_data;
  check_ok(sio_socket_set_data(socket, calloc(1, 100), free));
  check_ok(sio_socket_join(socket, SIO_STR("room")));
  count(&opened);
}

static void on_disconnect(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  (void)socket;
  (void)reason;
  (void)error;
  (void)user_data;
  count(&ended);
}

static void on_event(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)user_data;
  check_ok(sio_socket_emit(socket, SIO_STR("back"), sio_event_get_payload(event)));
  check_ok(sio_ack_send(sio_event_take_ack(event), NULL));
}

static void on_leave(sio_socket *socket, sio_event *event, void *user_data)
{
  (void)event;
  (void)user_data;
  check_ok(sio_socket_disconnect(socket, true));
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)client;
  (void)user_data;
  count(&connected);
}

static void on_answer(int32_t status, const sio_payload *response, void *user_data)
{
  (void)response;
  (void)user_data;
  check_status(status, SIO_OK);
  count(&answered);
}

/* A client that is cut off: it says as much of a handshake as it gets to, and resets the connection. */
static void be_cut_off(int port, int number)
{
  static const char handshake[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
                                  "\x81\x82\0\0\0\0" "40";
  struct linger linger = {1, 0};
  struct sockaddr_in address;
  size_t length = number % 3 ? sizeof handshake - 1 : (size_t)number % (sizeof handshake - 1);
  char answer[1024];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(fd >= 0);
  check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  check(send(fd, handshake, length, MSG_NOSIGNAL) == (ssize_t)length);
  if (length == sizeof handshake - 1 && number % 2) {
    check(recv(fd, answer, sizeof answer, 0) > 0);
  }
  check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
  check(close(fd) == 0);
}

static void cycle(sio_server *server, int port, const sio_payload *payload, int number)
{
  sio_manager *managers[AT_ONCE];
  sio_client *clients[AT_ONCE];
  int i, before = counted(&connected), answers = counted(&answered);
  for (i = 0; i < AT_ONCE; i++) {
    sio_manager_options *options = sio_manager_options_new();
    check_ok(sio_manager_options_set_reconnection(options, false));
    if (i % 4 < 2) {
      check_ok(sio_manager_options_set_transports(options, i % 4 ? SIO_TRANSPORT_WEBSOCKET : SIO_TRANSPORT_POLLING));
    }
    managers[i] = manager_for(server, options);
    clients[i] = sio_manager_socket(managers[i], SIO_STR("/"), NULL);
    check_ok(sio_client_on_connect(clients[i], on_connect, NULL, NULL, NULL));
    check_ok(sio_client_emit_with_ack(clients[i], SIO_STR("event"), payload, 0, on_answer, NULL, NULL));
    check_ok(sio_client_connect(clients[i]));
    be_cut_off(port, number + i);
  }
  check_reaches(&connected, before + AT_ONCE);
  check_reaches(&answered, answers + AT_ONCE);
  for (i = 0; i < AT_ONCE; i++) {
    if (i % 3 == 0) {
      check_ok(sio_client_emit(clients[i], SIO_STR("leave"), NULL));
    } else if (i % 3 == 1) {
      check_ok(sio_client_disconnect(clients[i]));
    }
    sio_client_release(clients[i]);
  }
  for (i = 0; i < AT_ONCE; i++) {
    end_manager(managers[i]);
  }
}

/* Until the server has forgotten all clients and told so, and no more than `files` descriptors are open: there is no event
 * for the end of a connection that never became a socket, nor for that of a TCP connection. */
static void settle(sio_server *server, int files)
{
  struct timespec moment = {0, 1000000};
  int patience = PATIENCE_S * 1000;
  while ((sio_server_clients_count(server) > 0 || counted(&ended) < counted(&opened) || open_files() > files) &&
         patience-- > 0) {
    nanosleep(&moment, NULL);
  }
  check(sio_server_clients_count(server) == 0);
  check(counted(&ended) == counted(&opened));
}

int main(void)
{
  sio_server *server = start_server(NULL);
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  sio_payload *payload = text_payload("as much as a chat line has, and a little more");
  const int port = atoi(strrchr(url_of(server, ""), ':') + 1);
  const int files = open_files();
  int n;
  long kib;
  check_ok(sio_namespace_on_connection(nsp, on_connection, NULL, NULL, NULL));
  check_ok(sio_namespace_on_disconnect(nsp, on_disconnect, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("event"), on_event, NULL, NULL, NULL));
  check_ok(sio_namespace_on(nsp, SIO_STR("leave"), on_leave, NULL, NULL, NULL));

  for (n = 0; n < scaled(WARM_UP); n += PER_ROUND) {
    cycle(server, port, payload, n);
  }
  settle(server, files);
  kib = resident_kib();
  for (n = 0; n < scaled(CYCLES); n += PER_ROUND) {
    cycle(server, port, payload, n);
  }
  settle(server, files);
  printf("%d descriptors and %ld KiB before, %d and %ld KiB after %d cycles\n", files, kib, open_files(), resident_kib(),
         scaled(CYCLES));
  check(open_files() == files);
  check(is_checked() || resident_kib() <= kib + TOLERANCE_KIB);

  sio_payload_release(payload);
  sio_namespace_release(nsp);
  end_server(server);
  return 0;
}
