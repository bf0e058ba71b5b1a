/*
 * A member of the chat of chat_server.c.
 *
 *   chat_client URL ROOM NAME [--members COUNT] [--expect COUNT]
 *
 * It joins ROOM, waits until COUNT members are there (2 by default), says something, sends a picture, and says something
 * that the server acknowledges. It ends with 0 when it has seen as many messages and pictures of others as are expected
 * (3 of each other member by default), and with 1 when that takes longer than 20 seconds.
 */
#include <socketio.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 20, ACK_TIMEOUT_MS = 10000 };

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

/* What the callbacks know and the main thread waits for. */
static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  const char *name;
  int64_t members; /* that are wanted before it speaks */
  int expected;    /* messages and pictures of others */
  int seen;
  bool spoken;
  bool acknowledged;
  bool failed;
} chat = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 2, -1, 0, false, false, false};

/* ---- the transcript --------------------------------------------------------------------------------------------- */

static void tell(const char *what, sio_str who, sio_str text)
{
  printf("[%s] %.*s%s%.*s\n", chat.name, (int)who.len, who.len ? who.ptr : "", what, (int)text.len,
         text.len ? text.ptr : "");
  fflush(stdout);
}

static sio_str none(void)
{
  return sio_cstr(NULL);
}

/* ---- what it says ----------------------------------------------------------------------------------------------- */

static void on_sent(int32_t status, const sio_payload *response, void *user_data)
{
  (void)user_data;
  pthread_mutex_lock(&chat.lock);
  if (status == SIO_OK) {
    tell("the server has acknowledged: ", none(), sio_value_as_text(sio_payload_get_value(response, 0)));
    chat.acknowledged = true;
  } else {
    tell("no acknowledgement: ", none(), sio_cstr(sio_status_name(status)));
    chat.failed = true;
  }
  pthread_cond_signal(&chat.changed);
  pthread_mutex_unlock(&chat.lock);
}

static void say(sio_client *client, const char *text, bool acknowledged)
{
  sio_payload *message = sio_payload_new();
  sio_payload_push_text(message, sio_cstr(text));
  tell("says: ", none(), sio_cstr(text));
  if (acknowledged) {
    sio_client_emit_with_ack(client, SIO_STR("message"), message, ACK_TIMEOUT_MS, on_sent, NULL, NULL);
  } else {
    sio_client_emit(client, SIO_STR("message"), message);
  }
  sio_payload_release(message);
}

static void show_face(sio_client *client)
{
  sio_bytes face = {FACE, sizeof FACE};
  sio_payload *picture = sio_payload_new();
  sio_payload_push_text(picture, SIO_STR("a smiling face"));
  sio_payload_push_bytes(picture, face);
  tell("sends a picture", none(), none());
  sio_client_emit(client, SIO_STR("picture"), picture);
  sio_payload_release(picture);
}

/* Speaks once, when enough members are there. */
static void speak(sio_client *client, int64_t members)
{
  bool now;
  pthread_mutex_lock(&chat.lock);
  now = !chat.spoken && members >= chat.members;
  chat.spoken = chat.spoken || now;
  pthread_mutex_unlock(&chat.lock);
  if (now) {
    char text[128];
    snprintf(text, sizeof text, "hello, I am %.64s", chat.name);
    say(client, text, false);
    show_face(client);
    say(client, "did this arrive?", true);
  }
}

/* ---- what it hears ---------------------------------------------------------------------------------------------- */

static const sio_value *argument(sio_event *event, size_t i)
{
  return sio_payload_get_value(sio_event_get_payload(event), i);
}

static void count_seen(void)
{
  pthread_mutex_lock(&chat.lock);
  chat.seen++;
  pthread_cond_signal(&chat.changed);
  pthread_mutex_unlock(&chat.lock);
}

static void on_message(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)user_data;
  tell(": ", sio_value_as_text(argument(event, 0)), sio_value_as_text(argument(event, 1)));
  count_seen();
}

static void on_picture(sio_client *client, sio_event *event, void *user_data)
{
  sio_bytes bytes = sio_value_as_bytes(argument(event, 2));
  bool same = bytes.len == sizeof FACE && memcmp(bytes.ptr, FACE, sizeof FACE) == 0;
  (void)client;
  (void)user_data;
  tell(same ? " sent the face: " : " sent a picture: ", sio_value_as_text(argument(event, 0)),
       sio_value_as_text(argument(event, 1)));
  count_seen();
}

