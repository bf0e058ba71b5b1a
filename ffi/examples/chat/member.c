#include "member.h"

#include "must.h"

#include <string.h>

enum { ACK_TIMEOUT_MS = 10000 };

/* A smiling face: a PNG of 16 x 16 pixels. */
static const uint8_t FACE[] = {
  0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
  0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x10, 0x01, 0x03, 0x00, 0x00, 0x00, 0x25, 0x3d, 0x6d,
  0x22, 0x00, 0x00, 0x00, 0x06, 0x50, 0x4c, 0x54, 0x45, 0xff, 0xdd, 0x55, 0x3c, 0x28, 0x00, 0xbc,
  0x39, 0xe4, 0x25, 0x00, 0x00, 0x00, 0x2b, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x60,
  0x60, 0xe0, 0xff, 0xc0, 0x20, 0xc0, 0xc1, 0xa0, 0xc0, 0xc2, 0xe0, 0x96, 0x04, 0x42, 0x0e, 0x4c,
  0x20, 0xe4, 0x21, 0xc4, 0xe0, 0xa2, 0xc4, 0xe0, 0x7c, 0x08, 0x24, 0x0e, 0x94, 0x05, 0xaa, 0x01,
  0x03, 0x00, 0x97, 0xff, 0x06, 0x10, 0x2a, 0x21, 0x79, 0xc1, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45,
  0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

struct chat_member {
  const char *url;
  const char *room;
  const char *name;
  int64_t members; /* that are wanted before it speaks */
  int expected;    /* messages and pictures of others */
  int seen;
  bool spoken;
  bool acknowledged;
  bool finished;
  chat_finished_fn on_finished;
  void *user_data;
  sio_client *client;
};

/* ---- the transcript --------------------------------------------------------------------------------------------- */

static void tell(const chat_member *member, const char *what, sio_str who, sio_str text)
{
  printf("[%s] %.*s%s%.*s\n", member->name, (int)who.len, who.len ? who.ptr : "", what, (int)text.len,
         text.len ? text.ptr : "");
  fflush(stdout);
}

static sio_str none(void)
{
  return sio_cstr(NULL);
}

static bool has_seen_everything(const chat_member *member)
{
  return member->acknowledged && member->seen >= member->expected;
}

static void finish(chat_member *member)
{
  if (!member->finished) {
    member->finished = true;
    member->on_finished(member->user_data);
  }
}

/* Something that it waited for is there. */
static void finish_if_everything_is_seen(chat_member *member)
{
  if (has_seen_everything(member)) {
    finish(member);
  }
}

/* ---- what it says ----------------------------------------------------------------------------------------------- */

static void on_sent(int32_t status, const sio_payload *response, void *user_data)
{
  chat_member *member = user_data;
  if (status == SIO_OK) {
    tell(member, "the server has acknowledged: ", none(), sio_value_as_text(sio_payload_get_value(response, 0)));
    member->acknowledged = true;
    finish_if_everything_is_seen(member);
  } else {
    tell(member, "no acknowledgement: ", none(), sio_cstr(sio_status_name(status)));
    finish(member);
  }
}

static sio_payload *message(const chat_member *member, const char *text)
{
  sio_payload *payload = sio_payload_new();
  sio_payload_push_text(payload, sio_cstr(text));
  tell(member, "says: ", none(), sio_cstr(text));
  return payload;
}

static void ask(chat_member *member, const char *text)
{
  sio_payload *payload = message(member, text);
  sio_client_emit_with_ack(member->client, SIO_STR("message"), payload, ACK_TIMEOUT_MS, on_sent, member, NULL);
  sio_payload_release(payload);
}

static void show_face(chat_member *member)
{
  sio_bytes face = {FACE, sizeof FACE};
  sio_payload *picture = sio_payload_new();
  sio_payload_push_text(picture, SIO_STR("a smiling face"));
  sio_payload_push_bytes(picture, face);
  tell(member, "sends a picture", none(), none());
  sio_client_emit(member->client, SIO_STR("picture"), picture);
  sio_payload_release(picture);
}

/* Speaks once, when enough members are there. */
static void speak(chat_member *member, int64_t members)
{
  char text[128];
  if (member->spoken || members < member->members) {
    return;
  }
  member->spoken = true;
  snprintf(text, sizeof text, "hello, I am %.64s", member->name);
  chat_member_say(member, text);
  show_face(member);
  ask(member, "did this arrive?");
}

/* ---- what it hears ---------------------------------------------------------------------------------------------- */

static const sio_value *argument(sio_event *event, size_t i)
{
  return sio_payload_get_value(sio_event_get_payload(event), i);
}

static void see(chat_member *member, const char *what, sio_event *event)
{
  tell(member, what, sio_value_as_text(argument(event, 0)), sio_value_as_text(argument(event, 1)));
  member->seen++;
  finish_if_everything_is_seen(member);
}

static void on_message(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  see(user_data, ": ", event);
}

static void on_picture(sio_client *client, sio_event *event, void *user_data)
{
  sio_bytes bytes = sio_value_as_bytes(argument(event, 2));
  bool same = bytes.len == sizeof FACE && memcmp(bytes.ptr, FACE, sizeof FACE) == 0;
  (void)client;
  see(user_data, same ? " sent the face: " : " sent a picture: ", event);
}

static void on_joined(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  tell(user_data, " has joined", sio_value_as_text(argument(event, 0)), none());
  speak(user_data, sio_value_as_int(argument(event, 1)));
}

static void on_left(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  tell(user_data, " has left", sio_value_as_text(argument(event, 0)), none());
}

/* ---- joining ---------------------------------------------------------------------------------------------------- */

static void on_join_answer(int32_t status, const sio_payload *response, void *user_data)
{
  if (status == SIO_OK) {
    speak(user_data, sio_value_as_int(sio_payload_get_value(response, 0)));
  }
}

static void on_connect(sio_client *client, void *user_data)
{
  chat_member *member = user_data;
  sio_payload *join = sio_payload_new();
  sio_payload_push_text(join, sio_cstr(member->room));
  sio_payload_push_text(join, sio_cstr(member->name));
  tell(member, "joins ", none(), sio_cstr(member->room));
  sio_client_emit_with_ack(client, SIO_STR("join"), join, ACK_TIMEOUT_MS, on_join_answer, member, NULL);
  sio_payload_release(join);
}

static void on_connect_error(sio_client *client, const sio_error *error, void *user_data)
{
  (void)client;
  tell(user_data, "cannot connect: ", none(), sio_error_message(error));
}

/* ---- the member ------------------------------------------------------------------------------------------------- */

static void usage(const char *program)
{
  fprintf(stderr, "usage: %s URL ROOM NAME [--members COUNT] [--expect COUNT]\n", program);
  exit(2);
}

chat_member *chat_member_new(int argc, char **argv, chat_finished_fn finished, void *user_data)
{
  chat_member *member = must_have(calloc(1, sizeof *member));
  int i;
  if (argc < 4) {
    usage(argv[0]);
  }
  member->url = argv[1];
  member->room = argv[2];
  member->name = argv[3];
  member->members = 2;
  member->expected = -1;
  member->on_finished = finished;
  member->user_data = user_data;
  for (i = 4; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--members") == 0) {
      member->members = atoi(argv[i + 1]);
    } else if (strcmp(argv[i], "--expect") == 0) {
      member->expected = atoi(argv[i + 1]);
    } else {
      usage(argv[0]);
    }
  }
  if (i < argc) {
    usage(argv[0]);
  }
  if (member->expected < 0) {
    member->expected = 3 * (int)(member->members - 1);
  }
  return member;
}

