/*
 * A client under remote control, on the C API: it does what the lines of its input say and prints what it sees.
 *
 *   client-c URL [OPTIONS]          OPTIONS are a manager's, as JSON
 *
 * Commands, their fields separated by tabs. ATTACHMENTS are hexadecimal, separated by commas; "-" is no JSON or none.
 *
 *   socket NSP,NSP.. AUTH                     a socket for each of the namespaces; they connect
 *   connect NSP | disconnect NSP
 *   emit NSP EVENT JSON ATTACHMENTS
 *   ask NSP EVENT JSON ATTACHMENTS TIMEOUT    emits and awaits the ack
 *   answer JSON ATTACHMENTS                   acks the last event that wanted it
 *
 * Each observation is one line of JSON: {"nsp":..,"what":..} with "name", "json", "attachments", "reason" or "status".
 * The end of the input closes the manager and ends the program.
 */
#include <socketio.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7, NAMESPACES = 8, LARGEST_LINE = 4 << 20, ATTACHMENTS = 10, CLOSE_TIMEOUT_MS = 10000 };

static sio_client *clients[NAMESPACES];
static size_t client_count;

/* The ack that the last event wanted: callbacks put it there, the main thread takes it. */
static pthread_mutex_t ack_lock = PTHREAD_MUTEX_INITIALIZER;
static sio_ack *wanted_ack;

static void must(int32_t status, const char *what)
{
  if (status != SIO_OK) {
    sio_str message = sio_last_error_message();
    fprintf(stderr, "client-c: %s: %s: %.*s\n", what, sio_status_name(status), (int)message.len, message.ptr);
    exit(1);
  }
}

/* ---- observations ----------------------------------------------------------------------------------------------- */

static void print_text(sio_str text)
{
  sio_value *value = sio_value_new_text(text);
  sio_string *json = NULL;
  must(sio_value_print(value, &json), "print");
  fwrite(sio_string_get(json).ptr, 1, sio_string_get(json).len, stdout);
  sio_string_free(json);
  sio_value_free(value);
}

static void print_payload(const sio_payload *payload)
{
  sio_str json = sio_payload_json(payload);
  size_t i;
  printf(",\"json\":%.*s,\"attachments\":[", (int)json.len, json.ptr);
  for (i = 0; i < sio_payload_attachment_count(payload); i++) {
    sio_bytes bytes = sio_payload_attachment(payload, i);
    size_t k;
    printf("%s\"", i ? "," : "");
    for (k = 0; k < bytes.len; k++) {
      printf("%02x", bytes.ptr[k]);
    }
    printf("\"");
  }
  printf("]");
}

/* The lines of several threads stay whole: from here to end_line the output is this thread's. */
static void begin_line(const sio_client *client, const char *what)
{
  flockfile(stdout);
  printf("{\"what\":\"%s\",\"nsp\":", what);
  print_text(client ? sio_client_namespace(client) : sio_cstr(""));
}

static void print_field(const char *name, sio_str text)
{
  printf(",\"%s\":", name);
  print_text(text);
}

static void end_line(void)
{
  printf("}\n");
  fflush(stdout);
  funlockfile(stdout);
}

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

static void on_any(sio_client *client, sio_event *event, void *user_data)
{
  sio_ack *ack = sio_event_take_ack(event);
  (void)user_data;
  if (ack) {
    pthread_mutex_lock(&ack_lock);
    sio_ack_drop(wanted_ack);
    wanted_ack = ack;
    pthread_mutex_unlock(&ack_lock);
  }
  begin_line(client, "event");
  print_field("name", sio_event_name(event));
  print_payload(sio_event_get_payload(event));
  end_line();
}

static void on_connect(sio_client *client, void *user_data)
{
  (void)user_data;
  begin_line(client, "connect");
  end_line();
}

static void on_connect_error(sio_client *client, const sio_error *error, void *user_data)
{
  (void)user_data;
  begin_line(client, "connect_error");
  print_field("reason", sio_error_message(error));
  print_field("status", sio_cstr(sio_status_name(sio_error_status(error))));
  end_line();
}

static void on_disconnect(sio_client *client, sio_str reason, const sio_error *error, void *user_data)
{
  (void)error;
  (void)user_data;
  begin_line(client, "disconnect");
  print_field("reason", reason);
  end_line();
}

static void on_ack(int32_t status, const sio_payload *response, void *user_data)
{
  begin_line(user_data, "ack");
  print_field("status", sio_cstr(sio_status_name(status)));
  if (status == SIO_OK) {
    print_payload(response);
  }
  end_line();
}

static void on_reconnect(int32_t event, uint32_t attempt, sio_str reason, const sio_error *error, void *user_data)
{
  (void)event;
  (void)reason;
  (void)error;
  (void)user_data;
  begin_line(NULL, "reconnect");
  printf(",\"attempt\":%lu", (unsigned long)attempt);
  end_line();
}

