#include "server.h"

#include "must.h"

#include <string.h>

/* Who a socket is in the chat. */
struct member {
  char *room;
  char *name;
  struct member *next;
};

struct chat {
  struct member *members;
};

/* ---- members ---------------------------------------------------------------------------------------------------- */

static char *copy(sio_str text)
{
  char *copied = must_have(malloc(text.len + 1));
  memcpy(copied, text.len ? text.ptr : "", text.len);
  copied[text.len] = 0;
  return copied;
}

static void add_member(chat *chat, struct member *member, sio_str room, sio_str name)
{
  member->room = copy(room);
  member->name = copy(name);
  member->next = chat->members;
  chat->members = member;
}

static void remove_member(chat *chat, struct member *member)
{
  struct member **link = &chat->members;
  while (*link != member) {
    link = &(*link)->next;
  }
  *link = member->next;
  free(member->room);
  free(member->name);
  free(member);
}

static int64_t count_in(const chat *chat, const char *room)
{
  const struct member *member;
  int64_t count = 0;
  for (member = chat->members; member; member = member->next) {
    count += strcmp(member->room, room) == 0;
  }
  return count;
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

/* The payload is used up. */
static void answer(sio_event *event, sio_payload *payload)
{
  sio_ack *ack = sio_event_take_ack(event);
  if (ack) {
    sio_ack_send(ack, payload);
  }
  sio_payload_release(payload);
}

/* The payload is used up. */
static void tell_others(sio_socket *socket, const struct member *member, sio_str event, sio_payload *payload)
{
  sio_broadcast *others = sio_broadcast_to(sio_socket_broadcast(socket), sio_cstr(member->room));
  sio_broadcast_emit(others, event, payload);
  sio_broadcast_free(others);
  sio_payload_release(payload);
}

static sio_payload *text_payload(sio_str text)
{
  sio_payload *payload = sio_payload_new();
  sio_payload_push_text(payload, text);
  return payload;
}

static sio_payload *presence(const struct member *member, int64_t count)
{
  sio_payload *payload = text_payload(sio_cstr(member->name));
  sio_payload_push_int(payload, count);
  return payload;
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static const sio_value *argument(sio_event *event, size_t i)
{
  return sio_payload_get_value(sio_event_get_payload(event), i);
}

static void on_join(sio_socket *socket, sio_event *event, void *user_data)
{
  struct member *member = sio_socket_data(socket);
  sio_payload *count = sio_payload_new();
  if (!member) {
    member = must_have(malloc(sizeof *member));
    add_member(user_data, member, sio_value_as_text(argument(event, 0)), sio_value_as_text(argument(event, 1)));
    sio_socket_set_data(socket, member, NULL);
    sio_socket_join(socket, sio_cstr(member->room));
    tell_others(socket, member, SIO_STR("joined"), presence(member, count_in(user_data, member->room)));
  }
  sio_payload_push_int(count, count_in(user_data, member->room));
  answer(event, count);
}

static void on_message(sio_socket *socket, sio_event *event, void *user_data)
{
  struct member *member = sio_socket_data(socket);
  (void)user_data;
  if (member) {
    sio_payload *message = text_payload(sio_cstr(member->name));
    sio_payload_push_text(message, sio_value_as_text(argument(event, 0)));
    tell_others(socket, member, SIO_STR("message"), message);
    answer(event, text_payload(SIO_STR("sent")));
  }
}

static void on_picture(sio_socket *socket, sio_event *event, void *user_data)
{
  struct member *member = sio_socket_data(socket);
  (void)user_data;
  if (member) {
    sio_payload *picture = text_payload(sio_cstr(member->name));
    sio_payload_push_text(picture, sio_value_as_text(argument(event, 0)));
    sio_payload_push_bytes(picture, sio_value_as_bytes(argument(event, 1)));
    tell_others(socket, member, SIO_STR("picture"), picture);
    answer(event, text_payload(SIO_STR("sent")));
  }
}

static void on_disconnecting(sio_socket *socket, sio_str reason, const sio_error *error, void *user_data)
{
  struct member *member = sio_socket_data(socket);
  (void)reason;
  (void)error;
  if (member) {
    tell_others(socket, member, SIO_STR("left"), presence(member, count_in(user_data, member->room) - 1));
    sio_socket_set_data(socket, NULL, NULL);
    remove_member(user_data, member);
  }
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

struct page {
  uint8_t *bytes;
  size_t len;
};

static struct page *read_page(const char *path)
{
  enum { LARGEST = 1 << 20 };
  struct page *page = must_have(malloc(sizeof *page));
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  page->bytes = must_have(malloc(LARGEST));
  page->len = fread(page->bytes, 1, LARGEST, file);
  fclose(file);
  return page;
}

static void free_page(void *user_data)
{
  struct page *page = user_data;
  free(page->bytes);
  free(page);
}

static void on_request(const sio_request *request, sio_reply *reply, void *user_data)
{
  const struct page *page = user_data;
  sio_str path = sio_request_path(request);
  sio_header type = {SIO_STR("content-type"), SIO_STR("text/html; charset=utf-8")};
  sio_bytes body = {page->bytes, page->len};
  if (path.len == 1) {
    sio_reply_send(reply, 200, &type, 1, body);
  } else {
    body.len = 0;
    sio_reply_send(reply, 404, NULL, 0, body);
  }
}

/* ---- the chat --------------------------------------------------------------------------------------------------- */

chat *chat_new(sio_server *server, const char *page)
{
  chat *created = must_have(calloc(1, sizeof *created));
  sio_namespace *nsp = sio_server_of(server, SIO_STR("/"));
  must(sio_namespace_on(nsp, SIO_STR("join"), on_join, created, NULL, NULL), "join");
  must(sio_namespace_on(nsp, SIO_STR("message"), on_message, created, NULL, NULL), "message");
  must(sio_namespace_on(nsp, SIO_STR("picture"), on_picture, created, NULL, NULL), "picture");
  must(sio_namespace_on_disconnecting(nsp, on_disconnecting, created, NULL, NULL), "disconnecting");
  sio_namespace_release(nsp);
  if (page) {
    must(sio_server_on_request(server, on_request, read_page(page), free_page), page);
  }
  return created;
}

void chat_listen(sio_server *server, const char *port)
{
  sio_string *listening = NULL;
  char address[64];
  snprintf(address, sizeof address, "127.0.0.1:%s", port);
  must(sio_server_listen(server, sio_cstr(address), NULL, NULL, NULL), address);
  must(sio_server_get_address(server, 0, &listening), address);
  printf("listening on http://%.*s\n", (int)sio_string_get(listening).len, sio_string_get(listening).ptr);
  fflush(stdout);
  sio_string_free(listening);
}

size_t chat_members(const chat *chat)
{
  const struct member *member;
  size_t count = 0;
  for (member = chat->members; member; member = member->next) {
    count++;
  }
  return count;
}

void chat_free(chat *chat)
{
  while (chat->members) {
    remove_member(chat, chat->members);
  }
  free(chat);
}
