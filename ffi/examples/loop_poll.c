/*
 * A member of the chat on a loop of poll(2): callbacks run on the thread of main, between what is typed.
 *
 *   loop_poll URL ROOM NAME [--members COUNT] [--expect COUNT]
 *
 * chat/member.h says what it does. Each line of the standard input is said as well, once the others listen.
 */
#include "chat/member.h"
#include "chat/must.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct app {
  sio_queue *queue;
  sio_manager *manager;
  chat_member *member;
  int64_t patience_ends_ms;
  bool leaving;
  bool left;
  bool is_typing;
  char typed[256];
  size_t typed_len;
};

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* The manager's last callback. */
static void on_left(int32_t status, const sio_error *error, void *user_data)
{
  struct app *app = user_data;
  (void)error;
  must(status, "close");
  app->left = true;
}

static void leave(struct app *app)
{
  if (!app->leaving) {
    app->leaving = true;
    must(sio_manager_close(app->manager, on_left, app, NULL), "close");
  }
}

static void on_finished(void *user_data)
{
  leave(user_data);
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static void say_line(struct app *app, char *end)
{
  size_t len = (size_t)(end + 1 - app->typed);
  *end = 0;
  chat_member_say(app->member, app->typed);
  app->typed_len -= len;
  memmove(app->typed, end + 1, app->typed_len);
}

/* Not with stdio, which may read more lines than one, and poll would not tell of the others. */
static void read_typed(struct app *app)
{
  size_t room = sizeof app->typed - 1 - app->typed_len;
  ssize_t n = read(STDIN_FILENO, app->typed + app->typed_len, room);
  char *end;
  if (n <= 0) {
    app->is_typing = false;
    return;
  }
  app->typed_len += (size_t)n;
  while ((end = memchr(app->typed, '\n', app->typed_len)) != NULL) {
    say_line(app, end);
  }
  if (app->typed_len == sizeof app->typed - 1) {
    say_line(app, app->typed + app->typed_len++); /* too long for one */
  }
}

/* How long poll may sleep. */
static int patience_left_ms(const struct app *app)
{
  int64_t left = app->patience_ends_ms - now_ms();
  if (app->leaving) {
    return -1;
  }
  return left > 0 ? (int)left : 0;
}

static void run(struct app *app)
{
  struct pollfd fds[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
  while (!app->left) {
    int ready;
    fds[0].fd = sio_queue_fd(app->queue);
    /* poll skips what is negative. */
    fds[1].fd = app->is_typing && !app->leaving && chat_member_has_spoken(app->member) ? STDIN_FILENO : -1;
    ready = poll(fds, 2, patience_left_ms(app));
    if (ready < 0 && errno != EINTR) {
      perror("poll");
      exit(1);
    }
    if (ready == 0) {
      leave(app);
    }
    if (ready > 0 && fds[1].revents) {
      read_typed(app);
    }
    if (ready > 0 && fds[0].revents) {
      must(sio_queue_dispatch(app->queue, 0, NULL), "dispatch");
    }
  }
}

int main(int argc, char **argv)
{
  struct app app = {0};
  bool good;

  app.member = chat_member_new(argc, argv, on_finished, &app);
  app.patience_ends_ms = now_ms() + CHAT_PATIENCE_S * 1000;
  app.is_typing = true;
  must(sio_queue_new(NULL, NULL, NULL, NULL, &app.queue), "queue");
  app.manager = chat_member_manager(app.member, app.queue);
  chat_member_join(app.member, app.manager);
  run(&app);

  good = chat_member_free(app.member);
  sio_manager_release(app.manager);
  sio_queue_release(app.queue);
  return good ? 0 : 1;
}
