/* Requests outside the Socket.IO path: answered by the program, at once or later, or by 404. */
#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int destroyed, asked;
static sio_reply *kept;

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_request(const sio_request *request, sio_reply *reply, void *user_data)
{
  sio_str path = sio_request_path(request);
  sio_header headers[2] = {{SIO_STR("content-type"), SIO_STR("text/plain")}, {SIO_STR("x-test"), SIO_STR("yes")}};
  sio_header bad = {SIO_STR("bad\nname"), SIO_STR("x")};
  (void)user_data;
  check(is(sio_request_header(request, SIO_STR("HOST")), "test"));
  check(is(sio_request_address(request), "127.0.0.1"));
  if (is(path, "/echo")) {
    check(is(sio_request_method(request), "POST"));
    check(is(sio_request_target(request), "/echo?a=b"));
    check_ok(sio_reply_send(reply, 201, headers, 2, sio_request_body(request)));
  } else if (is(path, "/later")) {
    kept = reply;
    count(&asked);
  } else if (is(path, "/bad")) {
    check_status(sio_reply_send(reply, 200, &bad, 1, bytes_of(NULL, 0)), SIO_ERR_INVALID_ARGUMENT);
  } else if (is(path, "/number")) {
    check_status(sio_reply_send(reply, 70000, NULL, 0, bytes_of(NULL, 0)), SIO_ERR_INVALID_ARGUMENT);
  } else {
    sio_reply_drop(reply);
  }
}

static int connect_to(sio_server *server)
{
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(strrchr(url_of(server, ""), ':') + 1));
  check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

static void send_request(int fd, const char *method, const char *target, const char *body)
{
  char request[512];
  int length = snprintf(request, sizeof request,
                        "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method,
                        target, strlen(body), body);
  check(write(fd, request, (size_t)length) == length);
}

/* The whole answer; it lives until the next. */
static const char *read_answer(int fd)
{
  static char answer[4096];
  size_t length = 0;
  ssize_t n;
  while ((n = read(fd, answer + length, sizeof answer - 1 - length)) > 0) {
    length += (size_t)n;
  }
  answer[length] = 0;
  close(fd);
  return answer;
}

static const char *ask(sio_server *server, const char *method, const char *target, const char *body)
{
  int fd = connect_to(server);
  send_request(fd, method, target, body);
  return read_answer(fd);
}

int main(void)
{
  sio_server *server = start_server(NULL);
  const char *answer;
  int fd;

  check(strncmp(ask(server, "GET", "/", ""), "HTTP/1.1 404 ", 13) == 0);
  check_ok(sio_server_on_request(server, on_request, &destroyed, destroy));

  answer = ask(server, "POST", "/echo?a=b", "the body");
  check(strncmp(answer, "HTTP/1.1 201 ", 13) == 0);
  check(strstr(answer, "content-type: text/plain\r\n") && strstr(answer, "x-test: yes\r\n"));
  check(strcmp(answer + strlen(answer) - 8, "the body") == 0);
  check(strncmp(ask(server, "GET", "/dropped", ""), "HTTP/1.1 500 ", 13) == 0);
  check(strncmp(ask(server, "GET", "/bad", ""), "HTTP/1.1 500 ", 13) == 0);
  check(strncmp(ask(server, "GET", "/number", ""), "HTTP/1.1 500 ", 13) == 0);

  fd = connect_to(server);
  send_request(fd, "GET", "/later", "");
  check_reaches(&asked, 1);
  check_ok(sio_reply_send(kept, 204, NULL, 0, bytes_of(NULL, 0)));
  check(strncmp(read_answer(fd), "HTTP/1.1 204 ", 13) == 0);

  /* Another callback takes the place of the first. */
  check_ok(sio_server_on_request(server, on_request, &destroyed, destroy));
  check_reaches(&destroyed, 1);
  end_server(server);
  check_reaches(&destroyed, 2);
  return 0;
}