static void on_joined(sio_client *client, sio_event *event, void *user_data)
{
  (void)user_data;
  tell(" has joined", sio_value_as_text(argument(event, 0)), none());
  speak(client, sio_value_as_int(argument(event, 1)));
}

static void on_left(sio_client *client, sio_event *event, void *user_data)
{
  (void)client;
  (void)user_data;
  tell(" has left", sio_value_as_text(argument(event, 0)), none());
}

/* ---- joining ---------------------------------------------------------------------------------------------------- */

static void on_join_answer(int32_t status, const sio_payload *response, void *user_data)
{
  if (status == SIO_OK) {
    speak(user_data, sio_value_as_int(sio_payload_get_value(response, 0)));
  }
}

static void release_client(void *user_data)
{
  sio_client_release(user_data);
}

static void on_connect(sio_client *client, void *user_data)
{
  sio_payload *join = sio_payload_new();
  sio_payload_push_text(join, sio_cstr(user_data));
  sio_payload_push_text(join, sio_cstr(chat.name));
  tell("joins ", none(), sio_cstr(user_data));
  sio_client_emit_with_ack(client, SIO_STR("join"), join, ACK_TIMEOUT_MS, on_join_answer, sio_client_retain(client),
                           release_client);
  sio_payload_release(join);
}

static void on_connect_error(sio_client *client, const sio_error *error, void *user_data)
{
  (void)client;
  (void)user_data;
  tell("cannot connect: ", none(), sio_error_message(error));
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static void usage(void)
{
  fputs("usage: chat_client URL ROOM NAME [--members COUNT] [--expect COUNT]\n", stderr);
  exit(2);
}

static void must(int32_t status, const char *what)
{
  if (status != SIO_OK) {
    sio_str message = sio_last_error_message();
    fprintf(stderr, "chat_client: %s: %s: %.*s\n", what, sio_status_name(status), (int)message.len, message.ptr);
    exit(1);
  }
}

static void parse(int argc, char **argv)
{
  int i;
  if (argc < 4) {
    usage();
  }
  chat.name = argv[3];
  for (i = 4; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--members") == 0) {
      chat.members = atoi(argv[i + 1]);
    } else if (strcmp(argv[i], "--expect") == 0) {
      chat.expected = atoi(argv[i + 1]);
    } else {
      usage();
    }
  }
  if (i < argc) {
    usage();
  }
  if (chat.expected < 0) {
    chat.expected = 3 * (int)(chat.members - 1);
  }
}

/* Whether it has seen and sent all that it should before patience ends. */
static bool wait_for_the_end(void)
{
  struct timespec end;
  bool good;
  int timed_out = 0;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += PATIENCE_S;
  pthread_mutex_lock(&chat.lock);
  while (!chat.failed && !timed_out && !(chat.acknowledged && chat.seen >= chat.expected)) {
    timed_out = pthread_cond_timedwait(&chat.changed, &chat.lock, &end);
  }
  good = chat.acknowledged && chat.seen >= chat.expected;
  pthread_mutex_unlock(&chat.lock);
  return good;
}

int main(int argc, char **argv)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  sio_client *client;
  bool good;

  parse(argc, argv);
  /* The listeners come first, so that no connection is missed. */
  sio_manager_options_set_auto_connect(options, false);
  must(sio_manager_new(NULL, sio_cstr(argv[1]), options, &manager), argv[1]);
  sio_manager_options_free(options);
  client = sio_manager_socket(manager, none(), NULL);
  sio_client_on_connect(client, on_connect, argv[2], NULL, NULL);
  sio_client_on_connect_error(client, on_connect_error, NULL, NULL, NULL);
  sio_client_on(client, SIO_STR("message"), on_message, NULL, NULL, NULL);
  sio_client_on(client, SIO_STR("picture"), on_picture, NULL, NULL, NULL);
  sio_client_on(client, SIO_STR("joined"), on_joined, NULL, NULL, NULL);
  sio_client_on(client, SIO_STR("left"), on_left, NULL, NULL, NULL);
  must(sio_client_connect(client), "connect");

  good = wait_for_the_end();
  tell(good ? "has seen everything and leaves" : "gives up", none(), none());
  sio_manager_close_wait(manager, 5000);
  sio_client_release(client);
  sio_manager_release(manager);
  return good ? 0 : 1;
}
