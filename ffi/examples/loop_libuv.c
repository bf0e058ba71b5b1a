/*
 * The chat's server on a libuv loop: all callbacks, those of the chat and those of libuv, run on the one thread of main.
 *
 *   loop_libuv [PORT [PAGE]]
 *
 * PORT is 3000 by default; 0 is any that is free. PAGE is the file that browsers get. Ctrl-C ends it. A timer of the loop
 * looks how many are there, and prints it.
 */
#include "chat/must.h"
#include "chat/server.h"

#include <signal.h>
#include <uv.h>

/* Callbacks in a row before the loop sees to its other handles. */
enum { MOST_AT_ONCE = 1000, LOOK_EVERY_MS = 1000 };

struct app {
  sio_queue *queue;
  sio_server *server;
  chat *chat;
  size_t shown;
  uv_poll_t waiting;
  uv_timer_t clock;
  uv_signal_t interrupt, terminate;
};

static void must_uv(int error, const char *what)
{
  if (error) {
    fprintf(stderr, "%s: %s\n", what, uv_strerror(error));
    exit(1);
  }
}

/* What this leaves behind keeps the descriptor readable. */
static void on_readable(uv_poll_t *waiting, int error, int events)
{
  struct app *app = waiting->data;
  (void)events;
  must_uv(error, "poll");
  must(sio_queue_dispatch(app->queue, MOST_AT_ONCE, NULL), "dispatch");
}

static void on_clock(uv_timer_t *clock)
{
  struct app *app = clock->data;
  size_t members = chat_members(app->chat);
  if (members != app->shown) {
    printf("members: %lu\n", (unsigned long)members);
    fflush(stdout);
    app->shown = members;
  }
}

/* The server's last callback. The loop ends when it has no handles left. */
static void on_closed(int32_t status, const sio_error *error, void *user_data)
{
  struct app *app = user_data;
  (void)error;
  must(status, "close");
  uv_close((uv_handle_t *)&app->waiting, NULL);
  uv_close((uv_handle_t *)&app->clock, NULL);
  uv_close((uv_handle_t *)&app->interrupt, NULL);
  uv_close((uv_handle_t *)&app->terminate, NULL);
}

/* Once: another Ctrl-C ends the program at once. */
static void on_signal(uv_signal_t *signal, int number)
{
  struct app *app = signal->data;
  (void)number;
  uv_signal_stop(&app->interrupt);
  uv_signal_stop(&app->terminate);
  must(sio_server_close(app->server, on_closed, app, NULL), "close");
}

static void start_server(struct app *app, const char *port, const char *page)
{
  sio_server_options *options = sio_server_options_new();
  must(sio_server_options_set_queue(options, app->queue), "options");
  must(sio_server_new(NULL, options, &app->server), "server");
  sio_server_options_free(options);
  app->chat = chat_new(app->server, page);
  chat_listen(app->server, port);
}

static void start_handles(struct app *app, uv_loop_t *loop)
{
  app->waiting.data = app->clock.data = app->interrupt.data = app->terminate.data = app;
  must_uv(uv_poll_init(loop, &app->waiting, sio_queue_fd(app->queue)), "poll");
  must_uv(uv_poll_start(&app->waiting, UV_READABLE, on_readable), "poll");
  must_uv(uv_timer_init(loop, &app->clock), "timer");
  must_uv(uv_timer_start(&app->clock, on_clock, LOOK_EVERY_MS, LOOK_EVERY_MS), "timer");
  must_uv(uv_signal_init(loop, &app->interrupt), "signal");
  must_uv(uv_signal_start(&app->interrupt, on_signal, SIGINT), "signal");
  must_uv(uv_signal_init(loop, &app->terminate), "signal");
  must_uv(uv_signal_start(&app->terminate, on_signal, SIGTERM), "signal");
}

int main(int argc, char **argv)
{
  struct app app = {0};
  uv_loop_t loop;

  must_uv(uv_loop_init(&loop), "loop");
  must(sio_queue_new(NULL, NULL, NULL, NULL, &app.queue), "queue");
  start_handles(&app, &loop);
  start_server(&app, argc > 1 ? argv[1] : "3000", argc > 2 ? argv[2] : NULL);
  must_uv(uv_run(&loop, UV_RUN_DEFAULT), "run");

  /* The descriptor is closed with the queue: libuv has let go of it before. */
  sio_server_release(app.server);
  chat_free(app.chat);
  sio_queue_release(app.queue);
  must_uv(uv_loop_close(&loop), "loop");
  return 0;
}