sio_manager *chat_member_manager(const chat_member *member, sio_queue *queue)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  /* The listeners come first, so that no connection is missed. */
  must(sio_manager_options_set_auto_connect(options, false), "options");
  if (queue) {
    must(sio_manager_options_set_queue(options, queue), "queue");
  }
  must(sio_manager_new(NULL, sio_cstr(member->url), options, &manager), member->url);
  sio_manager_options_free(options);
  return manager;
}

void chat_member_join(chat_member *member, sio_manager *manager)
{
  sio_client *client = sio_manager_socket(manager, none(), NULL);
  member->client = client;
  must(sio_client_on_connect(client, on_connect, member, NULL, NULL), "connect");
  must(sio_client_on_connect_error(client, on_connect_error, member, NULL, NULL), "connect_error");
  must(sio_client_on(client, SIO_STR("message"), on_message, member, NULL, NULL), "message");
  must(sio_client_on(client, SIO_STR("picture"), on_picture, member, NULL, NULL), "picture");
  must(sio_client_on(client, SIO_STR("joined"), on_joined, member, NULL, NULL), "joined");
  must(sio_client_on(client, SIO_STR("left"), on_left, member, NULL, NULL), "left");
  must(sio_client_connect(client), "connect");
}

bool chat_member_has_spoken(const chat_member *member)
{
  return member->spoken;
}

void chat_member_say(chat_member *member, const char *text)
{
  sio_payload *payload = message(member, text);
  sio_client_emit(member->client, SIO_STR("message"), payload);
  sio_payload_release(payload);
}

bool chat_member_free(chat_member *member)
{
  bool good = has_seen_everything(member);
  tell(member, good ? "has seen everything and left" : "gave up", none(), none());
  sio_client_release(member->client);
  free(member);
  return good;
}