static void release_client(void *user_data)
{
  sio_client_release(user_data);
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

static unsigned digit(char c)
{
  return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* Decodes in place: two digits are longer than their byte. */
static size_t read_attachments(char *text, sio_bytes *attachments)
{
  size_t n = 0;
  if (strcmp(text, "-") == 0) {
    return 0;
  }
  for (;;) {
    char *from = text;
    uint8_t *to = (uint8_t *)text;
    attachments[n].ptr = to;
    while (*from && *from != ',') {
      *to++ = (uint8_t)(digit(from[0]) << 4 | digit(from[1]));
      from += 2;
    }
    attachments[n].len = (size_t)(to - attachments[n].ptr);
    n++;
    if (!*from || n == ATTACHMENTS) {
      return n;
    }
    text = from + 1;
  }
}

static sio_payload *read_payload(char *json, char *hexadecimal)
{
  sio_bytes attachments[ATTACHMENTS];
  size_t n = read_attachments(hexadecimal, attachments);
  sio_payload *payload = NULL;
  must(sio_payload_from_json(sio_cstr(json), attachments, n, &payload), json);
  return payload;
}

static sio_client *find_client(const char *nsp)
{
  size_t i;
  for (i = 0; i < client_count; i++) {
    sio_str name = sio_client_namespace(clients[i]);
    if (name.len == strlen(nsp) && memcmp(name.ptr, nsp, name.len) == 0) {
      return clients[i];
    }
  }
  fprintf(stderr, "client-c: no socket for %s\n", nsp);
  exit(1);
}

static void open_socket(sio_manager *manager, const char *nsp, const char *auth)
{
  sio_client_options *options = sio_client_options_new();
  sio_client *client;
  if (strcmp(auth, "-") != 0) {
    must(sio_client_options_set_auth_json(options, sio_cstr(auth)), "auth");
  }
  client = sio_manager_socket(manager, sio_cstr(nsp), options);
  sio_client_options_free(options);
  if (!client || client_count == NAMESPACES) {
    must(SIO_ERR_INVALID_STATE, nsp);
  }
  clients[client_count++] = client;
  must(sio_client_on_any(client, on_any, NULL, NULL, NULL), "on_any");
  must(sio_client_on_connect(client, on_connect, NULL, NULL, NULL), "on_connect");
  must(sio_client_on_connect_error(client, on_connect_error, NULL, NULL, NULL), "on_connect_error");
  must(sio_client_on_disconnect(client, on_disconnect, NULL, NULL, NULL), "on_disconnect");
  must(sio_client_connect(client), "connect");
}

static void open_sockets(sio_manager *manager, char *namespaces, const char *auth)
{
  char *nsp;
  for (nsp = strtok(namespaces, ","); nsp; nsp = strtok(NULL, ",")) {
    open_socket(manager, nsp, auth);
  }
}

static void answer(char *json, char *attachments)
{
  sio_payload *payload = read_payload(json, attachments);
  sio_ack *ack;
  pthread_mutex_lock(&ack_lock);
  ack = wanted_ack;
  wanted_ack = NULL;
  pthread_mutex_unlock(&ack_lock);
  must(ack ? sio_ack_send(ack, payload) : SIO_ERR_INVALID_STATE, "answer");
  sio_payload_release(payload);
}

static void emit(char **field, int n)
{
  sio_client *client = find_client(field[1]);
  sio_payload *payload = read_payload(field[3], field[4]);
  if (n == 6) {
    must(sio_client_emit_with_ack(client, sio_cstr(field[2]), payload, (uint32_t)atoi(field[5]), on_ack,
                                  sio_client_retain(client), release_client),
         "ask");
  } else {
    must(sio_client_emit(client, sio_cstr(field[2]), payload), "emit");
  }
  sio_payload_release(payload);
}

static int split(char *line, char **field)
{
  int n = 0;
  for (line = strtok(line, "\t\n"); line && n < FIELDS; line = strtok(NULL, "\t\n")) {
    field[n++] = line;
  }
  return n;
}

static void obey(sio_manager *manager, char **field, int n)
{
  const char *command = n > 0 ? field[0] : "";
  if (strcmp(command, "socket") == 0 && n == 3) {
    open_sockets(manager, field[1], field[2]);
  } else if (strcmp(command, "connect") == 0 && n == 2) {
    must(sio_client_connect(find_client(field[1])), "connect");
  } else if (strcmp(command, "disconnect") == 0 && n == 2) {
    must(sio_client_disconnect(find_client(field[1])), "disconnect");
  } else if ((strcmp(command, "emit") == 0 && n == 5) || (strcmp(command, "ask") == 0 && n == 6)) {
    emit(field, n);
  } else if (strcmp(command, "answer") == 0 && n == 3) {
    answer(field[1], field[2]);
  } else {
    fprintf(stderr, "client-c: no such command: %s with %d fields\n", command, n);
    exit(2);
  }
}

int main(int argc, char **argv)
{
  sio_manager_options *options = sio_manager_options_new();
  sio_manager *manager = NULL;
  char *line = malloc(LARGEST_LINE);
  char *field[FIELDS];
  if (argc < 2 || !line) {
    fputs("usage: client-c URL [OPTIONS]\n", stderr);
    return 2;
  }
  if (argc > 2) {
    must(sio_manager_options_set_json(options, sio_cstr(argv[2])), argv[2]);
  }
  sio_manager_options_set_auto_connect(options, false);
  must(sio_manager_new(NULL, sio_cstr(argv[1]), options, &manager), argv[1]);
  sio_manager_options_free(options);
  must(sio_manager_on(manager, SIO_MANAGER_RECONNECT, on_reconnect, NULL, NULL, NULL), "reconnect");

  while (fgets(line, LARGEST_LINE, stdin)) {
    obey(manager, field, split(line, field));
  }

  must(sio_manager_close_wait(manager, CLOSE_TIMEOUT_MS), "close");
  while (client_count > 0) {
    sio_client_release(clients[--client_count]);
  }
  sio_ack_drop(wanted_ack);
  sio_manager_release(manager);
  free(line);
  return 0;
}
